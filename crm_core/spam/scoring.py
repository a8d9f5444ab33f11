"""Signs of spam added up to a score with its reasons and a verdict. Pure; the same signs always give the same score."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from crm_core.base.frozen import frozen
from crm_core.spam.weights import BURY_FROM, QUARANTINE_FROM, WEAK_CAP, WEIGHTS

Verdict = Literal["accept", "quarantine", "bury"]


@frozen
class Signal:
    """One sign, by its code in WEIGHTS. `detail` is a count, a field's name or a domain: never a phone or an address."""

    code: str
    detail: str = ""


@frozen
class Score:
    points: int  # never below 0
    reasons: tuple[dict[str, Any], ...]  # {"code","points","detail"}; their sum is `points`, or below 0
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        """As it stands on a lead."""
        return {"score": self.points, "reasons": list(self.reasons)}


def score(signals: Iterable[Signal]) -> Score:
    """Each code counts once, however often it was seen. Weak signs count WEAK_CAP together at most.

    KeyError for a code that is not in the table: that is a mistake in the code, not in the inquiry.
    """
    seen: dict[str, Signal] = {}
    for signal in signals:
        seen.setdefault(signal.code, signal)
    reasons: list[dict[str, Any]] = [
        {"code": code, "points": WEIGHTS[code].points, "detail": signal.detail} for code, signal in seen.items()
    ]
    weak = sum(WEIGHTS[code].points for code in seen if WEIGHTS[code].kind == "weak")
    if weak > WEAK_CAP:
        reasons.append({"code": "weak_signs_capped", "points": WEAK_CAP - weak, "detail": ""})
    points = max(0, sum(reason["points"] for reason in reasons))
    return Score(points, tuple(reasons), _verdict(points))


def _verdict(points: int) -> Verdict:
    if points >= BURY_FROM:
        return "bury"
    return "quarantine" if points >= QUARANTINE_FROM else "accept"
