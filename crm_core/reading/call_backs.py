"""Calls to make, the longest overdue first: a working list, not an archive."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from crm_core.access import Principal, visible_activities
from crm_core.models import Activity, Contact, Owner
from crm_core.reading.values import id_text, named, rfc3339

#: More than anybody calls in a day; the next ones move up as these are done.
MOST = 200

_Member = aliased(Contact, name="member")
_Root = aliased(Contact, name="root")


def list_call_backs(connection: Connection, principal: Principal) -> list[dict[str, Any]]:
    """Open call-backs that the principal may see, at most `MOST`, by due time."""
    rows = connection.execute(
        select(
            Activity.id, Activity.title, Activity.due_at, Activity.phone, Activity.missed, Activity.tried,
            Activity.lead_id, Activity.owner_id, Owner.name.label("owner_name"), _Root.id.label("root_id"),
            _Root.name.label("contact_name"),
        )
        .outerjoin(Owner, Owner.id == Activity.owner_id)
        .outerjoin(_Member, _Member.id == Activity.contact_id)
        .outerjoin(_Root, _Root.id == _Member.root_id)
        .where(Activity.state == "open", Activity.kind == "call_back", visible_activities(principal))
        .order_by(Activity.due_at, Activity.id)
        .limit(MOST)
    )  # fmt: skip
    return [
        {
            "id": str(row.id),
            "title": row.title,
            "due_at": rfc3339(row.due_at),
            "phone": row.phone,
            "missed": row.missed,
            "tried": row.tried,
            "lead": id_text(row.lead_id),
            "owner": named(row.owner_id, row.owner_name),
            "contact": named(row.root_id, row.contact_name),
        }
        for row in rows
    ]
