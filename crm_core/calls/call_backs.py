"""Call-backs of one caller, derived from all his calls, as a call is from all its events. Pure.

A task is a function of what happened and when, never of the order in which it was told: a talk that is told before the
missed call that preceded it closes that call's task all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from crm_core.calls.rules import MISSED_OUTCOMES, TALKED_OUTCOMES

#: At one and the same moment a talk ends what was missed, and an attempt belongs to it.
_ORDER = {"missed": 0, "tried": 1, "talked": 2, "closed": 3}


@dataclass(frozen=True, slots=True)
class HeardCall:
    """A call of this caller that is over. `call` is whatever the asker knows it by; it is only handed back."""

    call: Any
    key: str  # its own among all calls; tells apart what happened at the same moment
    kind: Literal["missed", "tried", "talked"]
    at: datetime  # of a missed call and an attempt the beginning, of a talk the answer: its end is often only heard of
    answered_at: datetime | None = None
    direction: str = "in"
    extension: str = ""


@dataclass(frozen=True, slots=True)
class HandClosing:
    """Somebody closed a task by hand. `task` is only handed back."""

    task: Any
    at: datetime


@dataclass(slots=True)
class CallBackCase:
    """What one task stands for: calls missed in a row, until somebody got through or a person closed it."""

    first: HeardCall
    last_missed_at: datetime
    missed: int = 1
    tried: int = 0
    talk: HeardCall | None = None
    closed_by_hand: HandClosing | None = None

    @property
    def is_open(self) -> bool:
        return self.talk is None and self.closed_by_hand is None

    @property
    def seconds_to_call_back(self) -> int | None:
        """From the first missed call to the answer; None while nobody got through."""
        if self.talk is None:
            return None
        return max(0, round(((self.talk.answered_at or self.talk.at) - self.first.at).total_seconds()))


def heard(
    call: Any, key: str, outcome: str | None, direction: str, started_at: datetime, answered_at: datetime | None,
    ended_at: datetime | None, extension: str = "",
) -> HeardCall | None:  # fmt: skip
    """The call as far as call-backs care for it; None while it goes on, and for internal and blocked ones."""
    if outcome in TALKED_OUTCOMES:
        return HeardCall(call, key, "talked", answered_at or ended_at or started_at, answered_at, direction, extension)
    if outcome in MISSED_OUTCOMES and direction != "out":
        return HeardCall(call, key, "missed", started_at)
    if outcome is not None and direction == "out" and outcome != "internal":
        return HeardCall(call, key, "tried", started_at)
    return None


def cases_of(calls: Iterable[HeardCall], closings: Sequence[HandClosing] = ()) -> list[CallBackCase]:
    """All cases, oldest first; only the last one can be open. Any order of `calls` gives the same."""
    told: list[tuple[datetime, int, str, HeardCall | HandClosing]] = [
        *((one.at, _ORDER[one.kind], one.key, one) for one in calls),
        *((one.at, _ORDER["closed"], str(one.task), one) for one in closings),
    ]
    cases: list[CallBackCase] = []
    case: CallBackCase | None = None
    for _, _, _, one in sorted(told, key=lambda row: row[:3]):
        if isinstance(one, HandClosing):
            # Whoever closes by hand a case that a talk had ended, told late, has closed that one.
            ended = case or (cases[-1] if cases and cases[-1].closed_by_hand is None else None)
            if ended is not None:
                ended.closed_by_hand = one
        elif one.kind == "missed":
            if case is None:
                case = CallBackCase(one, one.at)
                cases.append(case)
            else:
                case.missed += 1
                case.last_missed_at = one.at
        elif case is not None and one.kind == "tried":
            case.tried += 1
        elif case is not None:
            case.talk = one
        if case is not None and not case.is_open:
            case = None
    return cases
