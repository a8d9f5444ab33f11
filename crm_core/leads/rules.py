"""One lead or a new one: what a further inquiry of a known contact does to his latest lead. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from crm_core.base.frozen import frozen
from crm_core.batch.windows import DEFAULT, Windows

LeadAction = Literal["touch", "create", "repeat", "reopen"]


@frozen
class LeadVerdict:
    action: LeadAction
    why: str  # machine-readable


def decide_lead(
    state: str | None, last_touch_at: datetime | None, closed_at: datetime | None, now: datetime, windows: Windows = DEFAULT,
    *, is_other_way: bool = False,
) -> LeadVerdict:  # fmt: skip
    """What to do, given the contact's latest lead in the same line (`state` None: he has none).

    An open lead gets a touch, whatever its age; a won one leads to a linked new lead; a lost one to a linked new lead
    within `windows.lost`, else to an unlinked one, unless the source opens it again (`windows.reopen`). "spam" is one that
    a person called so: more of it is a touch that nobody is told of, until they come by another way (`is_other_way`: a call
    after a form). Nothing is ever refused as a duplicate.
    """
    if state is None:
        return LeadVerdict("create", "first_inquiry")
    if state == "spam":
        return LeadVerdict("create", "after_spam") if is_other_way else LeadVerdict("touch", "more_of_spam")
    if state == "open":
        asleep = last_touch_at is not None and now - last_touch_at > windows.asleep
        return LeadVerdict("touch", "open_lead_reactivated" if asleep else "open_lead")
    if state == "lost" and windows.reopen and closed_at is not None and now - closed_at <= windows.reopen:
        return LeadVerdict("reopen", "lost_lead_reopened")
    if state == "lost" and closed_at is not None and now - closed_at > windows.lost:
        return LeadVerdict("create", "lost_long_ago")
    return LeadVerdict("repeat", f"after_{state}")


def is_one_occasion(line: str, other_line: str, at: datetime, last_touch_at: datetime, windows: Windows) -> bool:
    """Whether an inquiry of one line belongs to an open lead of another: they came together, and one of the two names no line.

    Two lines that are both named are two wishes, however close.
    """
    return "" in (line, other_line) and abs(at - last_touch_at) <= windows.together
