"""Telling employees something, and saying that it was read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.notifications.models import Notification
from crm_core.people.models import Absence, Owner

READ = history.Action("notification.read", of="owner")

#: So many are said to be read at once.
MOST = 1_000


def notify(connection: Connection, kind: str, owner_ids: Iterable[int], lead_id: int | None, now: datetime) -> None:
    """Tells these employees, in the caller's transaction. Who is away is told all the same, and their deputy as well."""
    wanted = sorted(set(owner_ids))
    if not wanted:
        return
    rows = [{"owner_id": one, "for_owner_id": None, "kind": kind, "lead_id": lead_id, "at": now} for one in wanted]
    away = connection.execute(
        select(Absence.owner_id, Absence.deputy_id)
        .join(Owner, Owner.id == Absence.deputy_id)
        .where(Absence.owner_id.in_(wanted), Absence.from_at <= now, Absence.until_at > now, Owner.active)
    )
    rows += [
        {"owner_id": row.deputy_id, "for_owner_id": row.owner_id, "kind": kind, "lead_id": lead_id, "at": now}
        for row in away
        if row.deputy_id not in wanted
    ]
    connection.execute(insert(Notification), rows)


def mark_read(connection: Connection, principal: Principal, ids: Collection[int] | None, now: datetime) -> int:
    """Says that these of one's own were read, None: all. Returns how many had not been. Those of others are left alone.

    Raises Forbidden.
    """
    demand(principal, "notifications.write")
    if principal.owner_id is None:
        return 0
    unread = select(Notification.id).where(Notification.owner_id == principal.owner_id, Notification.read_at.is_(None))
    if ids is not None:
        unread = unread.where(Notification.id.in_(sorted(ids)[:MOST]))
    count = connection.execute(update(Notification).where(Notification.id.in_(unread)).values(read_at=now)).rowcount
    if count:
        history.record(connection, principal, READ, principal.owner_id, {"count": count})
    return count
