"""What became of an event and why, in words, out of the reason or the error that is stored on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_core.leads.queries import LeadView
from ingest.journal.queries import EventError, EventView
from ingest.journal.states import STATES
from webhooks.console.shell.request_context import RequestContext


@dataclass(frozen=True, slots=True)
class EventEnd:
    """How an event ended, or would end."""

    state: str
    outcome: str | None = None
    reason: Mapping[str, Any] = field(default_factory=dict)
    error: EventError | None = None


def end_of(name: str, reason: Mapping[str, Any]) -> EventEnd:
    """Of one word of a report, which is an outcome, or the state of an event without one."""
    if name in STATES and name != "done":
        error = EventError(reason.get("code"), reason.get("message"), reason.get("path")) if reason else None
        return EventEnd(name, error=error)
    return EventEnd("done", name, reason)


def words_of(context: RequestContext, event: EventView | EventEnd) -> str:
    """One or two sentences. An event that is not finished tells its error, or that it waits for its turn."""
    if event.error:
        return error_words(context, event.error)
    return reason_of(context, event.outcome or event.state, event.reason)


def reason_of(context: RequestContext, ended: str | None, reason: Mapping[str, Any]) -> str:
    """Why it ended so. `ended`: its outcome, or the state of an event without one."""
    language = context.language
    code = reason.get("code")
    if not code:
        return language.code("event_words", ended)
    said = [language.code("reason", code, detail=reason.get("detail", ""), score=reason.get("score", ""))]
    if first := reason.get("first"):  # it was replayed since
        said.append(language.code("reason", first))
    if rule := (reason.get("match") or {}).get("rule"):
        said.append(language.code("match", rule))
    if country := reason.get("country"):
        said.append(language.code("country", country.get("by"), region=country.get("region", "")))
        if country.get("unsure"):
            said.append(language("country.unsure"))
    if rule := (reason.get("thread") or {}).get("rule"):
        said.append(language.code("thread", rule))
    if why := reason.get("why"):
        said.append(language("why.said", why=why))
    return " ".join(said)


def lost_words(context: RequestContext, lead: LeadView) -> str:
    """Why a lead was lost: what a person wrote as it is, the hub's own code in words."""
    is_code = lead.closed_code and lead.lost_reason == lead.closed_code
    return context.language.code("lost_reason", lead.closed_code) if is_code else lead.lost_reason


def error_words(context: RequestContext, error: EventError) -> str:
    """The sentence that was stored with it, which is English; for others their own where the code is known."""
    code, message = error.code or "", error.message or ""
    if message and (context.language.locale == "en" or not context.language.knows("problem", code)):
        return message
    return context.language.code("problem", code)
