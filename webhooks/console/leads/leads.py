"""Leads: the list with its filters, and the card with history and the reason of the owner."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from babel.numbers import format_currency
from flask import request

from crm_core.access import may
from crm_core.access.actors import names_of
from crm_core.base.currencies import of_region
from crm_core.deadlines.commands import MEANS
from crm_core.deadlines.queries import WAITING, Mark, WaitView, marks, narrowed_to, waits_of
from crm_core.leads.claiming import RETURN_CODES
from crm_core.leads.queries import LeadFilter, LeadView, SpamMark, get_lead, list_leads
from crm_core.leads.why import WhyEvent, why, why_not
from crm_core.timeline.queries import timeline
from webhooks.api.leads import LeadQuery
from webhooks.api.route import narrowed
from webhooks.console.deadlines.deadlines import mark_words
from webhooks.console.events.reasons import lost_words, reason_of
from webhooks.console.leads import owner_reasons
from webhooks.console.leads.owner_reasons import actor, explain
from webhooks.console.quarantine.quarantine import reason_words
from webhooks.console.routing.rule_words import Names
from webhooks.console.routing.versions import names_for_rules
from webhooks.console.shell import choices, clock
from webhooks.console.shell.form_input import filters_of
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen
from webhooks.console.shell.titles import headline_of, title_of
from webhooks.console.shell.values import as_text, flat
from webhooks.console.sources import first_steps
from webhooks.console.timeline.touches import shown_touches

_FILTERS = ("q", "state", "owner", "source", "channel", "deadline")
_MOST_TOUCHES = 200
_ARRIVALS = ("form", "call", "mail")


def index(context: RequestContext) -> PageAnswer:
    wanted = chosen(*_FILTERS)
    with context.engine.begin() as connection:
        query = filters_of(LeadQuery, wanted)
        page = list_leads(
            connection, context.principal, narrowed(LeadFilter, query), after=context.after(), region=context.config.region,
            also=None if query.deadline is None else narrowed_to(query.deadline, context.now),
        )  # fmt: skip
        waits = marks(connection, context.principal, [one.id for one in page.items], context.now)
        owner_options = [*choices.owners(connection), ("none", context.language("filter.no_owner"))]
        source_options = choices.sources(connection, context)
        is_empty = not page.items and not wanted
        steps = first_steps.steps(connection, context) if is_empty else []
    return context.page(
        "leads/leads.html",
        steps=steps,
        items=page.items,
        waits={lead_id: mark_words(context, one) for lead_id, one in waits.items()},
        deadline_options=choices.of_codes(context, "deadline_filter", WAITING),
        title_of=partial(title_of, context),
        more=context.more(page.next),
        first=choices.first_page(wanted),
        tabs=choices.tabs(context, "leads", "state", ("open", "won", "lost", "spam"), "lead_tab", wanted),
        chosen=wanted,
        filtered=bool(wanted.keys() - {"state"}) or wanted.get("state") not in (None, "open"),
        owner_options=owner_options,
        source_options=source_options,
        channel_options=choices.of_codes(context, "channel", choices.CHANNELS),
        can_add_source=context.may("sources.write"),
    )


def card(context: RequestContext, lead_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        lead = get_lead(connection, context.principal, lead_id)
        decided = why(connection, context.principal, lead_id, context.config.zone)
        asked = request.args.get("why_not", "")
        other = why_not(connection, context.principal, lead_id, int(asked)) if re.fullmatch(r"[1-9][0-9]{0,17}", asked) else None
        waits = waits_of(connection, context.principal, lead_id)
        mark = marks(connection, context.principal, [lead_id], context.now).get(lead_id)
        touches = timeline(connection, context.principal, lead.contact.id, _MOST_TOUCHES, lead_id=lead_id).items
        owner_options = choices.active_owners(connection)
        with_rules = any(one.rules for one in decided.assignments[-1:])
        rule_names = names_for_rules(connection, context) if with_rules else Names({}, {}, {})
        names = names_of(
            connection,
            [touch.actor for touch in touches] + [one.actor for one in decided.assignments]
            + [one.by for one in (lead.spam.marked,) if one],
        )  # fmt: skip
    owners = dict(owner_options)
    return context.page(
        "leads/lead.html",
        lead=lead,
        lost_reason=lost_words(context, lead),
        later=max(0, sum(touch.kind in _ARRIVALS and touch.direction == "in" for touch in touches) - 1),
        called_spam=_called_spam(context, lead.spam.marked, names),
        spam=[reason_words(context, reason) for reason in lead.spam.reasons],
        headline=headline_of(context, lead),
        touches=shown_touches(context, touches, names, owners),
        fields=[(name, as_text(value)) for name, value in lead.fields.items()],
        marks=_marks(context, lead.attribution),
        why=explain(context, decided.assignments, names, rule_names),
        why_not=owner_reasons.why_not(context, other) if other is not None else "",
        events=_events(context, decided.events),
        owner_options=[(value, text) for value, text in owner_options if not lead.owner or value != str(lead.owner.id)],
        can_write=context.may("leads.write"),
        wait=mark_words(context, mark) if mark is not None else None,
        wait_words=_wait_words(context, mark, waits),
        means=MEANS,
        can_mention=context.may("mentions.write"),
        colleagues=[one for one in owner_options if one[0] != str(context.principal.owner_id)],
        undo=request.args.get("done") in ("closed", "reopened"),
        amount=_sum(context, lead),
        currency=lead.currency or of_region(context.config.region),
        can_assign=context.may("leads.assign"),
        can_return=context.may("leads.return")
        and lead.state == "open"
        and lead.owner is not None
        and (lead.owner.id == context.principal.owner_id or context.may("leads.assign")),
        return_codes=tuple(RETURN_CODES),
    )


def _wait_words(context: RequestContext, mark: Mark | None, waits: Sequence[WaitView]) -> str:
    """How long the client has waited, or waited the last time; "" where nobody counts."""
    if mark is not None:
        at = clock.relative(mark.started_at, context.now, context.config.zone, context.language)
        return context.language("deadlines.waits_since", at=at)
    last = waits[0] if waits else None
    if last is None or last.working_seconds is None:
        return ""
    key = "deadlines.answered_late" if last.breached_at else "deadlines.answered_in"
    return context.language(key, span=clock.span(last.working_seconds, context.language))


def _sum(context: RequestContext, lead: LeadView) -> str:
    """The amount with its currency, as the language writes it; "" without one."""
    if lead.amount is None:
        return ""
    return str(format_currency(lead.amount, lead.currency, locale=context.language.locale))


def _called_spam(context: RequestContext, marked: SpamMark | None, names: dict[str, str]) -> dict[str, Any] | None:
    if marked is None:
        return None
    return {"by": actor(context, marked.by, names), "at": marked.at, "why": marked.why}


def _marks(context: RequestContext, attribution: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Marks of origin that are set, first those of this visit, then those of the first: what is known in words, marks of
    advertising by their own names."""
    language, first = context.language, "first."
    shown = []
    for name, text in sorted(flat(attribution), key=lambda mark: mark[0].startswith(first)):
        if not text:
            continue
        own = name.removeprefix(first)
        words = language.code("mark", own) if language.knows("mark", own) else own.rpartition(".")[2]
        shown.append(
            (language("lead.first_visit", mark=words) if name.startswith(first) else words,
             _moment_words(context, text) if own == "at" else text)
        )  # fmt: skip
    return shown


def _moment_words(context: RequestContext, text: str) -> str:
    """RFC 3339 as a moment of the hub's zone; what a page remembered otherwise, as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return clock.exact(at, context.config.zone, context.language) if at.tzinfo else text


def _events(context: RequestContext, events: Sequence[WhyEvent]) -> list[dict[str, Any]]:
    """The events behind the lead, for those who may open them."""
    if not may(context.visitor, "events.read"):
        return []
    return [
        {
            "event": one.uid,
            "outcome": one.outcome,
            "received_at": one.received_at,
            "words": reason_of(context, one.outcome, one.reason),
        }
        for one in events
    ]
