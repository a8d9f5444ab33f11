"""Commands over deadlines: how soon, and that a client was reached."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from door_frame import Case, Inputs, Row, in_transaction

from crm_core.deadlines import commands

_EVERY = (
    "INSERT INTO deadline_policy (id, breach_minutes, created_at) OVERRIDING SYSTEM VALUE VALUES (71, 15, '2026-11-01T00:00:00Z')"
)
_OF_SOURCE = (
    "INSERT INTO deadline_policy (id, breach_minutes, source_id, created_at) OVERRIDING SYSTEM VALUE"
    " VALUES (72, 15, :source, '2026-11-01T00:00:00Z')"
)
_WAITS = (
    "INSERT INTO deadline (id, lead_id, policy_id, started_at, look_at, due_at) OVERRIDING SYSTEM VALUE"
    " VALUES (81, :lead, 71, '2026-11-20T10:00:00Z', '2026-11-20T10:00:00Z', '2026-11-20T10:15:00Z')"
)
_CLOSED = "UPDATE lead SET state = 'lost', lost_reason = 'x', closed_at = '2026-11-21T10:00:00Z' WHERE id = :lead"
_GONE = "UPDATE owner SET active = false WHERE id = :boris"
_UNKNOWN = Case("unknown", {"deadline": 999999, "breach": 20.0}, "deadline_unknown")
_STEPS = ("warn", "breach", "escalate", "reassign")
_CALLED = {"means": "call", "text": "They want two"}


def _values(i: Inputs) -> dict[str, Any]:
    told: dict[str, Any] = {f"{name}_minutes": i[name] for name in _STEPS if name in i}
    told |= {"max_hops": i["hops"]} if "hops" in i else {}
    return told | {f"{name}_id": int(i[f"of_{name}"]) for name in ("source", "pool", "head") if f"of_{name}" in i}


def _body(i: Inputs) -> dict[str, Any]:
    told: dict[str, Any] = {f"{name}_minutes": i[name] for name in _STEPS if name in i}
    told |= {"max_hops": i["hops"]} if "hops" in i else {}
    return told | {name: str(i[f"of_{name}"]) for name in ("source", "pool", "head") if f"of_{name}" in i}


def _options(i: Inputs) -> list[str]:
    told = [word for name in (*_STEPS, "hops") if name in i for word in (f"--{name}", str(i[name]))]
    return told + [
        word for name in ("source", "pool", "head") if f"of_{name}" in i for word in (f"--{name}", str(i[f"of_{name}"]))
    ]


def _fields(i: Inputs) -> dict[str, str]:
    """As the page's form sends it: every field, an empty one says nothing."""
    told = {name: "" if i.get(name) is None else f"{i[name]:g}" for name in _STEPS}
    told["hops"] = str(i.get("hops", 3))
    return told | {name: str(i.get(f"of_{name}", "")) for name in ("source", "pool", "head")}


ROWS = (
    Row(
        commands.add_policy,
        "deadlines.write",
        in_transaction(lambda connection, _hub, principal, i: commands.add_policy(connection, principal, **_values(i))),
        api=lambda i: ("POST", "/deadlines", _body(i)),
        console=lambda i: ("/deadlines", _fields(i)),
        cli=lambda i: ("deadline", "add", *_options(i)),
        again="deadline_taken",
        cases=(
            Case("of everything", {"breach": 15.0}),
            Case("every step, of one source, by a head", {"warn": 10.0, "breach": 15.0, "escalate": 20.0, "reassign": 30.0, "hops": 2,
                                                          "of_source": "@source", "of_head": "@boris"}, role="head"),
            Case("beside the general one", {"breach": 5.0, "of_pool": "@pool"}, before=(_EVERY,)),
            Case("one that is taken", {"breach": 5.0}, "deadline_taken", before=(_EVERY,)),
            Case("a warning that comes too late", {"warn": 15.0, "breach": 15.0}, "warn_after_breach"),
            Case("taken away before it is late", {"breach": 15.0, "reassign": 5.0}, "step_before_breach"),
            Case("no time at all", {"breach": 0.0}, "minutes_out_of_range"),
            Case("round and round", {"breach": 15.0, "hops": 99}, "hops_out_of_range"),
            Case("a source that is none", {"breach": 15.0, "of_source": 999999}, "source_unknown"),
            Case("a pool that is none", {"breach": 15.0, "of_pool": 999999}, "pool_unknown"),
            Case("a head that is nobody", {"breach": 15.0, "of_head": 999999}, "owner_unknown"),
            Case("a head who left", {"breach": 15.0, "of_head": "@boris"}, "owner_inactive", before=(_GONE,)),
        ),
    ),
    Row(
        commands.change_policy,
        "deadlines.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.change_policy(connection, principal, i.get("deadline", 71), _values(i))
        ),
        api=lambda i: ("PATCH", f"/deadlines/{i.get('deadline', 71)}", _body(i)),
        console=lambda i: (f"/deadlines/{i.get('deadline', 71)}", _fields(i)),
        cli=lambda i: ("deadline", "change", str(i.get("deadline", 71)), *_options(i)),
        again="idle",
        cases=(
            Case("sooner, with somebody who waits", {"breach": 5.0}, before=(_EVERY, _WAITS)),
            Case("every step", {"warn": 10.0, "breach": 15.0, "escalate": 20.0, "reassign": 30.0, "hops": 2, "of_head": "@anna"},
                 before=(_EVERY,)),
            Case("nothing else than it was", {"breach": 15.0}, before=(_EVERY,), idle=True),
            Case("onto another's place", {"breach": 15.0, "of_source": "@source"}, "deadline_taken", before=(_EVERY, _OF_SOURCE),
                 doors=frozenset({"domain", "api", "console"})),
            Case("a step before it is late", {"breach": 15.0, "escalate": 5.0}, "step_before_breach", before=(_EVERY,)),
            _UNKNOWN,
        ),
    ),
    Row(
        commands.remove_policy,
        "deadlines.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.remove_policy(connection, principal, i.get("deadline", 71), datetime.now(UTC))
        ),
        api=lambda i: ("DELETE", f"/deadlines/{i.get('deadline', 71)}", None),
        console=lambda i: (f"/deadlines/{i.get('deadline', 71)}/remove", {}),
        cli=lambda i: ("deadline", "remove", str(i.get("deadline", 71))),
        again="deadline_unknown",
        cases=(Case("with somebody who waits", before=(_EVERY, _WAITS)), _UNKNOWN),
    ),
    Row(
        commands.mark_reached,
        "leads.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.mark_reached(
                connection, principal, int(i["lead"]), i["means"], datetime.now(UTC), i["text"]
            )
        ),
        api=lambda i: ("POST", f"/leads/{i['lead']}/reached", {"means": i["means"], "text": i["text"]}),
        console=lambda i: (f"/leads/{i['lead']}/reached", {"means": i["means"], "text": i["text"]}),
        again="more",
        cases=(
            Case("by whoever has it", _CALLED, role="manager", before=(_EVERY, _WAITS)),
            Case("without words, where nobody counts", {**_CALLED, "text": ""}),
            Case("in a way that there is not", {**_CALLED, "means": "banana"}, "means_unknown", doors=frozenset({"domain", "console"})),
            Case("with a book", {**_CALLED, "text": "x" * 10_001}, "comment_length"),
            Case("a closed one", _CALLED, "lead_closed", before=(_CLOSED,)),
            Case("a colleague's", _CALLED, "lead_unknown", "other_manager"),
            Case("unknown", {**_CALLED, "lead": "999999"}, "lead_unknown"),
        ),
    ),
)  # fmt: skip
