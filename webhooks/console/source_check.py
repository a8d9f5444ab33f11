"""Trying a mailbox's settings: signs in and looks, changes nothing there, and says in words what works and what does not."""

from __future__ import annotations

from connectors.mail.imap import ImapConfig
from crm_core.access import audit
from crm_core.errors import Conflict
from ingest.mailbox import Finding, check
from ingest.sources import load_source
from webhooks.console import sources
from webhooks.console.desk import Answer, Desk


def check_now(desk: Desk, source_id: int) -> Answer:
    """The source's page with the findings on it. No connection to the database is held while the mail server is asked."""
    with desk.engine.begin() as connection:
        settings = load_source(connection, desk.config, source_id).settings
        if not isinstance(settings, ImapConfig):
            raise Conflict("no_check", "This source has no connection to check.")
        audit(connection, desk.principal, "source.check", f"source:{source_id}")
    found = check(settings, desk.config)
    return sources.card(desk, source_id, [_shown(desk, finding) for finding in found])


def back(desk: Desk, source_id: int) -> Answer:
    """Whoever reloads the answer of a check lands on the source."""
    return desk.go("source", source_id=source_id)


def _shown(desk: Desk, finding: Finding) -> dict[str, object]:
    """In English as it was found; for others in their own words, beside a failure's original ones."""
    language = desk.language
    if language.locale == "en":
        return {"ok": finding.ok, "words": finding.message, "original": ""}
    group, code = ("check", finding.name) if finding.ok else ("problem", finding.code)
    if not language.knows(group, code):
        return {"ok": finding.ok, "words": finding.message, "original": ""}
    words = language.code(group, code, **finding.data)
    return {"ok": finding.ok, "words": words, "original": "" if finding.ok else finding.message}
