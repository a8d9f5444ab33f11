"""What becomes of a client's wait: when it is late, who is told, when the lead changes hands. Pure.

A wait begins with an inquiry that was not answered and ends with the first talk or message after it. All that counts in working
time asks `crm_core.base.working_time`; a calendar that works on no day promises nothing to anybody, so there the wall clock counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from crm_core.base.errors import Invalid
from crm_core.base.working_time import Calendar, NoWorkingTimeError, add_working_time, working_time

How = Literal["call", "got_through", "message", "by_hand"]
Step = Literal["warn", "breach", "escalate", "reassign", "head"]

#: So long a change of hands, of hours or of a policy may take to be seen; what is due is seen on time.
LOOK_AGAIN: Final = timedelta(seconds=60)
#: A late wait is looked at more rarely the longer it lasts.
LOOK_RARELY: Final = timedelta(minutes=15)

MOST_MINUTES: Final = 60 * 24 * 31.0
LEAST_MINUTES: Final = 0.05
MOST_HOPS: Final = 20


@dataclass(frozen=True, slots=True)
class Policy:
    """As a row of `deadline_policy`; amounts are working time."""

    id: int
    breach: timedelta
    warn: timedelta | None = None
    escalate: timedelta | None = None
    reassign: timedelta | None = None
    max_hops: int = 3
    source_id: int | None = None
    pool_id: int | None = None
    head_id: int | None = None
    since: datetime | None = None  # inquiries received before have no deadline


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody of ours reached the client."""

    at: datetime
    how: How
    by: int | None = None  # an owner, where it is known


@dataclass(frozen=True, slots=True)
class Wait:
    started_at: datetime
    answer: Contact | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What was done about a wait so far: columns of `deadline`."""

    started_at: datetime
    warned_at: datetime | None = None
    due_at: datetime | None = None
    breached_at: datetime | None = None
    escalated_at: datetime | None = None
    gave_up_at: datetime | None = None
    hops: int = 0


@dataclass(frozen=True, slots=True)
class Times:
    """When each step is due; None: the policy has no such step, or it is over."""

    warn_at: datetime | None
    due_at: datetime
    escalate_at: datetime | None
    reassign_at: datetime | None


def choose(policies: Iterable[Policy], source_id: int | None, pool_id: int | None) -> Policy | None:
    """The most specific one that fits: of this source and pool, of the source, of the pool, of any lead."""
    fitting = [
        one for one in policies if one.source_id in (None, source_id) and one.pool_id in (None, pool_id)
    ]  # fmt: skip
    return max(fitting, key=lambda one: (one.source_id is not None, one.pool_id is not None), default=None)


def waits(inquiries: Iterable[datetime], contacts: Iterable[Contact]) -> list[Wait]:
    """The waits of a client, oldest first, whatever the order in which their parts were told. An inquiry within a wait adds nothing:
    the clock runs since the first one."""
    reached = sorted(contacts, key=lambda one: one.at)
    found: list[Wait] = []
    for at in sorted(inquiries):
        last = found[-1] if found else None
        if last is not None and (last.answer is None or at <= last.answer.at):
            continue
        found.append(Wait(at, next((one for one in reached if one.at >= at), None)))
    return found


def after(calendar: Calendar | None, start: datetime, amount: timedelta) -> datetime:
    """When so much working time has passed since `start`; None is a calendar that always works."""
    if calendar is not None:
        try:
            return add_working_time(calendar, start, amount)
        except NoWorkingTimeError:
            pass
    return start.astimezone(UTC) + amount


def lasted(calendar: Calendar | None, start: datetime, end: datetime) -> timedelta:
    """How much working time lies between the two."""
    return working_time(calendar, start, end) if calendar is not None else max(timedelta(), end - start)


def times(policy: Policy, calendar: Calendar | None, standing: Standing, held_since: datetime | None) -> Times:
    """`held_since`: since when the lead's owner has it; None: nobody has it. What was late stays late: its moment is the one that
    counted when it became late."""
    started = standing.started_at
    due = (
        standing.due_at
        if standing.breached_at is not None and standing.due_at is not None
        else after(calendar, started, policy.breach)
    )
    return Times(
        after(calendar, started, policy.warn) if policy.warn is not None and standing.warned_at is None else None,
        due,
        after(calendar, started, policy.escalate) if policy.escalate is not None and standing.escalated_at is None else None,
        after(calendar, max(held_since, started), policy.reassign)
        if policy.reassign is not None and held_since is not None and standing.gave_up_at is None
        else None,
    )  # fmt: skip


def due_steps(policy: Policy, standing: Standing, at: Times, now: datetime) -> list[Step]:
    """What is to be done now, in this order. Nothing is done twice, and whoever is late is not warned any more.

    A lead is taken from nobody before it is late; the last time it goes to the head ("head").
    """
    steps: list[Step] = []
    is_late = standing.breached_at is not None or at.due_at <= now
    if standing.breached_at is None:
        if is_late:
            steps.append("breach")
        elif at.warn_at is not None and at.warn_at <= now:
            steps.append("warn")
    if not is_late:
        return steps
    if at.escalate_at is not None and at.escalate_at <= now:
        steps.append("escalate")
    if at.reassign_at is not None and at.reassign_at <= now:
        steps.append("reassign" if standing.hops < policy.max_hops else "head")
    return steps


def look_again(standing: Standing, at: Times, now: datetime) -> datetime:
    """When there is something to do next, or something may have changed."""
    pending = [at.due_at] if standing.breached_at is None else []
    pending += [
        one for one in (at.warn_at if standing.breached_at is None else None, at.escalate_at, at.reassign_at) if one is not None
    ]
    patience = LOOK_AGAIN
    if standing.breached_at is not None:
        patience = min(LOOK_RARELY, max(LOOK_AGAIN, (now - standing.started_at) / 100))
    return min([now + patience, *(one for one in pending if one > now)])


def checked(warn: float | None, breach: float, escalate: float | None, reassign: float | None, max_hops: int) -> None:
    """Raises Invalid: minutes out of bounds, or in an order in which they mean nothing."""
    for name, value in (("warn", warn), ("breach", breach), ("escalate", escalate), ("reassign", reassign)):
        if value is not None and not LEAST_MINUTES <= value <= MOST_MINUTES:
            raise Invalid(
                "minutes_out_of_range", f"Minutes lie between {LEAST_MINUTES:g} and {MOST_MINUTES:g}.", fields=[f"{name}_minutes"],
                least=f"{LEAST_MINUTES:g}", most=f"{MOST_MINUTES:g}",
            )  # fmt: skip
    if warn is not None and warn >= breach:
        raise Invalid("warn_after_breach", "A warning comes before the time is over.", fields=["warn_minutes"])
    for name, value in (("escalate", escalate), ("reassign", reassign)):
        if value is not None and value < breach:
            raise Invalid(
                "step_before_breach", "Whoever is not late is neither reported nor loses the lead: give it at least as long.",
                fields=[f"{name}_minutes"],
            )  # fmt: skip
    if not 0 <= max_hops <= MOST_HOPS:
        raise Invalid(
            "hops_out_of_range", f"A lead changes hands 0 to {MOST_HOPS} times.", fields=["max_hops"], most=str(MOST_HOPS)
        )
