"""A source's state in the reader's words: what is, since when, and what to do. The state itself is `ingest.sources.states`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from ingest.sources.states import SourceState, source_states
from webhooks.console.shell import clock
from webhooks.console.shell.request_context import RequestContext

#: A colour means urgency: amber wants a person some time, red means that nothing becomes a lead meanwhile.
_COLOURS: Mapping[str, str] = {"good": "green", "info": "blue", "warn": "amber", "bad": "red"}


def states(context: RequestContext) -> list[SourceState]:
    """Of every source by id, asked once a request: the badge and the list cannot differ."""
    known: list[SourceState] | None = g.get("source_states")
    if known is None:
        with context.engine.begin() as connection:
            known = g.source_states = source_states(connection, context.config, context.now)
    return known


def states_by_id(context: RequestContext) -> dict[int, SourceState]:
    return {one.source_id: one for one in states(context)}


def shown(context: RequestContext, state: SourceState) -> dict[str, Any]:
    """{"code","tone","colour","label","note","text","help","last_at","is_read"}: a pill, what stands under it, and a paragraph."""
    language = context.language
    facts = {
        "n": language.number(state.count),
        "span": clock.span(state.seconds or 0, language),
        "since": clock.short(state.since, context.now, context.config.zone, language) if state.since else "",
    }
    dated = f"{state.code}_since" if state.since and language.knows("source_status", f"{state.code}_since") else state.code
    usual = language("source_status.usual", span=clock.span(state.usual_seconds, language)) if state.usual_seconds else ""
    return {
        "code": state.code,
        "tone": state.tone,
        "colour": "" if state.code == "paused" else _COLOURS[state.tone],
        "label": language.code("source_status", dated, **facts),
        "note": usual,
        "text": _error(context, state),
        "help": language.code("source_status_help", state.code) if language.knows("source_status_help", state.code) else "",
        "advice": advice(context, state.error.code if state.error else ""),
        "in_trouble": state.in_trouble,
        "is_read": state.channel == "mail",
        "last_at": state.last_read_at if state.channel == "mail" else state.last_event_at,
        "links_to": {"not_understood": "needs_attention", "not_authentic": "rejected"}.get(state.code, ""),
    }


def advice(context: RequestContext, code: str) -> list[str]:
    """What usually helps, one line each; none for a code that nobody has advice for."""
    lines: list[str] = []
    while context.language.knows("advice", f"{code}.{len(lines) + 1}"):
        lines.append(context.language.code("advice", f"{code}.{len(lines) + 1}"))
    return lines


def _error(context: RequestContext, state: SourceState) -> str:
    """Our words for it, and the other side's where it said something."""
    if state.error is None:
        return ""
    code, said = state.error.code, state.error.said
    words = context.language.code("problem", code) if context.language.knows("problem", code) else state.error.message
    return context.language("source_status.said", words=words, said=said) if said else words
