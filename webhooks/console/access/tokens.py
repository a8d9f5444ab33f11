"""Tokens of the API: which programs may ask, as whom, and revoking one. For administrators."""

from __future__ import annotations

from datetime import datetime, time

from crm_core import access
from crm_core.access.models import ROLES
from crm_core.access.queries import list_tokens
from crm_core.base.errors import Invalid
from webhooks.console.access.users import active_owners, chosen_owner
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import Answer, Desk, entered


def index(desk: Desk) -> Answer:
    return _page(desk)


def create(desk: Desk) -> Answer:
    """The token is shown on the answer itself, this once."""
    typed = {name: entered(name, 200) for name in ("name", "role", "owner", "expires_on")}
    try:
        with desk.engine.begin() as connection:
            _, token = access.add_token(
                connection, desk.principal, typed["role"], typed["name"], chosen_owner(typed["owner"]),
                _end_of(desk, typed["expires_on"]),
            )  # fmt: skip
    except Invalid as error:
        return _page(desk, typed=typed, problem=errors.detail_of(desk, error)), 422
    return _page(desk, token=token)


def revoke(desk: Desk, token_id: int) -> Answer:
    with desk.engine.begin() as connection:
        access.revoke_token(connection, token_id, desk.now, desk.principal)
    return desk.go("tokens", "token_revoked")


def _page(desk: Desk, *, typed: dict[str, str] | None = None, problem: str = "", token: str = "") -> str:
    with desk.engine.begin() as connection:
        items = list_tokens(connection)
        owners = active_owners(connection)
    return desk.page(
        "access/tokens.html", items=items, owners=owners, roles=ROLES, entered=typed or {}, problem=problem, token=token,
        today=desk.now.astimezone(desk.config.zone).date().isoformat(),
    )  # fmt: skip


def _end_of(desk: Desk, day: str) -> datetime | None:
    """The last moment of that day where the hub is."""
    if not day:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(day), time.max, tzinfo=desk.config.zone)
    except ValueError as error:
        raise Invalid("day_unreadable", "A day is written as 2026-11-21.", fields=["expires_on"]) from error
