"""Finishing a planned activity by hand. Call-backs usually finish themselves, when somebody gets through."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from crm_core.access import Principal, demand, select_visible
from crm_core.activities.models import Activity
from crm_core.base import history
from crm_core.base.errors import Conflict, Invalid, NotFound

DONE = history.Action("activity.done", touch="task")

_LONGEST = 10_000  # characters, as of a comment


def finish_activity(connection: Connection, principal: Principal, activity_id: int, result: str, now: datetime) -> None:
    """Raises Forbidden; NotFound; Invalid for a result without end; Conflict if it is done or cancelled already."""
    demand(principal, "activities.write")
    result = result.strip()
    if len(result) > _LONGEST:
        raise Invalid("result_too_long", f"A result has at most {_LONGEST} characters.", fields=["result"])
    row = connection.execute(
        select_visible(
            Activity, principal, Activity.id, Activity.kind, Activity.state, Activity.contact_id, Activity.lead_id, Activity.title
        )
        .where(Activity.id == activity_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("activity_unknown", f"There is no activity {activity_id}.")
    if row.state != "open":
        raise Conflict("activity_closed", f"This activity is {row.state} already.")
    connection.execute(update(Activity).where(Activity.id == activity_id).values(state="done", closed_at=now))
    touch = history.Touch(
        row.contact_id, now, lead_id=row.lead_id, title=row.title, text=result,
        data={"activity": str(activity_id), "kind": row.kind, "state": "done"},
    )  # fmt: skip
    history.record(connection, principal, DONE, activity_id, touch=touch)
