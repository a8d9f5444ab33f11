"""Tells those who got a lead in this batch, in one statement for all of them."""

from __future__ import annotations

from crm_core.base.copying import copy_rows
from crm_core.batch.rows import Cursor
from crm_core.batch.state import LeadState
from crm_core.batch.subject import Batch, Subject
from crm_core.routing.intake import Ownership

#: Whoever answered the call knows; a lead that nobody could take waits in a list of its own.
_TOLD_NOBODY = frozenset({"answered", "nobody"})


def _write(cursor: Cursor, batch: Batch) -> None:
    told: list[tuple[str, int, LeadState]] = []
    for lead in batch.part(Ownership).given:
        if not isinstance(lead, LeadState) or lead.folded_into is not None or lead.assignment is None:
            continue
        if lead.owner_id is not None and lead.assignment["kind"] not in _TOLD_NOBODY:
            told.append(("lead_given", lead.owner_id, lead))
        elif lead.assignment["trace"].get("code") == "told_to_all":
            eligible = [one for one in lead.assignment["trace"].get("candidates", ()) if one["verdict"] == "eligible"]
            told += [("lead_to_take", int(one["owner"]), lead) for one in eligible]
    told += [
        ("lead_given", lead.owner_id, lead) for lead in batch.leads.values()
        if lead.is_reopened and lead.owner_id is not None and lead.assignment is None
    ]  # fmt: skip
    copy_rows(
        cursor, "notification",
        [{"owner_id": owner_id, "kind": kind, "lead_id": lead.id, "at": "now", "mail_tries": 0} for kind, owner_id, lead in told],
    )  # fmt: skip


SUBJECT = Subject("notifications", write=_write)
