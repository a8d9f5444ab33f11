"""events/summary: Mango's last word on a whole contact, one for each entry_id.

Source: MangoOffice_VPBX_API_v1.9, events/summary. Outside the employees' working hours it is the only event that
comes. Its example of a call that ended in the voice menu says entry_result 1 with talk_time 0: nobody talked.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from connectors.kit.forms.fields import text_of
from connectors.telephony.mango.values import Tree, branch, joined, moment, rest, seconds_between
from crm_core.parsed import CallEvent, CallOutcome, Direction

_DIRECTIONS: dict[str, Direction] = {"0": "internal", "1": "in", "2": "out"}

# disconnect_reason of incoming calls that nobody took. All others: missed, or died in the menu if `to` is empty.
_MISSED: dict[str, CallOutcome] = {
    "1151": "blocked",  # black list
    "1162": "missed",  # queue is full: `to` is empty as well, but it was not the menu
    "1163": "missed",  # waited in the queue for too long
    "1164": "missed",  # no operators in the queue
    "1190": "after_hours",  # outside the schedule
    "1192": "after_hours",
}
_USED = ("entry_id", "call_direction", "end_time", "line_number", "disconnect_reason")


def read_summary(data: Tree, zone: ZoneInfo) -> CallEvent:
    start, target = branch(data, "from"), branch(data, "to")
    direction = _DIRECTIONS.get(text_of(data.get("call_direction")), "unknown")
    cause = text_of(data.get("disconnect_reason"))
    ended, talk = moment(data, "end_time", zone), moment(data, "talk_time", zone)
    # both must say so; a result that is not sent at all does not outweigh a talk
    answered = talk is not None and text_of(data.get("entry_result")) != "0"
    nobody = not text_of(target.get("extension")) and not text_of(target.get("number"))
    if not answered:
        talk = None
    return CallEvent(
        call_key=text_of(data.get("entry_id")),
        event_id=identity(data),
        kind="call_ended",
        direction=direction,
        remote=_remote(direction, start, target),
        our_number=text_of(data.get("line_number")),
        extension=text_of((start if direction == "out" else target).get("extension")),
        is_final=True,
        human=True if answered else False if direction == "in" and nobody else None,
        occurred_at=ended,
        answered_at=talk,
        ended_at=ended,
        talk_seconds=seconds_between(talk, ended),
        ring_seconds=None if nobody else seconds_between(moment(data, "forward_time", zone), talk or ended),
        outcome_hint=_outcome(direction, answered, nobody, cause),
        cause=cause,
        fields=rest(data, *_USED),
    )


def identity(data: Tree) -> str:
    return joined("summary", data, "entry_id")


def _remote(direction: Direction, start: Tree, target: Tree) -> str:
    if direction == "in":
        return text_of(start.get("number")) or "anonymous"  # left out where the caller hides it
    return text_of(target.get("number")) if direction == "out" else ""


def _outcome(direction: Direction, answered: bool, nobody: bool, cause: str) -> CallOutcome | None:
    if direction == "internal":
        return "internal"
    if direction == "in":
        if answered:
            return "answered"
        return _MISSED.get(cause) or ("abandoned_in_ivr" if nobody else "missed")
    if direction == "out":
        if answered:
            return "out_answered"
        if cause == "1121":
            return "busy"
        return "failed" if _could_not_be_made(cause) else "out_no_answer"
    return None


def _could_not_be_made(cause: str) -> bool:
    """2xxx: money; 32xx: the number is wrong."""
    return len(cause) == 4 and cause.startswith(("2", "32"))
