"""Brings the call-back tasks of the callers of a batch in line with all their calls (`crm_core.calls.call_backs`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from crm_core.batch.state import ContactState, TouchState
from crm_core.batch.subject import Batch
from crm_core.calls.call_backs import CallBackCase, HandClosing, HeardCall, cases_of, heard
from crm_core.calls.call_events import touch_columns
from crm_core.calls.rules import derive
from crm_core.calls.state import CallBacks, CallBackState, Calls, CallState

#: How soon a missed caller should be called back.
CALL_BACK_WITHIN = timedelta(minutes=15)
#: A call that is told later than this changes no task any more; it is in the history all the same.
LOOK_BACK = timedelta(days=30)

#: What tasks call themselves that a talk has ended; all others that are not open were closed by a person.
_GOT_THROUGH = "got_through"


def settle_call_backs(batch: Batch, now: datetime) -> None:
    """Derives the tasks of every caller of whom this batch heard something that is over."""
    part = batch.part(CallBacks)
    for task in (task for tasks in part.tasks.values() for task in tasks):
        if task.contact is not None and task.contact is not task.contact.root:  # merged in this batch
            task.contact, task.changed = task.contact.root, True
    for phone in part.callers:
        tasks = sorted(part.tasks.get(phone, ()), key=lambda task: (task.opened_at, task.id or 0))
        since = now - LOOK_BACK
        # A task that began earlier and went on into the time that is looked at belongs to it, or is settled for good.
        straddling = [task for task in tasks if task.opened_at <= since]
        if any(task.state == "open" for task in straddling):
            continue  # so old that some of its calls are not looked at any more: a person will close it
        since = max((task.closed_at or since for task in straddling), default=since)
        tasks = [task for task in tasks if task not in straddling]
        calls = [call for call in _heard_of(batch, phone) if call.at > since]
        by_hand = [task for task in tasks if _is_closed_by_hand(task)]
        cases = cases_of(calls, [HandClosing(task, task.closed_at or now) for task in by_hand])
        _bring_in_line(batch, phone, tasks, cases, calls)
        _show_attempts(batch, phone, calls)


def _heard_of(batch: Batch, phone: str) -> list[HeardCall]:
    """The caller's calls as they stand now: those of this batch instead of their rows. Nobody calls back who was called spam."""
    mine = [call for call in batch.part(Calls).by_key.values() if call.phone == phone and call.view is not None]
    judged = {id(call) for call in mine if call.lead is not None and call.lead.state == "spam"}
    changed = {call.id for call in mine}
    found = [
        heard(row, f"{row['source_id']}:{row['call_key']}", row["outcome"], row["direction"], row["started_at"],
              row["answered_at"], row["ended_at"], row["extension"])
        for row in batch.part(CallBacks).calls.get(phone, ())
        if row["id"] not in changed and not row["is_spam"]
    ]  # fmt: skip
    found += [
        heard(call, f"{call.source_id}:{call.call_key}", call.outcome, call.view.direction, call.view.started_at, call.view.answered_at, call.view.ended_at,
              call.view.extension)
        for call in mine
        if id(call) not in judged
    ]  # fmt: skip
    return [one for one in found if one is not None]


def _is_closed_by_hand(task: CallBackState) -> bool:
    return task.state != "open" and task.result.get("code") != _GOT_THROUGH


def _bring_in_line(
    batch: Batch, phone: str, tasks: list[CallBackState], cases: list[CallBackCase], calls: list[HeardCall]
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
            known = _new_task(batch, phone, case)
        _show(known, case)
    for task in free:
        talk = next((call for call in calls if _call_id(call.call) == _call_id(task.call) and call.kind == "talked"), None)
        if talk is not None:
            _close(task, talk, 0)
        else:
            batch.part(CallBacks).needless.append(task)


def _new_task(batch: Batch, phone: str, case: CallBackCase) -> CallBackState:
    task = CallBackState(
        None, phone, None, None, None, None, phone, case.first.at + CALL_BACK_WITHIN, case.first.at, created=True
    )
    part = batch.part(CallBacks)
    part.tasks.setdefault(phone, []).append(task)
    part.new.append(task)
    return task


def _show(task: CallBackState, case: CallBackCase) -> None:
    """Writes the case into its task."""
    first = case.first.call
    if task.created or _call_id(task.call) != _call_id(first):
        task.call, task.changed = first if isinstance(first, CallState) else first["id"], True
        if isinstance(first, CallState):
            task.contact, task.lead = first.contact, first.lead
        else:
            task.contact = task.lead = None
            task.contact_id, task.lead_id, task.owner_id = (first["contact_id"], first["lead_id"], first["lead_owner_id"])
    if task.opened_at != case.first.at or task.created:  # when it began may be told after how it ended
        task.opened_at, task.due_at, task.changed = case.first.at, case.first.at + CALL_BACK_WITHIN, True
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


def _show_attempts(batch: Batch, phone: str, calls: list[HeardCall]) -> None:
    """Attempts to reach a caller stand on the timeline of his contact, also those that were told before there was one.

    Which of his leads they stand on is derived with that of his talks, once all is written.
    """
    attempts = [one for one in calls if one.kind == "tried" and not _has_contact(one)]
    if not attempts:
        return
    known = (_contact_of(batch, one) for one in sorted(calls, key=lambda one: (one.at, one.key), reverse=True))
    contact = next((one for one in known if one is not None and not one.is_erased), None)
    if contact is None:
        return
    for attempt in attempts:
        call = attempt.call
        if isinstance(call, CallState):
            source_id, view = call.source_id, call.view
            call.contact, of_call = contact, call
        else:
            source_id, view = call["source_id"], derive(call["facts"], datetime.now(UTC))
            of_call = CallState(call["id"], source_id, call["call_key"], None)
            batch.part(CallBacks).attempts.append((call["id"], contact))
        columns = {**touch_columns(view, phone), "direction": "out", "at": view.started_at.isoformat(), "seq": 0}
        touch = TouchState(None, contact, None, {**columns, "source_id": source_id, "event_id": None}, call=of_call)
        if isinstance(call, CallState):
            call.touch = touch
        batch.new_touches.append(touch)


def _has_contact(one: HeardCall) -> bool:
    return (one.call.contact if isinstance(one.call, CallState) else one.call["contact_id"]) is not None


def _contact_of(batch: Batch, one: HeardCall) -> ContactState | None:
    found = one.call.contact if isinstance(one.call, CallState) else batch.contacts.get(one.call["contact_id"])
    return found.root if found is not None else None


def _call_id(call: Any) -> Any:
    """One name for a call that this batch holds, that it read as a row, and that a task names by its id."""
    if isinstance(call, CallState):
        return call.id if call.id is not None else id(call)
    if isinstance(call, dict):
        return call["id"]
    return int(call) if isinstance(call, str) and call.isdigit() else call
