"""The look at waits that something is due of. It reads what happened and does what the rules say; what somebody else did meanwhile
it finds under the lead's lock.

A look takes its rows under a lease and commits that; then each row on which something is to be done has a transaction of its own.
Two workers take different rows, a killed one leaves its rows to the next look, and a second look at the same row finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from psycopg import errors
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.database import dict_cursor
from crm_core.base.log import get_logger
from crm_core.base.paging import AnyRow
from crm_core.base.working_time import Calendar
from crm_core.batch.rows import Cursor, update_rows
from crm_core.deadlines.facts import LeadFacts, had_it, heads, read_facts, read_policies
from crm_core.deadlines.rules import (
    Contact,
    Policy,
    Standing,
    Step,
    Times,
    Wait,
    after,
    choose,
    due_steps,
    lasted,
    look_again,
    times,
    waits,
)
from crm_core.leads.assignment import give_to, pick_from
from crm_core.leads.locking import hold_lead
from crm_core.notifications.commands import notify
from crm_core.people.availability import Availability, calendar_of, load_availability

BREACHED = history.Action("lead.breach", touch="task")
ESCALATED = history.Action("lead.escalate", touch="task")
TAKEN = history.Action("lead.take_away", touch="assignment")

#: What one look takes at most.
AT_ONCE: Final = 100
#: Whoever took rows and does not come back has lost them by then.
LEASE: Final = timedelta(seconds=30)
#: How far back leads are looked for that came while a process did not know yet that there are deadlines.
_MISSED: Final = timedelta(minutes=15)
_OPEN_AGAIN: Final = "state = 'ended' AND ended_code NOT IN ('no_policy', 'superseded')"

#: A wait that is open already began with whichever inquiry was received first, unless it is late.
JOIN_OPEN: Final = (
    "ON CONFLICT (lead_id) WHERE state = 'open' DO UPDATE SET look_at = excluded.look_at, started_at = CASE WHEN deadline.breached_at"
    " IS NULL AND NOT deadline.restarted THEN least(deadline.started_at, excluded.started_at) ELSE deadline.started_at END"
)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one look did."""

    looked: int = 0
    acted: int = 0


@dataclass(frozen=True, slots=True)
class _World:
    """Who works when, and which policies count."""

    policies: Mapping[int, Policy]
    owners: Mapping[int, Availability]
    hub: Calendar | None  # by which counts what nobody has

    def calendar(self, owner_id: int | None) -> Calendar | None:
        owner = self.owners.get(owner_id or 0)
        return self.hub if owner is None else owner.calendar

    def duty(self) -> list[int]:
        return [one.id for one in self.owners.values() if one.duty and one.active]

    def since(self) -> datetime | None:
        """When the first of them was made: what was received before has no deadline."""
        return min((one.since for one in self.policies.values() if one.since is not None), default=None)


def look_at_due(engine: Engine, principal: Principal, now: datetime, most: int = AT_ONCE) -> Swept:
    """Looks at what is due at `now`, the longest due first. Where the hub has no deadlines, nothing is asked but whether it has.
    Raises Forbidden."""
    demand(principal, "leads.assign")
    with engine.begin() as connection, dict_cursor(connection) as cursor:
        if not _is_used(cursor):
            return Swept()
        _take_up_missed(cursor, now)
        _open_again(cursor, now)
        rows = _claim(cursor, now, most)
    if not rows:
        return Swept()
    with engine.begin() as connection, dict_cursor(connection) as cursor:
        world = _read_world(cursor, now)
        facts = read_facts(cursor, {row["lead_id"]: row["started_at"] for row in rows})
        answered = _answered_before(cursor, rows)
        looks = [_look(row, facts[row["lead_id"]], answered.get(row["id"]), world, now) for row in rows]
        _keep_times(cursor, [one for one in looks if not one.acts], now)
    acted = 0
    for one in looks:
        if one.acts:
            try:
                with engine.begin() as connection:
                    acted += _act(connection, principal, one.row["id"], one.row["lead_id"], world, now)
            except OperationalError as error:
                if not isinstance(error.orig, errors.LockNotAvailable | errors.DeadlockDetected | errors.SerializationFailure):
                    raise
                # Somebody is busy with this client; its lease ends soon.
                _log.info("deadline_lead_busy", lead=one.row["lead_id"], error=type(error.orig).__name__)
    return Swept(len(looks), acted)


def _is_used(cursor: Cursor) -> bool:
    row = cursor.execute(
        "SELECT EXISTS (SELECT 1 FROM deadline_policy WHERE removed_at IS NULL) OR EXISTS (SELECT 1 FROM deadline WHERE state = 'open')"
        " AS is_used"
    ).fetchone()
    return bool(row and row["is_used"])


def _take_up_missed(cursor: Cursor, now: datetime) -> None:
    """Leads of the last minutes whose worker did not know yet that there are deadlines: of the version before, or with settings of
    a moment ago."""
    cursor.execute(
        "INSERT INTO deadline (lead_id, started_at, look_at) SELECT l.id, l.received_at, %s FROM lead l"
        " WHERE l.received_at > greatest(CAST(%s AS timestamptz), (SELECT min(created_at) FROM deadline_policy WHERE removed_at IS NULL))"
        " AND l.received_at <= %s AND l.state = 'open' AND NOT EXISTS (SELECT 1 FROM deadline d WHERE d.lead_id = l.id)"
        " ON CONFLICT DO NOTHING",
        (now, now - _MISSED, now),
    )


def _open_again(cursor: Cursor, now: datetime) -> None:
    """Waits whose lead had closed without an answer and is open again. After a merge that was undone they go on as if there had been
    none; after anything else the clock begins anew, unless it was late already.
    Who closed more than a month ago waits from their next inquiry on."""
    cursor.execute(
        "UPDATE deadline d SET state = 'open', ended_at = NULL, ended_code = '', look_at = %(now)s, held_since = %(now)s,"
        "  restarted = d.restarted OR (d.ended_code <> 'merged' AND d.breached_at IS NULL),"
        "  started_at = CASE WHEN d.ended_code <> 'merged' AND d.breached_at IS NULL THEN %(now)s ELSE d.started_at END"
        "  FROM lead l WHERE l.id = d.lead_id AND l.state = 'open' AND d.id IN"
        f"   (SELECT DISTINCT ON (x.lead_id) x.id FROM deadline x JOIN lead y ON y.id = x.lead_id WHERE x.{_OPEN_AGAIN} AND y.state = 'open'"
        "     AND x.ended_at > %(now)s - interval '31 days'"
        "     AND NOT EXISTS (SELECT 1 FROM deadline z WHERE z.lead_id = x.lead_id AND z.id > x.id)"
        "     ORDER BY x.lead_id, x.id DESC LIMIT 1000)",
        {"now": now},
    )


def _claim(cursor: Cursor, now: datetime, most: int) -> list[dict[str, Any]]:
    return cursor.execute(
        "UPDATE deadline SET look_at = %s WHERE id IN (SELECT id FROM deadline WHERE state = 'open' AND look_at <= %s"
        " ORDER BY look_at, id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING *",
        (now + LEASE, now, most),
    ).fetchall()


def _read_world(cursor: Cursor, now: datetime) -> _World:
    owners = load_availability(cursor, now)
    row = cursor.execute(
        "SELECT c.zone, c.country, c.week, (SELECT coalesce(json_agg(json_build_array(x.day, x.kind, x.hours)), '[]') FROM"
        "  (SELECT DISTINCT ON (s.day) s.day, s.kind, s.hours FROM calendar_day s WHERE s.calendar_id = c.id OR s.calendar_id IS NULL"
        "   ORDER BY s.day, s.calendar_id NULLS LAST) x) AS days FROM calendar c WHERE c.is_default"
    ).fetchone()
    return _World({one.id: one for one in read_policies(cursor)}, owners, calendar_of(row) if row else None)


def _answered_before(cursor: Cursor, rows: Sequence[Mapping[str, Any]]) -> dict[int, datetime]:
    """When the wait before each was answered: inquiries until then were answered with it."""
    found = cursor.execute(
        "SELECT d.id, max(b.answered_at) AS at FROM deadline d JOIN deadline b ON b.lead_id = d.lead_id AND b.state = 'answered'"
        " AND b.id <> d.id WHERE d.id = ANY(%s) GROUP BY d.id",
        ([row["id"] for row in rows],),
    ).fetchall()
    return {row["id"]: row["at"] for row in found}


@dataclass(frozen=True, slots=True)
class _Look:
    """What is found of one wait, and what is to be done about it."""

    row: Mapping[str, Any]
    facts: LeadFacts
    policy: Policy | None = None
    standing: Standing | None = None
    at: Times | None = None
    held_since: datetime | None = None
    steps: Sequence[Step] = ()
    answer: Contact | None = None
    later: Sequence[Wait] = ()  # waits that began after the answer
    ended: str = ""  # why nobody waits any more

    @property
    def acts(self) -> bool:
        return bool(self.steps or self.answer or self.ended)


def _look(row: Mapping[str, Any], facts: LeadFacts, answered_before: datetime | None, world: _World, now: datetime) -> _Look:
    started: datetime = row["started_at"]
    is_fixed = row["restarted"] or row["breached_at"] is not None
    asked = [at for at in facts.inquiries if at > started or (at == started and not is_fixed)]
    asked = [at for at in asked if answered_before is None or at > answered_before]
    if is_fixed:
        asked.append(started)
    # Also a contact of after this look began: it is known, so whoever made it was first.
    found = waits(asked, facts.contacts)
    if not found:  # what came was no inquiry, or was answered before it was taken in
        return _Look(row, facts, ended="superseded")
    wait, later = found[0], found[1:]
    if facts.state != "open" and wait.answer is None:
        return _Look(row, facts, ended=facts.closed_code or facts.state)
    policy = _policy_of(row, facts, wait, world)
    if policy is None:
        return _Look(row, facts, ended="no_policy")
    standing = Standing(
        wait.started_at, row["warned_at"], row["due_at"], row["breached_at"], row["escalated_at"], row["gave_up_at"], row["hops"]
    )
    held = _held_since(row, facts, now)
    at = times(policy, world.calendar(facts.owner_id), standing, held)
    if wait.answer is not None:
        return _Look(row, facts, policy, standing, at, held, answer=wait.answer, later=later)
    return _Look(row, facts, policy, standing, at, held, due_steps(policy, standing, at, now))


def _policy_of(row: Mapping[str, Any], facts: LeadFacts, wait: Wait, world: _World) -> Policy | None:
    """What counted when it became late counts as long as there is it; until then the one that fits the lead now."""
    if row["policy_id"] is None:
        since = world.since()
        if since is None or wait.started_at < since:
            return None
    kept = world.policies.get(row["policy_id"] or 0)
    if kept is not None and row["breached_at"] is not None:
        return kept
    return choose(world.policies.values(), facts.source_id, facts.pool_id)


def _held_since(row: Mapping[str, Any], facts: LeadFacts, now: datetime) -> datetime | None:
    """Since when the present owner has the lead; whose it became by no decision that is on record has it since now."""
    if facts.owner_id is None:
        return None
    known: list[datetime] = [
        one for one in (facts.assigned_at, row["held_since"] if row["owner_id"] == facts.owner_id else None) if one is not None
    ]
    return max(known, default=now)


def _columns(look: _Look, standing: Standing, now: datetime) -> dict[str, Any]:
    assert look.policy is not None
    assert look.at is not None
    return {
        "policy_id": look.policy.id, "started_at": standing.started_at, "owner_id": look.facts.owner_id,
        "held_since": look.held_since, "warn_at": look.at.warn_at, "due_at": look.at.due_at, "escalate_at": look.at.escalate_at,
        "reassign_at": look.at.reassign_at, "look_at": look_again(standing, look.at, now),
    }  # fmt: skip


def _keep_times(cursor: Cursor, looks: Sequence[_Look], now: datetime) -> None:
    """Where nothing is to be done but to know when. Whoever touched a row since it was taken has set its lease aside, and it is
    left alone."""
    rows = [{"id": one.row["id"], **_columns(one, one.standing, now)} for one in looks if one.standing is not None]
    if not rows:
        return
    sets = ", ".join(f"{name} = k.{name}" for name in rows[0] if name != "id")
    cursor.execute(
        f"UPDATE deadline d SET {sets} FROM json_populate_recordset(NULL::deadline, %s) k"
        " WHERE d.id = k.id AND d.state = 'open' AND d.look_at = %s",
        (orjson.dumps(rows).decode(), now + LEASE),
    )


def _act(connection: Connection, principal: Principal, deadline_id: int, lead_id: int, world: _World, now: datetime) -> bool:
    """Does what is due of one wait, as it is under the locks of its client and its lead: whoever reached the client a moment
    before has won, and nothing is taken from them. False where nothing is left to do."""
    lead = hold_lead(connection, principal, lead_id, None)
    with dict_cursor(connection) as cursor:
        row = cursor.execute("SELECT * FROM deadline WHERE id = %s AND state = 'open' FOR UPDATE", (deadline_id,)).fetchone()
        if row is None:
            return False
        facts = read_facts(cursor, {lead_id: row["started_at"]})[lead_id]
        look = _look(row, facts, _answered_before(cursor, [row]).get(deadline_id), world, now)
        if look.ended:
            _end(cursor, look, now)
        elif look.answer is not None:
            _answered(cursor, look, look.answer, world, now)
        else:
            _Doing(connection, cursor, principal, lead, look, world, now).all()
    return look.acts


def _end(cursor: Cursor, look: _Look, now: datetime) -> None:
    """Nobody waits any more. Of a lead that was folded into another the wait goes on there."""
    row = look.row
    if look.ended == "superseded" and row["warned_at"] is None and row["breached_at"] is None:
        cursor.execute("DELETE FROM deadline WHERE id = %s", (row["id"],))
        return
    cursor.execute(
        "UPDATE deadline SET state = 'ended', ended_code = %s, ended_at = %s WHERE id = %s", (look.ended, now, row["id"])
    )
    if look.ended == "merged":
        cursor.execute(
            f"INSERT INTO deadline (lead_id, started_at, look_at) SELECT id, %s, %s FROM lead WHERE contact_id = %s AND line = %s"
            f" AND state = 'open' {JOIN_OPEN}",
            (row["started_at"], now, look.facts.contact_id, look.facts.line),
        )


def _answered(cursor: Cursor, look: _Look, answer: Contact, world: _World, now: datetime) -> None:
    """The wait is over, and one that began after the answer begins. Late is late, also where nobody had looked in time."""
    assert look.policy is not None
    assert look.standing is not None
    assert look.at is not None
    calendar = world.calendar(look.facts.owner_id)
    own = _columns(look, look.standing, now) | _answer(
        look.standing.started_at, answer, look.at.due_at, look.facts.owner_id, calendar
    )
    if look.row["breached_at"] is not None:
        own |= {"breached_at": look.row["breached_at"], "breached_owner_id": look.row["breached_owner_id"]}
    update_rows(cursor, "deadline", [{"id": look.row["id"], **own}])
    for wait in look.later:
        made: dict[str, Any] = {"lead_id": look.facts.id, "started_at": wait.started_at, "look_at": now}
        if wait.answer is not None:
            due = after(calendar, wait.started_at, look.policy.breach)
            made |= {"policy_id": look.policy.id, "due_at": due, "owner_id": look.facts.owner_id}
            made |= _answer(wait.started_at, wait.answer, due, look.facts.owner_id, calendar)
        columns = ", ".join(made)
        cursor.execute(
            f"INSERT INTO deadline ({columns}) SELECT {columns} FROM json_populate_record(NULL::deadline, %s)"
            " ON CONFLICT DO NOTHING",
            (orjson.dumps({"hops": 0, **made}).decode(),),
        )


def _answer(started: datetime, answer: Contact, due: datetime, owner_id: int | None, calendar: Calendar | None) -> dict[str, Any]:
    is_late = answer.at > due
    return {
        "state": "answered", "answered_at": answer.at, "answered_by": answer.by, "answer": answer.how,
        "working_seconds": lasted(calendar, started, answer.at).total_seconds(),
        "breached_at": due if is_late else None, "breached_owner_id": owner_id if is_late else None,
    }  # fmt: skip


class _Doing:
    """The steps of one wait that are due, in one transaction."""

    def __init__(
        self, connection: Connection, cursor: Cursor, principal: Principal, lead: AnyRow, look: _Look, world: _World, now: datetime
    ) -> None:  # fmt: skip
        assert look.policy is not None
        assert look.standing is not None
        assert look.at is not None
        self.connection, self.cursor, self.principal, self.lead, self.world, self.now = (
            connection,
            cursor,
            principal,
            lead,
            world,
            now,
        )
        self.look, self.policy, self.standing, self.at = look, look.policy, look.standing, look.at
        self.changes: dict[str, Any] = {}

    def all(self) -> None:
        for step in self.look.steps:
            getattr(self, f"_{step}")()
        standing = replace(self.standing, **{name: value for name, value in self.changes.items() if name in _OF_STANDING})
        held = self.changes.get("held_since", self.look.held_since)
        owner_id = self.changes.get("owner_id", self.look.facts.owner_id)
        at = times(self.policy, self.world.calendar(owner_id), standing, held)
        columns = _columns(replace(self.look, at=at), standing, self.now)
        update_rows(self.cursor, "deadline", [{"id": self.look.row["id"], **columns, **self.changes}])

    def _warn(self) -> None:
        self.changes["warned_at"] = self.now
        self._tell("deadline_warned", self._concerned())

    def _breach(self) -> None:
        self.changes |= {"breached_at": self.now, "breached_owner_id": self.lead.owner_id, "due_at": self.at.due_at}
        self._tell("deadline_breached", self._concerned())
        self._record(BREACHED, "breached")

    def _escalate(self) -> None:
        self.changes["escalated_at"] = self.now
        self._tell("escalated", heads(self.cursor, self.policy.head_id))
        self._record(ESCALATED, "escalated")

    def _reassign(self) -> None:
        """The pool picks somebody who never had it; where there is nobody left, the head decides."""
        had = had_it(self.cursor, self.lead.id)
        decision = pick_from(self.connection, self.lead.pool_id, self.lead.contact_id, without=had)
        if decision.owner_id is None and decision.kind != "tray":
            self._head()
            return
        trace = {**decision.trace, "code": "deadline_missed", "picked_by": decision.trace["code"]}
        self._give(decision.owner_id, decision.pool_id, decision.kind, trace)
        if decision.trace["code"] == "told_to_all":
            self._tell(
                "lead_to_take", [int(one["owner"]) for one in decision.trace["candidates"] if one["verdict"] == "eligible"]
            )

    def _head(self) -> None:
        """Theirs from now on, unless they have it already, or had it."""
        self.changes["gave_up_at"] = self.now
        had = had_it(self.cursor, self.lead.id)
        wanted = heads(self.cursor, self.policy.head_id)
        head = next((one for one in wanted if one not in had and self.world.owners[one].absent_until is None), None)
        if head is None:
            self._tell("escalated", [one for one in wanted if one != self.lead.owner_id])
            return
        step = {"rule": "head", "owner": str(head), "name": self.world.owners[head].name, "verdict": "chosen"}
        self._give(head, self.lead.pool_id, "head", {"code": "deadline_to_head", "steps": [step]})

    def _give(self, owner_id: int | None, pool_id: int | None, kind: str, trace: dict[str, Any]) -> None:
        hop = self.standing.hops + 1
        before = self.world.owners.get(self.lead.owner_id)
        trace |= {"by": self.principal.actor, "before": str(self.lead.owner_id), "before_name": before.name if before else "",
                  "hop": hop, "since": self.standing.started_at.isoformat(timespec="seconds")}  # fmt: skip
        give_to(self.connection, self.principal, TAKEN, self.lead, owner_id, pool_id, kind, trace, self.now)
        self.changes |= {"hops": hop, "owner_id": owner_id, "held_since": self.now if owner_id is not None else None}

    def _concerned(self) -> Sequence[int]:
        """Who has it; where nobody has, whoever is on duty, else the head."""
        if self.lead.owner_id is not None:
            return [self.lead.owner_id]
        return self.world.duty() or heads(self.cursor, self.policy.head_id)

    def _tell(self, kind: str, owner_ids: Sequence[int]) -> None:
        notify(self.connection, kind, owner_ids, self.lead.id, self.now)

    def _record(self, action: history.Action, what: str) -> None:
        owner = None if self.lead.owner_id is None else str(self.lead.owner_id)
        told = {"owner": owner, "since": self.standing.started_at.isoformat(timespec="seconds")}
        touch = history.Touch(self.lead.contact_id, self.now, lead_id=self.lead.id, data={"deadline": what, **told})
        history.record(self.connection, self.principal, action, self.lead.id, told, touch)


_OF_STANDING: Final = frozenset({"warned_at", "due_at", "breached_at", "escalated_at", "gave_up_at", "hops"})
