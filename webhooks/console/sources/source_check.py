"""Trying a mailbox's settings: signs in and looks, changes nothing there, and says in words what works and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.mailbox import MailboxFinding
from ingest.mailbox.source_check import CheckResult, begin_check, check_source, note_check
from webhooks.console.shell import clock
from webhooks.console.shell.request_context import PageAnswer, RequestContext
from webhooks.console.sources import source_status, sources

#: Failures in which a server answered and said no. In the others nothing was reached, or nothing that speaks IMAP.
_ANSWERED = frozenset({"auth_failed", "cleartext", "not_connected", "limit", "throttled", "unavailable", "folder_missing"})


def check_now(context: RequestContext, source_id: int) -> PageAnswer:
    """The source's page with the findings on it. No connection to the database is held while the mail server is asked."""
    with context.engine.begin() as connection:
        source = begin_check(connection, context.principal, context.config, source_id)
    result = check_source(source.settings, context.config)
    with context.engine.begin() as connection:
        note_check(connection, source_id, source.settings, result, context.now)
    return sources.card(context, source_id, shown(context, source.settings, result) if result else None)


def back(context: RequestContext, source_id: int) -> PageAnswer:
    """Whoever reloads the answer of a check lands on the source."""
    return context.go("source", source_id=source_id)


def shown(context: RequestContext, settings: Any, result: CheckResult) -> dict[str, Any]:
    """For `source_checked.html`: what worked, what did not, in whose words, and what usually helps."""
    failure = result.failure
    answered = failure is not None and failure.code in _ANSWERED
    local = context.now.astimezone(context.config.zone)
    return {
        "ok": result.ok,
        "findings": [_finding(context, one) for one in result.findings if one.ok],
        "title": context.language("check.good_title" if result.ok else "check.refused" if answered else "check.not_reached"),
        "words": _words(context, failure) if failure else "",
        "said": str(failure.data.get("said", "")) if failure else "",
        "where": context.language("check.where", where=f"{settings.host}:{settings.actual_port}", clock=f"{local:%H:%M:%S}"),
        "advice": source_status.advice(context, failure.code) if failure else [],
        "zone": clock.exact(context.now, context.config.zone, context.language),
        "field": _FIELD_OF.get(failure.code, "") if failure else "",
    }


def beside(checked: Mapping[str, Any]) -> dict[str, str]:
    """The failure of a check, told beside the field that it most likely is about."""
    return {checked["field"]: checked["title"]} if checked["field"] else {}


#: Where on the form a failure is told too.
_FIELD_OF = {
    "auth_failed": "password", "host_unknown": "host", "host_private": "host", "folder_missing": "folder", "refused": "host",
    "cleartext": "security", "tls": "security", "certificate": "host", "timeout": "host", "network": "host",
}  # fmt: skip


def _finding(context: RequestContext, finding: MailboxFinding) -> str:
    return context.language.code("check", finding.name, **finding.data)


def _words(context: RequestContext, finding: MailboxFinding) -> str:
    if context.language.knows("problem", finding.code):
        return context.language.code("problem", finding.code, **finding.data)
    return finding.message
