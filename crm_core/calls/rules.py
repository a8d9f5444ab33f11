"""Calls: what an exchange said, merged so that order, duplicates and lateness cannot matter. Pure.

Facts are only ever joined by union, minimum, maximum and "or"; phase and outcome are derived from them, never from
"the last event". Answered beats missed, however late it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_core.parsed import CallEvent

#: Silence after which a call whose legs have all ended is over, though no final event came.
GRACE = timedelta(seconds=30)
#: Silence after which nobody believes in a ringing or a running call any more.
STALE_RINGING = timedelta(hours=2)
STALE_TALKING = timedelta(hours=6)
#: A provider's clock this far off is not believed; the time of receipt is taken instead.
CLOCK_TOLERANCE = timedelta(hours=24)

#: Incoming calls that nobody took: they make a lead and a call-back.
MISSED_OUTCOMES = frozenset({"missed", "abandoned_in_ivr", "after_hours", "busy", "rejected", "voicemail", "failed", "lost"})
#: Somebody got through, in either direction.
TALKED_OUTCOMES = frozenset({"answered", "out_answered"})

#: Where providers' words disagree about a call that nobody answered, the first of these counts.
_HINT_ORDER = ("blocked", "voicemail", "after_hours", "abandoned_in_ivr", "busy", "rejected", "failed", "missed")
_DIRECTION_ORDER = ("internal", "out", "in")
_MOST_KEPT = 200  # values of one kind that a call keeps; a call with more is not a call

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallView:
    """What the facts amount to at a moment."""

    phase: str  # ringing | talking | ending | closed
    outcome: str | None  # once closed
    direction: str
    remote: str  # as written; "" if hidden
    our_number: str
    extension: str  # who talked, else who rang
    queue: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    talk_seconds: float | None
    recording: str
    settle_at: datetime | None  # when silence changes the phase; None once closed


def believed_time(told: datetime | None, received_at: datetime) -> datetime:
    """The provider's time unless it is missing or further from the receipt than `CLOCK_TOLERANCE`."""
    if told is None or abs(told - received_at) > CLOCK_TOLERANCE:
        return received_at
    return told


def merge(facts: Mapping[str, Any] | None, event: CallEvent, received_at: datetime, event_number: int = 0) -> Facts:
    """The facts joined with one event, whose number in the journal is kept. Commutative, associative, idempotent."""
    at = believed_time(event.occurred_at, received_at)
    leg = {
        "ext": [event.extension] if event.extension else [],
        "rang": event.kind == "ringing",
        "answered": event.kind == "answered",
        "ended": event.kind in ("leg_ended", "call_ended"),
        "human": [event.human] if event.human is not None else [],
        "talk": event.talk_seconds or 0.0,
    }
    said_answered = event.kind == "answered" or event.outcome_hint in ("answered", "out_answered")
    one: Facts = {
        "events": [event.event_id],
        "last_event": event_number,
        "directions": [event.direction] if event.direction != "unknown" else [],
        "final_directions": [event.direction] if event.is_final and event.direction != "unknown" else [],
        "remotes": [event.remote] if event.remote else [],
        "final_remotes": [event.remote] if event.is_final and event.remote else [],
        "our_numbers": [event.our_number] if event.our_number else [],
        "final_our_numbers": [event.our_number] if event.is_final and event.our_number else [],
        "queues": [event.queue] if event.queue else [],
        "recordings": [event.recording] if event.recording else [],
        "causes": [event.cause] if event.cause else [],
        "hints": [event.outcome_hint] if event.outcome_hint else [],
        "parents": [event.parent_key] if event.parent_key else [],
        "answerers": [event.extension] if said_answered and event.extension and event.human is not False else [],
        "answered": said_answered and event.human is not False,
        "talk": event.talk_seconds or 0.0,
        "ring": event.ring_seconds or 0.0,
        "not_human": event.human is False,
        "final": event.is_final,
        "started_at": _utc(at),
        # A voice menu that picks up has answered nobody.
        "answered_at": _utc(believed_time(event.answered_at or at, received_at))
        if said_answered and event.human is not False
        else None,
        "ended_at": _utc(believed_time(event.ended_at or at, received_at))
        if event.ended_at is not None or event.kind in ("call_ended", "leg_ended")
        else None,
        "last_at": _utc(received_at),  # silence is what we hear, by our clock
        "legs": {event.leg_key: leg} if event.leg_key else {},
    }
    return _join(dict(facts), one) if facts else one


def _utc(at: datetime) -> str:
    """One zone and one length, so that the texts compare like the times they stand for."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


_MINIMUM = frozenset({"started_at", "answered_at"})


def _join(a: Facts, b: Facts) -> Facts:
    joined: Facts = {}
    for name in a.keys() | b.keys():
        left, right = a.get(name), b.get(name)
        if left is None or right is None:
            joined[name] = right if left is None else left
        elif isinstance(left, list):
            joined[name] = sorted({*left, *right})[:_MOST_KEPT]
        elif isinstance(left, bool):
            joined[name] = left or right
        elif isinstance(left, dict):
            joined[name] = {
                key: _join(left[key], right[key]) if key in left and key in right else left.get(key, right.get(key))
                for key in left.keys() | right.keys()
            }
        else:
            joined[name] = min(left, right) if name in _MINIMUM else max(left, right)
    return joined


def derive(facts: Mapping[str, Any], now: datetime) -> CallView:
    """Phase and outcome of a call from its facts."""
    directions = facts["final_directions"] or facts["directions"]
    direction = next((d for d in _DIRECTION_ORDER if d in directions), "unknown")
    answered = bool(facts["answered"]) or (facts["talk"] > 0 and not facts["not_human"])
    # Words of the future are of a clock that was set back since: then silence counts from now.
    last_at = min(datetime.fromisoformat(facts["last_at"]), now)
    legs = facts["legs"].values()
    all_legs_ended = bool(legs) and all(leg["ended"] for leg in legs)
    outcome: str | None = None
    settle_at: datetime | None = None
    if facts["final"] or (all_legs_ended and now >= last_at + GRACE):
        phase, outcome = "closed", _outcome(facts, direction, answered)
    elif all_legs_ended:
        phase, settle_at = "ending", last_at + GRACE
    elif answered:
        phase, settle_at = "talking", last_at + STALE_TALKING
    else:
        phase, settle_at = "ringing", last_at + STALE_RINGING
    if settle_at is not None and now >= settle_at:
        phase, settle_at = "closed", None
        outcome = _outcome(facts, direction, answered) if answered else ("lost" if direction == "in" else "out_no_answer")
    extensions = facts["answerers"] or sorted({e for leg in legs for e in leg["ext"]})
    return CallView(
        phase=phase,
        outcome=outcome,
        direction=direction,
        remote=_first(facts["final_remotes"], facts["remotes"]),
        our_number=_first(facts["final_our_numbers"], facts["our_numbers"]),
        extension=extensions[0] if extensions else "",
        queue=facts["queues"][0] if facts["queues"] else "",
        started_at=datetime.fromisoformat(facts["started_at"]),
        answered_at=_time(facts["answered_at"]) if answered else None,
        ended_at=_time(facts["ended_at"]) if phase in ("ending", "closed") else None,
        talk_seconds=float(facts["talk"]) or None,
        recording=facts["recordings"][0] if facts["recordings"] else "",
        settle_at=settle_at,
    )


def _first(*lists: list[str]) -> str:
    """The provider's last word on the whole call before what single legs said."""
    return next((values[0] for values in lists if values), "")


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _outcome(facts: Mapping[str, Any], direction: str, answered: bool) -> str:
    hints = set(facts["hints"])
    if direction == "internal" or "internal" in hints:
        return "internal"
    if direction == "out":
        if answered:
            return "out_answered"
        return next((hint for hint in ("busy", "failed") if hint in hints), "out_no_answer")
    if answered:
        return "answered"
    for hint in _HINT_ORDER:
        if hint in hints and hint != "missed":
            return hint
    legs = facts["legs"].values()
    if legs and all(leg["human"] == [False] for leg in legs):
        return "abandoned_in_ivr"
    return "missed"
