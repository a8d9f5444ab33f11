"""Brings the call-back tasks of the callers of a batch in line with all their calls (`crm_core.calls.call_backs`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from crm_core.batch.rows import Cursor
from crm_core.batch.state import CallBackState, CallState, Snapshot
from crm_core.calls.call_backs import CallBackCase, HandClosing, HeardCall, cases_of, heard

#: How soon a missed caller should be called back.
CALL_BACK_WITHIN = timedelta(minutes=15)
#: A call that is told later than this changes no task any more; it is in the history all the same.
_LOOK_BACK = timedelta(days=30)
_MOST_CALLS = 1_000  # of one caller in that time; a number with more is a robot's, and its newest calls decide

#: What tasks call themselves that a talk has ended; all others that are not open were closed by a person.
_GOT_THROUGH = "got_through"


def read_callers(cursor: Cursor, snapshot: Snapshot, phones: Iterable[str], now: datetime) -> None:
    """All calls of these callers that are over. Under their locks, so that nobody else is deciding about them."""
    cursor.execute(
        "SELECT k.phone, c.id, c.source_id, c.call_key, c.outcome, c.direction, c.started_at, c.answered_at, c.ended_at, c.extension, c.owner_id,"
        "       r.root_id AS contact_id, c.lead_id, l.owner_id AS lead_owner_id"
        "  FROM unnest(%s::text[]) AS k(phone)"
        " CROSS JOIN LATERAL (SELECT * FROM call WHERE remote = k.phone AND outcome IS NOT NULL AND started_at > %s"
        "                      ORDER BY started_at DESC LIMIT %s) c"
        "  LEFT JOIN contact r ON r.id = c.contact_id LEFT JOIN lead l ON l.id = c.lead_id",
        (list(phones), now - _LOOK_BACK, _MOST_CALLS),
    )
    for row in cursor.fetchall():
        snapshot.calls_of_callers.setdefault(row["phone"], []).append(row)


def resolve_call_backs(snapshot: Snapshot, now: datetime) -> None:
    """Derives the tasks of every caller of whom this batch heard something that is over."""
    for phone in snapshot.callers:
        tasks = sorted(snapshot.call_backs.get(phone, ()), key=lambda task: (task.opened_at, task.id or 0))
        since = now - _LOOK_BACK
        # A task that began earlier and went on into the time that is looked at belongs to it, or is settled for good.
        straddling = [task for task in tasks if task.opened_at <= since]
        if any(task.state == "open" for task in straddling):
            continue  # so old that some of its calls are not looked at any more: a person will close it
        since = max((task.closed_at or since for task in straddling), default=since)
        tasks = [task for task in tasks if task not in straddling]
        calls = [call for call in _heard_of(snapshot, phone) if call.at > since]
        by_hand = [task for task in tasks if _is_closed_by_hand(task)]
        cases = cases_of(calls, [HandClosing(task, task.closed_at or now) for task in by_hand])
        _bring_in_line(snapshot, phone, tasks, cases, calls)


def open_task(snapshot: Snapshot, phone: str) -> CallBackState | None:
    return next((task for task in snapshot.call_backs.get(phone, ()) if task.state == "open"), None)


def _heard_of(snapshot: Snapshot, phone: str) -> list[HeardCall]:
    """The caller's calls as they stand now: those of this batch instead of their rows."""
    mine = [call for call in snapshot.calls.values() if call.phone == phone and call.view is not None]
    changed = {call.id for call in mine}
    found = [
        heard(row, f"{row['source_id']}:{row['call_key']}", row["outcome"], row["direction"], row["started_at"],
              row["answered_at"], row["ended_at"], row["extension"])
        for row in snapshot.calls_of_callers.get(phone, ())
        if row["id"] not in changed
    ]  # fmt: skip
    found += [
        heard(call, f"{call.source_id}:{call.call_key}", call.outcome, call.view.direction, call.view.started_at, call.view.answered_at, call.view.ended_at,
              call.view.extension)
        for call in mine
    ]  # fmt: skip
    return [one for one in found if one is not None]


def _is_closed_by_hand(task: CallBackState) -> bool:
    return task.state != "open" and task.result.get("code") != _GOT_THROUGH


def _bring_in_line(
    snapshot: Snapshot, phone: str, tasks: list[CallBackState], cases: list[CallBackCase], calls: list[HeardCall]
) -> None:
    """Each case gets a task, those that exist first. A task is left over if its call turned out to be answered, which
    makes it done; or if its call turned out to have been earlier and belongs to another case, and then there never was one.
    """
    waiting = []
    for case in cases:
        if case.closed_by_hand is not None:
            task = case.closed_by_hand.task
            if (task.missed, task.tried) != (case.missed, case.tried):
                task.missed, task.tried, task.changed = case.missed, case.tried, True
        else:
            waiting.append(case)
    free = [task for task in tasks if not _is_closed_by_hand(task)]
    for case in waiting:
        known = next((task for task in free if _call_id(task.call) == _call_id(case.first.call)), free[0] if free else None)
        if known is not None:
            free.remove(known)
        else:
            known = _new_task(snapshot, phone, case)
        _show(known, case)
    for task in free:
        talk = next((call for call in calls if _call_id(call.call) == _call_id(task.call) and call.kind == "talked"), None)
        if talk is not None:
            _close(task, talk, 0)
        else:
            snapshot.needless_call_backs.append(task)


def _new_task(snapshot: Snapshot, phone: str, case: CallBackCase) -> CallBackState:
    task = CallBackState(
        None, phone, None, None, None, None, phone, case.first.at + CALL_BACK_WITHIN, case.first.at, created=True
    )
    snapshot.call_backs.setdefault(phone, []).append(task)
    snapshot.new_call_backs.append(task)
    return task


def _show(task: CallBackState, case: CallBackCase) -> None:
    """Writes the case into its task."""
    if task.created or _call_id(task.call) != _call_id(case.first.call):
        first = case.first.call
        task.call = first if isinstance(first, CallState) else first["id"]
        task.opened_at, task.due_at, task.changed = case.first.at, case.first.at + CALL_BACK_WITHIN, True
        if isinstance(first, CallState):
            task.contact, task.lead = first.contact, first.lead
        elif task.created:
            task.contact_id, task.lead_id, task.owner_id = first["contact_id"], first["lead_id"], first["lead_owner_id"]
    if (task.missed, task.tried) != (case.missed, case.tried):
        task.missed, task.tried, task.changed = case.missed, case.tried, True
    if case.talk is not None:
        _close(task, case.talk, case.seconds_to_call_back or 0)
    elif task.state != "open" or task.result.get("last_missed_at") != case.last_missed_at.isoformat():
        task.state, task.closed_at, task.changed = "open", None, True
        task.result = {"last_missed_at": case.last_missed_at.isoformat()}


def _close(task: CallBackState, talk: HeardCall, seconds: int) -> None:
    call = talk.call if isinstance(talk.call, CallState) else str(talk.call["id"])
    result = {
        "code": _GOT_THROUGH, "call": call, "direction": "out" if talk.direction == "out" else "in",
        "extension": talk.extension, "seconds_to_call_back": seconds,
    }  # fmt: skip
    if task.state == "done" and {**task.result, "call": _call_id(task.result.get("call"))} == {**result, "call": _call_id(call)}:
        return
    task.state, task.closed_at, task.result, task.changed = "done", talk.at, result, True


def _call_id(call: Any) -> Any:
    """One name for a call that this batch holds, that it read as a row, and that a task names by its id."""
    if isinstance(call, CallState):
        return call.id if call.id is not None else id(call)
    if isinstance(call, dict):
        return call["id"]
    return int(call) if isinstance(call, str) and call.isdigit() else call
