"""Saying how soon an inquiry is to be answered, and that a client was reached in a way that the hub does not see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.base.paging import AnyRow
from crm_core.deadlines.models import Deadline, DeadlinePolicy
from crm_core.deadlines.rules import checked
from crm_core.leads.locking import hold_lead
from crm_core.leads.models import Lead
from crm_core.people.models import Owner, Pool
from crm_core.search import mark
from crm_core.sources.models import Source

POLICY_ADDED = history.Action("deadline.add")
POLICY_CHANGED = history.Action("deadline.change")
POLICY_REMOVED = history.Action("deadline.remove")
REACHED_BY_HAND = history.Action("lead.reached", touch="task")

_RIGHT: Final = "deadlines.write"
_MINUTES: Final = ("warn_minutes", "breach_minutes", "escalate_minutes", "reassign_minutes")

#: How somebody reached a client where no exchange and no mailbox of ours sees it.
Means = Literal["call", "message", "meeting"]
MEANS: Final = ("call", "message", "meeting")
_LONGEST: Final = 10_000  # characters, as of a comment


def add_policy(
    connection: Connection, principal: Principal, breach_minutes: float, *, warn_minutes: float | None = None,
    escalate_minutes: float | None = None, reassign_minutes: float | None = None, max_hops: int = 3,
    source_id: int | None = None, pool_id: int | None = None, head_id: int | None = None,
) -> int:  # fmt: skip
    """Minutes are of working time. It counts for what is received from now on. Returns its id. Raises Forbidden, Invalid
    (minutes, order, unknown source, pool or head), Conflict (deadline_taken: there is one for this source and pool)."""
    demand(principal, _RIGHT)
    values = {
        "warn_minutes": warn_minutes, "breach_minutes": breach_minutes, "escalate_minutes": escalate_minutes,
        "reassign_minutes": reassign_minutes, "max_hops": max_hops, "source_id": source_id, "pool_id": pool_id, "head_id": head_id,
    }  # fmt: skip
    _check(connection, values)
    try:
        with connection.begin_nested():
            policy_id = connection.execute(insert(DeadlinePolicy).values(**values).returning(DeadlinePolicy.id)).scalar_one()
    except IntegrityError as error:
        raise _taken() from error
    _look_at_all(connection)
    history.record(connection, principal, POLICY_ADDED, policy_id)
    return policy_id


def change_policy(connection: Connection, principal: Principal, policy_id: int, changes: Mapping[str, Any]) -> None:
    """`changes`: columns of `deadline_policy` but for its dates. Waits that are not late yet count by it; what was late stays late.
    Raises Forbidden, NotFound, Invalid, Conflict (deadline_taken)."""
    demand(principal, _RIGHT)
    row = _locked(connection, policy_id)
    names = (*_MINUTES, "max_hops", "source_id", "pool_id", "head_id")
    wanted = {name: changes.get(name, getattr(row, name)) for name in names}
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not changed:
        return
    _check(connection, wanted)
    try:
        with connection.begin_nested():
            connection.execute(update(DeadlinePolicy).where(DeadlinePolicy.id == policy_id).values(**changed))
    except IntegrityError as error:
        raise _taken() from error
    _look_at_all(connection)
    history.record(connection, principal, POLICY_CHANGED, policy_id, {"fields": sorted(changed)})


def remove_policy(connection: Connection, principal: Principal, policy_id: int, now: datetime) -> None:
    """Waits that no other policy fits end; what was late stays in the figures. Raises Forbidden, NotFound."""
    demand(principal, _RIGHT)
    _locked(connection, policy_id)
    connection.execute(update(DeadlinePolicy).where(DeadlinePolicy.id == policy_id).values(removed_at=now))
    _look_at_all(connection)
    history.record(connection, principal, POLICY_REMOVED, policy_id)


def mark_reached(
    connection: Connection, principal: Principal, lead_id: int, means: Means, now: datetime, words: str = ""
) -> None:
    """Says that somebody reached the lead's client: the wait for an answer is over. A line of its history, with what was said.

    Raises Forbidden; NotFound for a lead that the principal may not see; Invalid (means, too many words); Conflict for a closed
    lead. Whoever says it in the instant in which the lead is taken from them has it still, or is refused: never both.
    """
    demand(principal, "leads.write")
    if means not in MEANS:
        raise Invalid("means_unknown", f"A client is reached by: {', '.join(MEANS)}.", fields=["means"])
    words = words.strip()
    if len(words) > _LONGEST:
        raise Invalid("comment_length", f"A comment has 1 to {_LONGEST} characters.", fields=["text"])
    lead = hold_lead(connection, principal, lead_id, None)
    if lead.state != "open":
        raise Conflict("lead_closed", "This lead is closed; open it again first.")
    touch = history.Touch(lead.contact_id, now, lead_id=lead_id, text=words, data={"contact": means})
    # Not a new version, as for a comment.
    connection.execute(update(Lead).where(Lead.id == lead_id).values(touches=Lead.touches + 1, last_touch_at=now))
    mark(connection, [lead.contact_id])
    history.record(connection, principal, REACHED_BY_HAND, lead_id, {"means": means}, touch)
    connection.execute(
        update(Deadline)
        .where(Deadline.lead_id == lead_id, Deadline.state == "open")
        .values(look_at=func.least(Deadline.look_at, now))
    )


def _check(connection: Connection, values: Mapping[str, Any]) -> None:
    warn, breach, escalate, reassign = (values[name] for name in _MINUTES)
    checked(warn, breach, escalate, reassign, values["max_hops"])
    for name, table in (("source_id", Source), ("pool_id", Pool)):
        if values[name] is not None and connection.scalar(select(table.id).where(table.id == values[name])) is None:
            what = name.removesuffix("_id")
            raise Invalid(f"{what}_unknown", f"There is no such {what}.", fields=[what])
    if values["head_id"] is not None:
        active = connection.scalar(select(Owner.active).where(Owner.id == values["head_id"]))
        if active is None:
            raise Invalid("owner_unknown", "There is no such owner.", fields=["head"])
        if not active:
            raise Invalid("owner_inactive", "This owner is no longer active.", fields=["head"])


def _look_at_all(connection: Connection) -> None:
    """Every open wait is counted anew at the next look."""
    due = select(Deadline.id).where(Deadline.state == "open").order_by(Deadline.id).with_for_update(skip_locked=True)
    connection.execute(update(Deadline).where(Deadline.id.in_(due.scalar_subquery())).values(look_at=Deadline.started_at))


def _locked(connection: Connection, policy_id: int) -> AnyRow:
    row = connection.execute(
        select(*DeadlinePolicy.__table__.columns)
        .where(DeadlinePolicy.id == policy_id, DeadlinePolicy.removed_at.is_(None))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("deadline_unknown", f"There is no deadline {policy_id}.")
    return row


def _taken() -> Conflict:
    return Conflict("deadline_taken", "There is a deadline for this source and pool already; change that one.")
