"""Commands over leads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from door_frame import Case, Inputs, Row, in_transaction

from crm_core.leads.assignment import assign_lead
from crm_core.leads.commands import LeadChange, change_lead, undo_change
from crm_core.leads.comments import comment_on_lead
from ingest.processing.lead_spam import mark_spam, unmark_spam
from webhooks.api import leads as api
from webhooks.api.route import narrowed
from webhooks.console.shell.form_input import filters_of

_CLOSED = "UPDATE lead SET state = 'lost', lost_reason = 'too dear', closed_at = '2026-11-21T10:00:00Z' WHERE id = :lead"
_MERGED = "UPDATE lead SET state = 'closed', closed_code = 'merged', closed_at = '2026-11-21T10:00:00Z' WHERE id = :lead"
_ERASED = "UPDATE inbound_event SET erased_at = now() WHERE lead_id = :lead"
_BUSY = "UPDATE inbound_event SET state = 'waiting', outcome = NULL WHERE lead_id = :lead"
_MARKED = (
    "UPDATE lead SET state = 'closed', closed_code = 'spam', closed_at = '2026-11-21T10:00:00Z', spam = spam || '{\"marked\": {\"by\": \"hub\","
    ' "at": "2026-11-20T10:00:00Z", "why": "x", "tasks": [], "before": {"state": "open", "lost_reason": "", "closed_at": null}}}\''
    " WHERE id = :lead"
)
_ANOTHER_OPEN = (
    "INSERT INTO lead (contact_id, channel, source_id, event_id, event_seq, owner_id, received_at, last_touch_at)"
    " SELECT contact_id, channel, source_id, event_id, 1, owner_id, received_at, last_touch_at FROM lead WHERE id = :lead"
)
_LOST_BY = """
WITH lost AS (UPDATE lead SET state = 'lost', lost_reason = 'x', closed_at = '2026-11-21T10:00:00Z', version = 2 WHERE id = :lead)
INSERT INTO touch (contact_id, lead_id, kind, direction, at, actor, data) SELECT :contact, :lead, 'stage', 'internal', '2026-11-21T10:00:00Z', {by},
 '{{"changed": {{"state": {{"from": "open", "to": "lost"}}, "lost_reason": {{"from": "", "to": "x"}}}}}}'
"""
_TAKEN_OVER = "UPDATE contact SET owner_id = :boris WHERE id = :contact"


def _change(names: tuple[str, ...]) -> Any:
    return in_transaction(
        lambda connection, hub, principal, i: change_lead(
            connection, principal, int(i["lead"]), narrowed(LeadChange, filters_of(api.LeadChange, {n: i[n] for n in names if n in i})), datetime.now(UTC),
            hub.config.region,
        )
    )  # fmt: skip


def _patch(names: tuple[str, ...]) -> Any:
    return lambda i: ("PATCH", f"/leads/{i['lead']}", {name: i[name] for name in names if name in i})


def _form(i: Inputs, **fields: str) -> dict[str, Any]:
    """Fields as a form of the console has them: what is not given stands empty."""
    return {field: "" if i.get(name) is None else i[name] for field, name in fields.items()}


_CLOSE = ("version", "state", "lost_reason", "amount", "currency")
_ALL = (*_CLOSE, "stage", "title")
_VERSIONS = (
    Case("old version", {"version": 7}, "version"),
    Case("no version that ever is", {"version": 0}, "shape"),
    Case("no version", {"version": None}, "shape"),
)


def _with(inputs: Inputs, *cases: Case) -> tuple[Case, ...]:
    return tuple(Case(c.name, {**inputs, **c.inputs}, c.refused, c.role, c.before, c.doors, c.idle) for c in cases)


_UNSEEN = (
    Case("unknown", {"lead": "999999"}, "lead_unknown"),
    Case("a colleague's", {}, "lead_unknown", "other_manager"),
    Case("of a manager without an owner", {}, "lead_unknown", "stray_manager"),
)

ROWS = (
    Row(
        change_lead,
        "leads.write",
        _change(_CLOSE),
        api=_patch(_CLOSE),
        console=lambda i: (f"/leads/{i['lead']}/close", _form(i, version="version", state="state", why="lost_reason", amount="amount",
                                                             currency="currency")),
        again="version",
        cases=(
            *_with(
                {"version": 1, "state": "lost", "lost_reason": "too dear"},
                Case("lost"),
                Case("lost, own", role="manager"),
                *_UNSEEN,
                *_VERSIONS,
                Case("lost for a blank reason", {"lost_reason": "  "}, "why_missing"),
                Case("lost for no reason", {"lost_reason": ""}, "why_missing"),
                Case("lost for a reason without end", {"lost_reason": "x" * 501}, "shape"),
                Case("lost, closed by the hub before", {"lost_reason": None}, "why_missing", before=(_MERGED,)),
                Case("a state that there is not", {"state": "banana"}, "shape"),
                Case("spam", {}, "lead_is_spam", before=(_MARKED,)),
            ),
            *_with(
                {"version": 1, "state": "won"},
                Case("won"),
                Case("won for an amount", {"amount": "118000.50", "currency": "EUR"}),
                Case("won for an amount of the hub's currency", {"amount": "118000"}),
                Case("won for an unknown currency", {"amount": "1", "currency": "ZZZ"}, "currency_unknown"),
            ),
        ),
    ),
    Row(
        change_lead,
        "leads.write",
        _change(_ALL),
        api=_patch(_ALL),
        console=lambda i: (f"/leads/{i['lead']}/reopen", _form(i, version="version")),
        again="version",
        cases=(
            *_with(
                {"version": 1, "state": "open"},
                Case("open again", before=(_CLOSED,)),
                Case("open again, own", role="manager", before=(_CLOSED,)),
                Case("open already", idle=True),
                Case("old version", {"version": 7}, "version", before=(_CLOSED,)),
                Case("another is open", {}, "another_open_lead", before=(_CLOSED, _ANOTHER_OPEN)),
                Case("the client is a colleague's", {}, "client_is_anothers", "manager", before=(_CLOSED, _TAKEN_OVER)),
                Case("the client is a colleague's, but for a head", role="head", before=(_CLOSED, _TAKEN_OVER)),
                Case("spam", {}, "lead_is_spam", before=(_MARKED,)),
            ),
            *_with(
                {"version": 1},
                Case("another stage", {"stage": "qualified"}, doors=frozenset({"domain", "api"})),
                Case("a stage that there is not", {"stage": "banana"}, "stage_unknown", doors=frozenset({"domain", "api"})),
                Case("another title", {"title": "A roof and a door"}, doors=frozenset({"domain", "api"})),
                Case("nothing", idle=True, doors=frozenset({"domain", "api"})),
            ),
        ),
    ),
    Row(
        undo_change,
        "leads.write",
        in_transaction(
            lambda connection, _hub, principal, i: undo_change(connection, principal, int(i["lead"]), int(i["version"]), datetime.now(UTC))
        ),
        console=lambda i: (f"/leads/{i['lead']}/undo", _form(i, version="version")),
        again="version",
        cases=_with(
            {"version": 2},
            Case("own change", before=(_LOST_BY.format(by="(SELECT 'user:' || id FROM app_user WHERE login = 'admin@example.com')"),)),
            Case("a colleague's change", {}, "nothing_to_undo", before=(_LOST_BY.format(by="'user:999'"),)),
            Case("nothing changed yet", {"version": 1}, "nothing_to_undo"),
            Case("old version", {"version": 7}, "version"),
            Case("unknown", {"lead": "999999"}, "lead_unknown"),
            Case("a colleague's lead", {}, "lead_unknown", "other_manager"),
        ),
    ),
    Row(
        assign_lead,
        "leads.assign",
        in_transaction(
            lambda connection, _hub, principal, i: assign_lead(
                connection, principal, int(i["lead"]), i["why"], datetime.now(UTC), int(i["owner"]) if i["owner"] else None,
                version=i.get("version"),
            )
        ),
        api=lambda i: ("POST", f"/leads/{i['lead']}/assign",
                       {"owner": i["owner"] or None, "why": i["why"], "version": i.get("version")}),
        console=lambda i: (f"/leads/{i['lead']}/assign", _form(i, owner="owner", why="why", version="version")),
        again="version",
        cases=tuple(
            Case(c.name, {"version": 1, "why": "knows them", **c.inputs}, c.refused, c.role, c.before, c.doors, c.idle)
            for c in (
                Case("to a colleague", {"owner": "@boris"}),
                Case("to a colleague, by a head", {"owner": "@boris"}, role="head"),
                Case("whatever the version", {"owner": "@boris", "version": None}),
                Case("whose it is already", {"owner": "@anna"}, idle=True),
                Case("without a reason", {"owner": "@boris", "why": " "}, "why_missing"),
                Case("for a reason without end", {"owner": "@boris", "why": "x" * 1001}, "why_too_long"),
                Case("to nobody", {"owner": ""}, "owner_or_pool"),
                Case("to somebody unknown", {"owner": "999999"}, "owner_unknown"),
                Case("to somebody who has left", {"owner": "@boris"}, "owner_inactive", before=("UPDATE owner SET active = false WHERE id = :boris",)),
                Case("old version", {"owner": "@boris", "version": 7}, "version"),
                Case("unknown", {"owner": "@boris", "lead": "999999"}, "lead_unknown"),
            )
        ),
    ),
    Row(
        assign_lead,
        "leads.assign",
        in_transaction(
            lambda connection, _hub, principal, i: assign_lead(
                connection, principal, int(i["lead"]), i["why"], datetime.now(UTC), pool_id=int(i["pool"]), version=i.get("version")
            )
        ),
        api=lambda i: ("POST", f"/leads/{i['lead']}/assign", {"pool": i["pool"], "why": i["why"], "version": i.get("version")}),
        again="version",
        cases=_with(
            {"why": "whoever is there", "version": 1},
            Case("to a pool"),
            Case("to a pool unknown", {"pool": "999999"}, "pool_unknown"),
            Case("to a pool of nobody: to whoever is on duty", {"pool": "@spare_pool"}),
            Case("to a pool of nobody, and nobody on duty", {"pool": "@spare_pool"}, "nobody_eligible",
                 before=("UPDATE owner SET duty = false",)),
        ),
    ),
    Row(
        comment_on_lead,
        "leads.write",
        in_transaction(
            lambda connection, _hub, principal, i: comment_on_lead(connection, principal, int(i["lead"]), i["text"], datetime.now(UTC))
        ),
        console=lambda i: (f"/leads/{i['lead']}/comment", {"text": i["text"]}),
        again="more",
        cases=_with(
            {"text": "They want the red one."},
            Case("some words"),
            Case("some words on an own one", role="manager"),
            Case("no words", {"text": " \n "}, "comment_length"),
            Case("too many words", {"text": "x" * 10_001}, "comment_length"),
            *_UNSEEN,
        ),
    ),
    Row(
        mark_spam,
        "leads.write",
        in_transaction(
            lambda connection, _hub, principal, i: mark_spam(
                connection, principal, int(i["lead"]), i["why"], datetime.now(UTC), i.get("version")
            )
        ),
        api=lambda i: ("POST", f"/leads/{i['lead']}/spam", {"why": i["why"], "version": i.get("version")}),
        console=lambda i: (f"/leads/{i['lead']}/spam", {**_form(i, why="why", version="version"), "sure": "yes"}),
        again="idle",
        cases=_with(
            {"version": 1, "why": "sells links"},
            Case("spam"),
            Case("spam, own", role="manager"),
            Case("whatever the version", {"version": None}),
            Case("without a reason", {"why": " "}, "why_missing"),
            Case("for a reason without end", {"why": "x" * 1001}, "why_too_long"),
            Case("old version", {"version": 7}, "version"),
            Case("won", {}, "lead_won", before=("UPDATE lead SET state = 'won', closed_at = '2026-11-21T10:00:00Z' WHERE id = :lead",)),
            Case("erased", {}, "lead_erased", before=(_ERASED,)),
            Case("being read again", {}, "event_on_its_way", before=(_BUSY,)),
            *_UNSEEN,
        ),
    ),
    Row(
        unmark_spam,
        "leads.write",
        in_transaction(
            lambda connection, _hub, principal, i: unmark_spam(
                connection, principal, int(i["lead"]), i["why"], datetime.now(UTC), i.get("version")
            )
        ),
        api=lambda i: ("POST", f"/leads/{i['lead']}/not-spam", {"why": i["why"], "version": i.get("version")}),
        console=lambda i: (f"/leads/{i['lead']}/not-spam", _form(i, why="why", version="version")),
        again="idle",
        cases=_with(
            {"version": 1, "why": "a mistake"},
            Case("genuine", before=(_MARKED,)),
            Case("genuine, for no reason", {"why": ""}, before=(_MARKED,)),
            Case("genuine, own", role="manager", before=(_MARKED,)),
            Case("was never called spam", idle=True),
            Case("old version", {"version": 7}, "version", before=(_MARKED,)),
            Case("for a reason without end", {"why": "x" * 1001}, "why_too_long", before=(_MARKED,)),
            Case("the client is a colleague's", {}, "client_is_anothers", "manager", before=(_MARKED, _TAKEN_OVER)),
            Case("another is open by now", before=(_MARKED, _ANOTHER_OPEN)),
            Case("erased", {}, "lead_erased", before=(_MARKED, _ERASED)),
            *_UNSEEN,
        ),
    ),
)  # fmt: skip
