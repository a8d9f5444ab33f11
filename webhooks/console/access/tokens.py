"""Tokens of the API: which programs may ask, as whom, and revoking one. For administrators."""

from __future__ import annotations

from datetime import datetime, time

from crm_core import access
from crm_core.access.models import ROLES
from crm_core.access.queries import list_tokens
from crm_core.base.errors import Invalid
from webhooks.console.access.users import active_owners, chosen_owner
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered


def index(context: RequestContext) -> PageAnswer:
    return _page(context)


def create(context: RequestContext) -> PageAnswer:
    """The token is shown on the answer itself, this once."""
    typed = {name: entered(name, 200) for name in ("name", "role", "owner", "expires_on")}
    try:
        with context.engine.begin() as connection:
            _, token = access.add_token(
                connection, context.principal, typed["role"], typed["name"], chosen_owner(typed["owner"]),
                _end_of(context, typed["expires_on"]),
            )  # fmt: skip
    except Invalid as error:
        return _page(context, typed=typed, problem=errors.problem_of(context, error)), 422
    return _page(context, token=token)


def revoke(context: RequestContext, token_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        access.revoke_token(connection, context.principal, token_id, context.now)
    return context.go("tokens", "token_revoked")


def _page(
    context: RequestContext, *, typed: dict[str, str] | None = None, problem: errors.Problem | None = None, token: str = ""
) -> str:
    with context.engine.begin() as connection:
        items = list_tokens(connection)
        owners = active_owners(connection)
    return context.page(
        "access/tokens.html", items=items, owners=owners, roles=ROLES, entered=typed or {}, problem=problem, token=token,
        today=context.now.astimezone(context.config.zone).date().isoformat(),
    )  # fmt: skip


def _end_of(context: RequestContext, day: str) -> datetime | None:
    """The last moment of that day where the hub is."""
    if not day:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(day), time.max, tzinfo=context.config.zone)
    except ValueError as error:
        raise Invalid("day_unreadable", "A day is written as 2026-11-21.", fields=["expires_on"]) from error
