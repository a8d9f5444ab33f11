"""One lead or a new one: what a further inquiry of a known contact does to his latest lead. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

#: A lost lead is picked up again within this time; later it counts as a new occasion.
LOST_IS_RECENT = timedelta(days=90)
#: An open lead without any touch for this long is marked "reactivated" when the next one comes.
OPEN_IS_ASLEEP = timedelta(days=30)

LeadAction = Literal["touch", "create", "repeat"]


@dataclass(frozen=True, slots=True)
class LeadVerdict:
    action: LeadAction
    why: str  # machine-readable


def decide_lead(state: str | None, last_touch_at: datetime | None, closed_at: datetime | None, now: datetime) -> LeadVerdict:
    """What to do, given the contact's latest lead in the same line (`state` None: he has none).

    An open lead gets a touch, whatever its age; a won one leads to a linked new lead; a lost one to a linked new lead
    within `LOST_IS_RECENT`, else to an unlinked one. "spam" is one that a person called so: it says nothing about what
    follows. Nothing is ever refused as a duplicate.
    """
    if state is None:
        return LeadVerdict("create", "first_inquiry")
    if state == "spam":
        return LeadVerdict("create", "after_spam")
    if state == "open":
        asleep = last_touch_at is not None and now - last_touch_at > OPEN_IS_ASLEEP
        return LeadVerdict("touch", "open_lead_reactivated" if asleep else "open_lead")
    if state == "lost" and closed_at is not None and now - closed_at > LOST_IS_RECENT:
        return LeadVerdict("create", "lost_long_ago")
    return LeadVerdict("repeat", f"after_{state}")
