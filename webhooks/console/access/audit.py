"""The audit: who did or looked at what, by any door. For those who answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from crm_core.access.audit_queries import AuditFilter, AuditRow, list_audit
from webhooks.api.audit import AuditQuery
from webhooks.console.events.raw_view import visible
from webhooks.console.leads.owner_reasons import actor
from webhooks.console.shell import choices
from webhooks.console.shell.day_span import day_span
from webhooks.console.shell.form_input import filters_of
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen
from webhooks.console.shell.values import as_text

#: Kind of subject → (page that shows it, name of the id in its address).
_PAGES: Mapping[str, tuple[str, str]] = {
    "lead": ("lead", "lead_id"), "contact": ("contact", "contact_id"), "source": ("source", "source_id"),
    "event": ("event", "event_id"),
}  # fmt: skip


def index(context: RequestContext) -> PageAnswer:
    wanted = chosen("actor", "subject", "day")
    since, until = day_span(context, wanted)
    query = filters_of(AuditQuery, {name: wanted[name] for name in ("actor", "subject") if name in wanted})
    filters = AuditFilter(query.actor, query.subject, since=since, until=until)
    with context.engine.begin() as connection:
        page = list_audit(connection, context.principal, filters, after=context.after())
    return context.page(
        "access/audit.html",
        items=[_shown(context, item) for item in page.items],
        more=context.more(page.next),
        first=choices.first_page(wanted),
        chosen=wanted,
        filtered=bool(wanted),
    )


def _shown(context: RequestContext, item: AuditRow) -> dict[str, Any]:
    kind, _, row_id = item.subject.partition(":")
    language = context.language
    page = _PAGES.get(kind) if row_id and (row_id.isalnum() if kind == "event" else row_id.isdecimal()) else None
    parts: dict[str, Any] = {page[1]: row_id} if page else {}
    return {
        "at": item.at,
        "actor": item.actor,
        "who": actor(context, item.actor, {item.actor: item.actor_name} if item.actor_name else {}),
        "what": language.code("audit_action", item.action) if language.knows("audit_action", item.action) else item.action,
        "kind": language.code("audit_subject", kind) if language.knows("audit_subject", kind) else kind,
        "row_id": visible(row_id),
        "href": url_for(f"console.{page[0]}", **parts) if page else "",
        "details": [(name, visible(as_text(value))) for name, value in sorted(item.data.items())],
    }
