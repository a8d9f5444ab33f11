"""When somebody is away: from now or from a later day, with or without a deputy; and pauses, in which pools leave somebody out.

An absence ends by itself. Two of one person never overlap, so that "until when" has one answer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.people.availability import FOREVER
from crm_core.people.commands import locked_owner
from crm_core.people.models import Absence, Owner
from crm_core.people.rules import LONGEST_REASON, checked_end, short

OWNER_ABSENT = history.Action("owner.absent")
OWNER_PRESENT = history.Action("owner.present")
ABSENCE_PLANNED = history.Action("owner.absence_planned")
ABSENCE_CANCELLED = history.Action("owner.absence_cancelled")
OWNER_PAUSED = history.Action("owner.pause")
OWNER_RESUMED = history.Action("owner.resume")

_RIGHT: Final = "owners.write"


def set_absent(
    connection: Connection,
    principal: Principal,
    owner_id: int,
    until: datetime,
    now: datetime,
    reason: str = "",
    deputy_id: int | None = None,
) -> None:
    """From now until then (aware) they get no new leads; their own clients' leads go to the deputy, or are covered by the pool. An
    absence that runs already is replaced. Raises NotFound, Invalid, Conflict (absence_overlaps: a planned one)."""
    demand(principal, _RIGHT)
    locked_owner(connection, owner_id)
    checked_end(until, now)
    reason = short(reason, "reason", LONGEST_REASON)
    _check_deputy(connection, owner_id, deputy_id)
    ended = _end_absence(connection, owner_id, now)
    starts = connection.execute(select(func.greatest(_moment(now), ended))).scalar_one()
    _refuse_overlap(connection, owner_id, starts, until)
    connection.execute(
        insert(Absence).values(owner_id=owner_id, from_at=starts, until_at=until, reason=reason, deputy_id=deputy_id)
    )
    history.record(connection, principal, OWNER_ABSENT, owner_id, _told(until, deputy_id))


def plan_absence(
    connection: Connection,
    principal: Principal,
    owner_id: int,
    starts: datetime,
    until: datetime,
    now: datetime,
    reason: str = "",
    deputy_id: int | None = None,
) -> int:
    """From a later moment, or one that has passed, until another that has not (aware); returns its id. Raises NotFound, Invalid,
    Conflict (absence_overlaps)."""
    demand(principal, _RIGHT)
    locked_owner(connection, owner_id)
    checked_end(until, now)
    if starts.tzinfo is None:
        raise Invalid("zone_missing", "The beginning of an absence needs a time zone.", fields=["from"])
    if until <= starts:
        raise Invalid("end_before_start", "An absence ends after it begins.", fields=["until"])
    reason = short(reason, "reason", LONGEST_REASON)
    _check_deputy(connection, owner_id, deputy_id)
    _refuse_overlap(connection, owner_id, starts, until)
    absence_id = connection.execute(
        insert(Absence)
        .values(owner_id=owner_id, from_at=starts, until_at=until, reason=reason, deputy_id=deputy_id)
        .returning(Absence.id)
    ).scalar_one()
    told = {"from": starts.astimezone(UTC).isoformat()} | _told(until, deputy_id)
    history.record(connection, principal, ABSENCE_PLANNED, owner_id, told)
    return absence_id


def cancel_absence(connection: Connection, principal: Principal, owner_id: int, absence_id: int, now: datetime) -> None:
    """A planned one is gone, a running one ends now. Raises NotFound, Conflict (absence_over)."""
    demand(principal, _RIGHT)
    locked_owner(connection, owner_id)
    row = connection.execute(
        select(Absence.from_at, Absence.until_at).where(Absence.id == absence_id, Absence.owner_id == owner_id)
    ).one_or_none()
    if row is None:
        raise NotFound("absence_unknown", f"There is no absence {absence_id} of this owner.")
    if row.until_at <= now:
        raise Conflict("absence_over", "This absence is over; what was stays in the history.")
    if row.from_at > now:
        connection.execute(delete(Absence).where(Absence.id == absence_id))
    else:
        _end_absence(connection, owner_id, now)
    history.record(connection, principal, ABSENCE_CANCELLED, owner_id, {"absence": str(absence_id)})


def set_present(connection: Connection, principal: Principal, owner_id: int, now: datetime) -> None:
    """Ends the running absence; nothing happens if there is none. Raises NotFound."""
    demand(principal, _RIGHT)
    locked_owner(connection, owner_id)
    if _end_absence(connection, owner_id, now) is not None:
        history.record(connection, principal, OWNER_PRESENT, owner_id)


def pause_owner(
    connection: Connection, principal: Principal, owner_id: int, now: datetime, until: datetime | None = None
) -> None:
    """Pools leave them out until then (aware), or until somebody ends it; their own clients still reach them. Raises NotFound, Invalid."""
    demand(principal, _RIGHT)
    owner = locked_owner(connection, owner_id)
    if until is not None:
        checked_end(until, now)
    if owner.paused_until == (until or FOREVER):
        return
    connection.execute(update(Owner).where(Owner.id == owner_id).values(paused_until=until or FOREVER))
    history.record(
        connection, principal, OWNER_PAUSED, owner_id, {} if until is None else {"until": until.astimezone(UTC).isoformat()}
    )


def resume_owner(connection: Connection, principal: Principal, owner_id: int, now: datetime) -> None:
    """Ends a pause; nothing happens if there is none. Raises NotFound."""
    demand(principal, _RIGHT)
    owner = locked_owner(connection, owner_id)
    if owner.paused_until is None:
        return
    connection.execute(update(Owner).where(Owner.id == owner_id).values(paused_until=None))
    if owner.paused_until > now:
        history.record(connection, principal, OWNER_RESUMED, owner_id)


def _check_deputy(connection: Connection, owner_id: int, deputy_id: int | None) -> None:
    """Whether they will be there is another question, asked at each lead."""
    if deputy_id is None:
        return
    if deputy_id == owner_id:
        raise Invalid("deputy_is_self", "Nobody covers for themselves.", fields=["deputy"])
    active = connection.scalar(select(Owner.active).where(Owner.id == deputy_id).with_for_update(read=True, key_share=True))
    if active is None:
        raise Invalid("deputy_unknown", "There is no such colleague.", fields=["deputy"])
    if not active:
        raise Invalid("deputy_inactive", "This colleague is no longer active.", fields=["deputy"])


def _refuse_overlap(connection: Connection, owner_id: int, starts: datetime, until: datetime) -> None:
    other = connection.execute(
        select(Absence.from_at, Absence.until_at)
        .where(Absence.owner_id == owner_id, Absence.from_at < until, Absence.until_at > starts)
        .order_by(Absence.from_at)
        .limit(1)
    ).one_or_none()
    if other is not None:
        since, end = other.from_at.astimezone(UTC), other.until_at.astimezone(UTC)
        raise Conflict(
            "absence_overlaps",
            f"They are away already from {since:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} (UTC). Cancel that absence, or choose other"
            " days.",
            **{"from": since.isoformat(), "until": end.isoformat()},
        )


def _end_absence(connection: Connection, owner_id: int, now: datetime) -> datetime | None:
    """When the running one ends now; None if there was none. It may have begun after `now` was read, while its row was waited for."""
    moment = _moment(now)
    running = (Absence.owner_id == owner_id, Absence.from_at <= func.clock_timestamp(), Absence.until_at > moment)
    over = func.greatest(moment, Absence.from_at + timedelta(milliseconds=1))  # an absence lasts, however short
    statement = update(Absence).where(*running).values(until_at=over).returning(Absence.until_at)
    return connection.execute(statement).scalar_one_or_none()


def _moment(now: datetime) -> Any:
    """Not after the transaction began, by which absences are read: what was said is true at once, also within it."""
    return func.least(now, func.now())


def _told(until: datetime, deputy_id: int | None) -> dict[str, str]:
    told = {"until": until.astimezone(UTC).isoformat()}
    return told if deputy_id is None else told | {"deputy": str(deputy_id)}
