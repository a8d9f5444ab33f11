"""Events: what arrived and what became of it; the card with the raw bytes, shown as text and never as a page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response

from crm_core.base.errors import Invalid
from ingest.journal.queries import MOST_COUNTED, count_events, get_event, list_events, look_at_raw
from ingest.journal.states import OUTCOMES
from webhooks.console.events.raw_view import read_fields, shown_raw
from webhooks.console.events.reasons import error_words, words_of
from webhooks.console.quarantine.quarantine import reason_words
from webhooks.console.shell import choices
from webhooks.console.shell.day_span import day_span
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen
from webhooks.console.shell.values import flat

_TABS = ("attention", "needs_attention", "rejected", "pending", "done")
#: Tabs with a figure: what waits for somebody. What is done is counted in the ledger, by day.
_COUNTED = _TABS[:-1]


def index(context: RequestContext) -> PageAnswer:
    wanted = chosen("state", "outcome", "source", "channel", "day", "from", "to")
    since, until = day_span(context, wanted)
    narrowed: dict[str, Any] = {"source_id": _number(wanted.get("source")), "outcome": wanted.get("outcome"), "since": since,
                                "until": until, "channel": wanted.get("channel")}  # fmt: skip
    with context.engine.begin() as connection:
        page = list_events(connection, wanted.get("state"), after=context.after(), **narrowed)
        counts = {state: count_events(connection, state, **narrowed) for state in _COUNTED}
        source_options = choices.sources(connection, context)
    return context.page(
        "events/events.html",
        items=page.items,
        words=partial(words_of, context),
        more=context.more(page.next),
        first=choices.first_page(wanted),
        tabs=choices.counted(
            context, choices.tabs(context, "events", "state", _TABS, "event_tab", wanted), ("", *_TABS), counts, MOST_COUNTED
        ),
        chosen=wanted,
        filtered=bool(wanted),
        replayable=wanted["state"] if page.items and wanted.keys() == {"state"} and wanted["state"] in _COUNTED[:3] else "",
        source_options=source_options,
        outcome_options=choices.of_codes(context, "outcome", OUTCOMES),
        can_replay=context.may("events.replay"),
    )


def card(context: RequestContext, event_id: str) -> PageAnswer:
    may_see_raw = context.may("events.raw")
    with context.engine.begin() as connection:
        event = get_event(connection, event_id)
        body = look_at_raw(connection, context.principal, event_id, "page") if may_see_raw else None
    return context.page(
        "events/event.html",
        event=event,
        words=words_of(context, event),
        error_words=error_words(context, event.error) if event.error else "",
        reason=flat(event.reason),
        spam=_spam(context, event.reason),
        can_judge=context.may("quarantine.judge") and event.outcome == "spam" and event.channel == "form",
        can_accept_consent=context.may("quarantine.judge")
        and event.error is not None
        and event.error.code in ("consent_unknown", "consent_declined"),
        raw=shown_raw(body) if body else None,
        fields=read_fields(body) if body else [],
        can_see_mapping=may_see_raw and event.channel == "form",
        can_replay=context.may("events.replay") and event.state in ("needs_attention", "rejected", "done"),
        can_dismiss=context.may("events.replay") and event.state in ("waiting", "needs_attention", "rejected"),
    )


def _spam(context: RequestContext, reason: Mapping[str, Any]) -> list[str]:
    """The signs of spam that were found in it, in words."""
    found = reason if reason.get("code") in ("quarantined", "marked_as_spam") else reason.get("spam") or {}
    return [reason_words(context, one) for one in found.get("reasons", ())]


def download(context: RequestContext, event_id: str) -> PageAnswer:
    """The bytes as they came. Never rendered: whatever they claim to be, they are a file to keep."""
    with context.engine.begin() as connection:
        found = look_at_raw(connection, context.principal, event_id, "file")
    answer = Response(found.body, mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="event-{found.uid}.bin"'
    return answer


def _number(text: Any) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Invalid("filter", "This does not fit: source.", fields=["source"], names="source")
    return int(text)
