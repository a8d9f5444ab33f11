"""Taking a merge apart: the domain's side of it. The journal's rows of what goes to the other person are
`ingest.processing.merge_undo`'s, in the same transaction.

Both are as if they had never been merged: what came before goes back, what came later goes to whoever owns its identifiers,
later merges hold. The pair is never joined again by itself. Rows that people changed since stay as they are, and are named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from crm_core.access import Principal, demand
from crm_core.base import history, reasons
from crm_core.base.errors import Conflict, Forbidden, NotFound
from crm_core.base.paging import AnyRow
from crm_core.batch.rows import draw_ids, insert_rows
from crm_core.batch.windows import WindowsOf, standard
from crm_core.contacts.models import Contact, MergeEvent, Suggestion
from crm_core.contacts.queries import visible_root
from crm_core.leads.inquiries import attribution_columns, headline
from crm_core.merging.cluster import read_cluster
from crm_core.merging.holding import cursor_of, hold_roots
from crm_core.merging.preview import MERGES_ANY
from crm_core.merging.split import MergeFact, NewLead, Plan, Shown, split
from crm_core.parsed import Attribution
from crm_core.routing.refunds import take_back
from crm_core.search import mark

UNDONE: Final = history.Action("contact.unmerge", touch="merge")


@dataclass(frozen=True, slots=True)
class EventOf:
    """Where an event belongs now, for the journal."""

    event_id: int
    contact_id: int
    lead_id: int | None
    outcome: str | None  # None: as it was


@dataclass(frozen=True, slots=True)
class UndoView:
    """What an undo does, or would do."""

    merge_id: int
    winner_id: int  # the two persons that there are again
    loser_id: int
    winner_name: str
    loser_name: str
    touches: int  # of later inquiries, that go to the other one
    leads: int  # that go to the other one
    reopened: int  # leads that were folded and go on
    new_leads: int
    conflicts: Sequence[tuple[str, int]]  # what stays as people left it: code, id


@dataclass(frozen=True, slots=True)
class Undone:
    view: UndoView
    events: Sequence[EventOf]


def look_at_undo(connection: Connection, principal: Principal, merge_id: int, windows: WindowsOf = standard) -> UndoView:
    """What `undo` would do. Changes nothing, locks nothing; raises as it would."""
    demand(principal, "contacts.merge")
    row, root_id = _merge(connection, principal, merge_id)
    _refuse(connection, principal, row, root_id)
    merge, plan = _plan(connection, root_id, merge_id, windows)
    return _view(merge, plan, connection)


def undo(
    connection: Connection, principal: Principal, merge_id: int, why: str, now: datetime, windows: WindowsOf = standard
) -> Undone:
    """`windows`: those of the sources, by which it is decided again what is a lead of its own. Raises Forbidden; NotFound; Conflict if it was undone already, the person was erased, or something of theirs was merged
    or taken apart at the same moment."""
    demand(principal, "contacts.merge")
    why = reasons.optional(why)
    row, root_id = _merge(connection, principal, merge_id)
    _refuse(connection, principal, row, root_id)
    try:
        hold_roots(connection, [root_id])
    except Conflict:
        _refuse(connection, principal, *_merge(connection, principal, merge_id))  # a colleague undid it meanwhile
        raise
    row, root_now = _merge(connection, principal, merge_id)
    _refuse(connection, principal, row, root_now)
    if root_now != root_id:
        raise Conflict("merged_meanwhile", "This contact was merged with another just now. Look again.")
    merge, plan = _plan(connection, root_id, merge_id, windows)
    view = _view(merge, plan, connection)
    made = _write_new_leads(connection, plan, now)
    _write_contacts(connection, plan)
    _write_leads(connection, plan)
    events = _write_touches(connection, plan, made)
    _write_tasks(connection, root_id, merge_id, plan)
    _write_links(connection, plan)
    _write_merges(connection, principal, plan, merge_id, now)
    _never_again(connection, principal, merge, now)
    mark(connection, {*plan.roots, root_id}, anew=True)
    take_back(cursor_of(connection), plan.reopened)  # locks pools, so it comes last
    touch = history.Touch(
        plan.roots[0], now, text=why,
        data={"merge": str(merge_id), "winner": str(plan.roots[0]), "loser": str(plan.roots[1]), "undone": True},
    )  # fmt: skip
    history.record(
        connection, principal, UNDONE, plan.roots[0],
        {"merge": str(merge_id), "loser": str(plan.roots[1]), "touches": view.touches, "leads": view.leads}, touch,
    )  # fmt: skip
    return Undone(view, events)


def _merge(connection: Connection, principal: Principal, merge_id: int) -> tuple[AnyRow, int]:
    unknown = NotFound("merge_unknown", f"There is no merge {merge_id}.")
    row = connection.execute(select(*MergeEvent.__table__.columns).where(MergeEvent.id == merge_id)).one_or_none()
    if row is None:
        raise unknown
    try:
        return row, visible_root(connection, principal, row.winner_id)
    except NotFound:
        raise unknown from None


def _refuse(connection: Connection, principal: Principal, row: AnyRow, root_id: int) -> None:
    if row.undone_at is not None:
        raise Conflict("merge_undone", "This merge was undone already.")
    if principal.role not in MERGES_ANY and row.actor != principal.actor:
        raise Forbidden("merge_of_another", "Only who merged these contacts, or a head of sales, can take it back.")
    if connection.scalar(select(Contact.erased_at).where(Contact.id == root_id)) is not None:
        raise Conflict("contact_erased", "This person's data was erased; there is nobody left to take apart.")


def _plan(connection: Connection, root_id: int, merge_id: int, windows: WindowsOf) -> tuple[MergeFact, Plan]:
    cluster = read_cluster(connection, root_id, merge_id, windows)
    merge = next((one for one in cluster.merges if one.id == merge_id), None)
    if merge is None:
        raise Conflict("merged_meanwhile", "These contacts were taken apart just now. Look again.")
    return merge, split(cluster, merge)


def _view(merge: MergeFact, plan: Plan, connection: Connection) -> UndoView:
    names = {
        row.id: row.name for row in connection.execute(text("SELECT id, name FROM contact WHERE id = ANY(:ids)"), {"ids": list(plan.roots)})
    }  # fmt: skip
    one, other = (plan.shown[root].name if root in plan.shown else names.get(root, "") for root in plan.roots)
    return UndoView(
        merge.id, plan.roots[0], plan.roots[1], one, other, sum(touch.outcome is not None or touch.counts for touch in plan.touches),
        len(plan.leads), len(plan.reopened), len(plan.new_leads), tuple(plan.conflicts),
    )  # fmt: skip


# --- writing, in the order that the unique indexes allow


def _write_contacts(connection: Connection, plan: Plan) -> None:
    connection.execute(
        text(
            "UPDATE contact c SET root_id = k.root FROM unnest(CAST(:ids AS bigint[]), CAST(:roots AS bigint[])) AS k(id, root)"
            " WHERE c.id = k.id AND c.root_id <> k.root"
        ),
        {"ids": list(plan.root_of), "roots": list(plan.root_of.values())},
    )
    for contact_id, shown in plan.shown.items():
        connection.execute(
            text(
                "UPDATE contact SET name = :name, company = :company, owner_id = :owner,"
                " owner_since = CAST(:since AS timestamptz), owner_bound_until = CAST(:bound AS timestamptz), last_seen_at = :seen, company_id = :company_id, version = version + 1 WHERE id = :id"
            ),
            {"id": contact_id, "name": shown.name, "company": shown.company, "owner": shown.owner_id,
             "since": shown.owner_since, "bound": shown.owner_bound_until, "seen": shown.last_seen_at, "company_id": shown.company_id},
        )  # fmt: skip


def _write_leads(connection: Connection, plan: Plan) -> None:
    closing = text(
        "UPDATE lead SET state = 'closed', closed_code = 'merged', closed_at = now(), version = version + 1 WHERE id = ANY(:ids)"
    )
    connection.execute(closing, {"ids": plan.closed})
    connection.execute(
        text(
            "UPDATE lead l SET contact_id = k.contact FROM unnest(CAST(:ids AS bigint[]), CAST(:contacts AS bigint[]))"
            " AS k(id, contact) WHERE l.id = k.id"
        ),
        {"ids": list(plan.leads), "contacts": list(plan.leads.values())},
    )
    connection.execute(
        text(
            "UPDATE lead SET state = 'open', closed_code = '', closed_at = NULL, version = version + 1"
            " WHERE id = ANY(:ids) AND state = 'closed' AND closed_code = 'merged'"
        ),
        {"ids": plan.reopened},
    )
    for lead_id, repeats in plan.repeats.items():
        connection.execute(text("UPDATE lead SET repeat_of = :repeats WHERE id = :id"), {"id": lead_id, "repeats": repeats})


#: What an inquiry of each kind says of the lead that it makes.
_OF_INQUIRY: Final = """
SELECT t.id, t.kind, t.source_id, t.event_id, t.seq, t.title, t.text, t.data, t.identifiers, coalesce(e.received_at, t.at) AS received_at,
       ARRAY(SELECT DISTINCT i.kind FROM identifier i WHERE i.id = ANY(t.identifiers)) AS kinds
  FROM touch t LEFT JOIN inbound_event e ON e.id = t.event_id WHERE t.id = ANY(:ids)
"""


def _write_new_leads(connection: Connection, plan: Plan, now: datetime) -> dict[int, int]:
    """Number in the plan → id. They are written closed to the rest: the touches follow."""
    if not plan.new_leads:
        return {}
    cursor = cursor_of(connection)
    ids = draw_ids(cursor, {"lead": len(plan.new_leads)})["lead"]
    made = {lead.number: lead_id for lead, lead_id in zip(plan.new_leads, ids, strict=True)}
    found = {
        row.id: row for row in connection.execute(text(_OF_INQUIRY), {"ids": [lead.touch_id for lead in plan.new_leads]})
    }  # fmt: skip
    rows = [_lead_row(lead, found[lead.touch_id], made, now) for lead in plan.new_leads]
    insert_rows(cursor, "lead", rows)
    insert_rows(
        cursor, "assignment",
        [{"lead_id": made[lead.number], "owner_id": lead.owner_id, "pool_id": None, "kind": "sticky", "actor": "hub", "at": now,
          "trace": {"code": "merge_undone", "steps": []}} for lead in plan.new_leads],
    )  # fmt: skip
    return made


def _lead_row(lead: NewLead, touch: AnyRow, made: Mapping[int, int], now: datetime) -> dict[str, Any]:
    data: Mapping[str, Any] = touch.data or {}
    form: Mapping[str, Any] = data.get("form") or {}
    title, fields = touch.title, dict(data.get("fields") or {})
    if touch.kind == "call":
        title = f"{touch.title} {data.get('remote') or ''}".strip()
        if data.get("our_number") or data.get("queue"):
            fields = {"called": data.get("our_number") or "", "queue": data.get("queue") or ""}
    elif touch.kind == "form":
        typed = (("phone", data.get("phones") or ()), ("email", data.get("emails") or ()))
        fields = {kind: ", ".join(texts) for kind, texts in typed if texts and kind not in touch.kinds} | fields
    repeats = made.get(lead.repeat_of, lead.repeat_of) if lead.repeat_of is not None else None
    return {
        "id": made[lead.number], "contact_id": lead.contact_id, "line": lead.line, "state": "open", "stage": "new",
        "title": headline(title), "channel": touch.kind, "source_id": touch.source_id, "event_id": touch.event_id,
        "event_seq": touch.seq, "form_id": form.get("id") or "", "form_name": form.get("name") or "", "owner_id": lead.owner_id,
        "pool_id": None, "message": touch.text if touch.kind != "call" else "", "fields": fields,
        "attribution": data.get("attribution") or attribution_columns(Attribution()), "touches": 0, "repeat_of": repeats,
        "received_at": touch.received_at, "created_at": now, "last_touch_at": touch.received_at, "closed_code": "",
        "spam": {"score": 0, "reasons": []}, "version": 1,
    }  # fmt: skip


def _write_touches(connection: Connection, plan: Plan, made: Mapping[int, int]) -> list[EventOf]:
    """The later touches with what hangs on them, and the figures of their leads. Says where their events belong now."""

    def real(lead_id: int | None) -> int | None:
        return made.get(lead_id, lead_id) if lead_id is not None else None

    moved = plan.touches
    connection.execute(
        text(
            "UPDATE touch t SET contact_id = k.contact, lead_id = k.lead FROM unnest(CAST(:ids AS bigint[]),"
            " CAST(:contacts AS bigint[]), CAST(:leads AS bigint[])) AS k(id, contact, lead) WHERE t.id = k.id"
        ),
        {"ids": [one.touch_id for one in moved], "contacts": [one.contact_id for one in moved],
         "leads": [real(one.lead_id) for one in moved]},
    )  # fmt: skip
    ids = {"ids": [one.touch_id for one in moved]}
    for table, by in _HANG_ON_TOUCHES.items():
        connection.execute(
            text(
                f"UPDATE {table} x SET contact_id = t.contact_id, lead_id = t.lead_id FROM touch t WHERE t.id = ANY(:ids) AND {by}"
            ),
            ids,
        )
    shifts: dict[int, int] = {}
    for one in moved:
        before, after = one.before_lead_id, real(one.lead_id)
        if one.counts and before != after:
            for lead_id, by_one in ((before, -1), (after, 1)):
                if lead_id is not None:
                    shifts[lead_id] = shifts.get(lead_id, 0) + by_one
    connection.execute(
        text(
            "UPDATE lead l SET touches = greatest(1, l.touches + k.n), last_touch_at = greatest(l.received_at, (SELECT"
            "  max(coalesce(e.received_at, t.at)) FROM touch t LEFT JOIN inbound_event e ON e.id = t.event_id WHERE t.lead_id = l.id"
            "   AND (t.event_id IS NOT NULL OR t.kind = 'comment')))"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:n AS bigint[])) AS k(id, n) WHERE l.id = k.id"
        ),
        {"ids": list(shifts), "n": list(shifts.values())},
    )
    rows = connection.execute(
        text(
            "SELECT t.id, t.event_id, t.contact_id, t.lead_id, t.call_id FROM touch t WHERE t.id = ANY(:ids) AND t.event_id IS NOT NULL"
        ),
        ids,
    )
    outcomes = {one.touch_id: one.outcome for one in moved}
    events = {row.event_id: EventOf(row.event_id, row.contact_id, row.lead_id, outcomes[row.id]) for row in rows}
    # The other events of a call that goes to the other person; their reason names it.
    others = connection.execute(
        text(
            "SELECT x.id, k.contact_id, k.lead_id FROM touch t JOIN call k ON k.id = t.call_id"
            "  JOIN inbound_event x ON x.source_id = k.source_id AND x.contact_id IS NOT NULL AND x.reason->>'call' = k.id::text"
            "   AND x.received_at BETWEEN k.created_at - interval '1 day' AND k.created_at + interval '7 days'"
            " WHERE t.id = ANY(:ids)"
        ),
        ids,
    )
    for row in others:
        events.setdefault(row.id, EventOf(row.id, row.contact_id, row.lead_id, None))
    return list(events.values())


#: What came with an inquiry stays with it: table → how it is known by the touch.
_HANG_ON_TOUCHES: Final = {
    "call": "x.id = t.call_id",
    "mail_message": "x.id = t.message_id",
    "consent": "(x.event_id, x.seq) = (t.event_id, t.seq)",
    "attachment": "(x.event_id, x.seq) = (t.event_id, t.seq)",
    "activity": "x.call_id = t.call_id",
}


def _write_tasks(connection: Connection, root_id: int, merge_id: int, plan: Plan) -> None:
    """Open tasks go back to the lead that they were taken from, and along with it where a later merge folds it now; a task is with
    its lead's person."""
    folded = {lead: (merge.id, kept) for merge in plan.merges for lead, kept in merge.folds}
    moved = connection.execute(
        text("SELECT moved->'tasks' AS tasks, moved->'kept' AS kept FROM merge_event WHERE id >= :id AND undone_at IS NULL AND loser_id = ANY(:members)"),
        {"id": merge_id, "members": list(plan.root_of)},
    ).all()  # fmt: skip
    for row in moved:
        for task_id, lead_id in (row.tasks or {}).items():
            if lead_id in plan.reopened or lead_id in folded:
                connection.execute(
                    text("UPDATE activity SET lead_id = :lead WHERE id = :id AND lead_id = :kept"),
                    {"id": int(task_id), "lead": lead_id, "kept": (row.kept or {}).get(str(lead_id))},
                )
    for lead_id, (later_id, kept) in folded.items():
        taken = connection.scalars(
            text("UPDATE activity SET lead_id = :kept WHERE lead_id = :lead AND state = 'open' RETURNING id"),
            {"lead": lead_id, "kept": kept},
        ).all()
        connection.execute(
            text("UPDATE merge_event SET moved = jsonb_set(moved, '{tasks}', CAST(:tasks AS jsonb)) WHERE id = :id"),
            {"id": later_id, "tasks": orjson.dumps({str(task_id): lead_id for task_id in taken}).decode()},
        )
    connection.execute(
        text(
            "UPDATE activity a SET contact_id = l.contact_id FROM lead l, contact c WHERE l.id = a.lead_id AND c.id = a.contact_id"
            " AND c.root_id = ANY(:roots) AND l.contact_id = ANY(:roots) AND c.root_id <> l.contact_id"
        ),
        {"roots": [*plan.roots, root_id]},
    )


def _write_links(connection: Connection, plan: Plan) -> None:
    for identifier_id, before, after in plan.links:
        values = {"identifier": identifier_id, "before": before, "after": after}
        connection.execute(
            text(
                "UPDATE contact_identifier SET contact_id = :after WHERE identifier_id = :identifier AND contact_id = :before"
                " AND NOT EXISTS (SELECT 1 FROM contact_identifier WHERE identifier_id = :identifier AND contact_id = :after)"
            ),
            values,
        )


def _write_merges(connection: Connection, principal: Principal, plan: Plan, merge_id: int, now: datetime) -> None:
    for merge in plan.merges:
        moved = {"winner": _told(merge.winner_before), "folded": [lead for lead, _ in merge.folds],
                 "kept": {str(lead): kept for lead, kept in merge.folds}}  # fmt: skip
        connection.execute(
            text(
                "UPDATE merge_event SET winner_id = :winner, loser_id = :loser, moved = moved || CAST(:moved AS jsonb) WHERE id = :id"
            ),
            {"id": merge.id, "winner": merge.winner_id, "loser": merge.loser_id, "moved": orjson.dumps(moved).decode()},
        )
    connection.execute(
        text("UPDATE merge_event SET undone_at = :now, undone_by = :by WHERE id = :id"),
        {"id": merge_id, "now": now, "by": principal.actor},
    )


def _told(shown: Shown) -> dict[str, Any]:
    return {
        "name": shown.name, "company": shown.company, "owner_id": shown.owner_id, "owner_since": shown.owner_since,
        "last_seen_at": shown.last_seen_at.isoformat(), "owner_bound_until": shown.owner_bound_until,
        "company_id": shown.company_id,
    }  # fmt: skip


def _never_again(connection: Connection, principal: Principal, merge: MergeFact, now: datetime) -> None:
    """The two themselves, not whoever they answer as today: that may be undone as well."""
    a, b = sorted((merge.winner_id, merge.loser_id))
    decided = {"state": "different", "decided_at": now, "decided_by": principal.actor}
    connection.execute(
        upsert(Suggestion)
        .values(a_id=a, b_id=b, why={"code": "merge_undone", "merge": str(merge.id)}, at=now, **decided)
        .on_conflict_do_update(index_elements=["a_id", "b_id"], set_=decided)
    )
