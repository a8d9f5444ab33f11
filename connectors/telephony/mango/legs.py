"""events/call: one leg of a call appears, is connected, is held, or is over.

Source: MangoOffice_VPBX_API_v1.9, events/call. The leg is `call_id`, the whole contact `entry_id`: it stays the same
over transfers. Events are sent in parallel and arrive in any order; `seq` counts within one leg.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from connectors.kit.forms.fields import text_of
from connectors.telephony.mango.values import Tree, branch, joined, moment, number_of, rest
from crm_core.base.errors import Malformed
from crm_core.parsed import CallEvent, CallKind, Direction, Ignored

_KINDS: dict[str, CallKind] = {
    "Appeared": "ringing",
    "Connected": "answered",
    "OnHold": "observed",
    "Disconnected": "leg_ended",  # also with `transfer`: the leg is over, the contact goes on in another call_id
}
_USED = ("entry_id", "call_id", "timestamp", "seq", "disconnect_reason")


def read_leg(data: Tree, zone: ZoneInfo) -> CallEvent | Ignored:
    state = text_of(data.get("call_state"))
    if not state or not text_of(data.get("call_id")):
        raise Malformed("no_leg", "The event names no leg or not what happened to it.", path="$.json.call_id")
    if state not in _KINDS:
        return Ignored("unsupported_event", f"call_state {state}"[:80])
    start, target = branch(data, "from"), branch(data, "to")
    direction = _direction(data, start, target)
    kind = _KINDS[state]
    at = moment(data, "timestamp", zone)
    if kind == "answered" and _is_first_leg_of_callback(data, target):
        kind = "observed"  # our own employee picked up; the client is only called now
    return CallEvent(
        call_key=text_of(data.get("entry_id")),
        event_id=identity(data),
        kind=kind,
        direction=direction,
        remote=_remote(direction, start, target),
        our_number=text_of(target.get("line_number")),
        extension=_extension(direction, start, target),
        leg_key=text_of(data.get("call_id")),
        human=_human(data, start, target),
        occurred_at=at,
        answered_at=at if kind == "answered" else None,
        ended_at=at if kind == "leg_ended" else None,
        seq=number_of(data, "seq"),
        cause=text_of(data.get("disconnect_reason")),
        queue=text_of(target.get("acd_group")),
        fields=rest(data, *_USED),
    )


def identity(data: Tree) -> str:
    return joined("call", data, "entry_id", "call_id", "seq", "call_state")


def _is_callback(data: Tree) -> bool:
    """CC, API, WEB, MissGroupCallCallback …: whatever the word (one is misspelt in the document), we call."""
    return bool(text_of(data.get("callback_initiator")))


def _is_first_leg_of_callback(data: Tree, target: Tree) -> bool:
    return _is_callback(data) and bool(text_of(target.get("extension")))


def _direction(data: Tree, start: Tree, target: Tree) -> Direction:
    """Only what leaves no doubt; the summary says it outright."""
    ours, theirs = text_of(start.get("extension")), text_of(target.get("extension"))
    number = text_of(start.get("number"))
    if _is_callback(data):
        return "out"
    if ours:
        # to a colleague or after a transfer: an inner call, or a part of a client's call that is being passed on
        plain = not (theirs or _is_passed_on(start))
        return "out" if plain and text_of(target.get("number")) else "unknown"
    if number.startswith("sip:") and not text_of(target.get("line_number")):
        return "unknown"  # an address of the exchange, perhaps an employee without extension
    return "in" if number or text_of(target.get("line_number")) else "unknown"


def _is_passed_on(start: Tree) -> bool:
    moved = start.get("was_transferred")
    return moved is True or text_of(moved) not in ("", "0") or bool(text_of(start.get("taken_from_call_id")))


def _remote(direction: Direction, start: Tree, target: Tree) -> str:
    if direction == "in":
        return text_of(start.get("number")) or "anonymous"
    if direction == "out" and not text_of(target.get("extension")):
        return text_of(target.get("number"))
    # the first leg of a call-back rings the employee and shows the client as its origin
    return "" if text_of(start.get("extension")) else text_of(start.get("number"))


def _extension(direction: Direction, start: Tree, target: Tree) -> str:
    ours, theirs = text_of(start.get("extension")), text_of(target.get("extension"))
    return (ours or theirs) if direction == "out" else (theirs or ours)


def _human(data: Tree, start: Tree, target: Tree) -> bool | None:
    """`ivr` and `queue` answer too, and that is no answer."""
    if text_of(data.get("location")) != "abonent":
        return False
    return True if text_of(start.get("extension")) or text_of(target.get("extension")) else None
