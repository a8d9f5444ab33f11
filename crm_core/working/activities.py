"""Finishing a planned activity by hand. Call-backs usually finish themselves, when somebody gets through."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from crm_core.access import Principal, audit, visible_activities
from crm_core.errors import Conflict, NotFound
from crm_core.models import Activity, Touch


def finish_activity(
    connection: Connection, principal: Principal, activity_id: int, result: str, now: datetime
) -> None:
    """Raises NotFound, or Conflict if it is done or cancelled already."""
    row = connection.execute(
        select(
            Activity.id, Activity.kind, Activity.state, Activity.contact_id, Activity.lead_id, Activity.title
        )
        .where(Activity.id == activity_id, visible_activities(principal))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("activity_unknown", f"There is no activity {activity_id}.")
    if row.state != "open":
        raise Conflict("activity_closed", f"This activity is {row.state} already.")
    connection.execute(update(Activity).where(Activity.id == activity_id).values(state="done", closed_at=now))
    if row.contact_id is not None:
        connection.execute(
            insert(Touch).values(
                contact_id=row.contact_id, lead_id=row.lead_id, kind="task", direction="internal", at=now,
                actor=principal.actor, title=row.title, text=result,
                data={"activity": str(activity_id), "kind": row.kind, "state": "done"},
            )
        )  # fmt: skip
    audit(connection, principal, "activity.done", f"activity:{activity_id}")
