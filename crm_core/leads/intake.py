"""Leads of a batch: the latest of each contact and line are read, new ones and what changed on known ones are written.

What an inquiry does to them is decided in `inquiries`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from crm_core.base import history
from crm_core.base.copying import copy_rows
from crm_core.batch.rows import Cursor, update_rows
from crm_core.batch.state import CompanyState, HasId, LeadState, resolve
from crm_core.batch.subject import Batch, Subject
from crm_core.leads.inquiries import take_inquiry
from crm_core.leads.merge_rows import AUTOMATIC, MERGED, write_merge
from crm_core.parsed import Inquiry

CREATED = history.Action("lead.create")
TOUCHED = history.Action("lead.touch")  # an inquiry, a call or a mail joined a lead that was there
REOPENED = history.Action("lead.reopen")  # it was lost, and its client came again

#: What is known of a lead that is not the latest of its contact: the event that it was born from.
BIRTH = "l.event_id AS lead_event_id, l.event_seq AS lead_event_seq, l.repeat_of AS lead_repeat_of"

#: Of a lead's content, what a replay leaves: facts of the event, and the title, which a person may have written anew.
_NOT_REWRITTEN = frozenset({"channel", "source_id", "received_at", "title"})


def _load(cursor: Cursor, batch: Batch) -> None:
    """Of every contact the latest lead of each line."""
    roots = {state.id: state for state in batch.contacts.values()}
    if not roots:
        return
    cursor.execute(
        # One that a person called spam counts only where there is no other.
        "SELECT DISTINCT ON (contact_id, line) id, contact_id, line, CASE WHEN closed_code = 'spam' THEN 'spam' ELSE state END AS state,"
        "  owner_id, pool_id, last_touch_at, closed_at, event_id, event_seq, repeat_of, channel,"
        "  owner_id IN (SELECT id FROM owner WHERE NOT active) AS owner_left FROM lead WHERE contact_id = ANY(%s)"
        # One that was merged away says nothing of how the contact's last occasion ended.
        " ORDER BY contact_id, line, state = 'open' DESC, closed_code = 'spam', closed_code = 'merged', id DESC",
        (list(roots),),
    )
    for row in cursor.fetchall():
        contact = roots[row["contact_id"]]
        lead = LeadState(
            row["id"], contact, row["line"], row["state"], row["owner_id"], row["last_touch_at"], row["event_id"],
            row["event_seq"], row["repeat_of"], closed_at=row["closed_at"], pool_id=row["pool_id"],
            owner_left=bool(row["owner_left"]), channel=row["channel"],
        )  # fmt: skip
        contact.leads[row["line"]] = lead
        batch.leads[row["id"]] = lead


def lead_of(batch: Batch, row: dict[str, Any]) -> LeadState | None:
    """The lead that a row names (`lead_id`, `contact_id` and BIRTH). One that is not the latest of its contact and line is known
    by its id only and never decided about."""
    if row["lead_id"] is None or row["lead_id"] in batch.leads:
        return batch.leads.get(row["lead_id"])
    contact = batch.contacts[row["contact_id"]]
    lead = LeadState(
        row["lead_id"], contact, "", "closed", None, contact.last_seen_at or datetime.min.replace(tzinfo=UTC),
        row["lead_event_id"], row["lead_event_seq"], row["lead_repeat_of"],
    )  # fmt: skip
    batch.leads[row["lead_id"]] = lead
    return lead


def _new(batch: Batch) -> Mapping[str, Sequence[HasId]]:
    return {"lead": batch.new_leads}


def _write(cursor: Cursor, batch: Batch) -> None:
    _write_merges(cursor, batch)
    copy_rows(cursor, "lead", [_lead_row(lead) for lead in batch.new_leads])
    touched = [lead for lead in batch.leads.values() if lead.new_touches or lead.assignment]
    if touched:
        cursor.execute(
            "UPDATE lead SET touches = touches + k.n, last_touch_at = greatest(last_touch_at, k.at), version = version + 1,"
            "  owner_id = coalesce(k.owner, lead.owner_id)"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::bigint[]) AS k(id, n, at, owner)"
            " WHERE lead.id = k.id",
            (
                [lead.id for lead in touched],
                [lead.new_touches for lead in touched],
                [lead.last_touch_at for lead in touched],
                [lead.owner_id if lead.assignment else None for lead in touched],
            ),
        )
    reopened = [lead for lead in touched if lead.is_reopened]
    if reopened:
        cursor.execute(
            "UPDATE lead SET state = 'open', closed_at = NULL, lost_reason = '' WHERE id = ANY(%s)",
            ([lead.id for lead in reopened],),
        )
        batch.happened += [(REOPENED, lead.id) for lead in reopened if lead.id is not None]
    rewritten = [lead for lead in batch.leads.values() if lead.content is not None]
    update_rows(
        cursor, "lead",
        [{"id": lead.id, **{k: v for k, v in (lead.content or {}).items() if k not in _NOT_REWRITTEN}} for lead in rewritten],
    )  # fmt: skip
    if rewritten:
        cursor.execute(
            "UPDATE lead SET title = k.title FROM unnest(%s::bigint[], %s::text[]) AS k(id, title)"
            " WHERE lead.id = k.id AND lead.title <> k.title AND NOT EXISTS (SELECT 1 FROM touch t"
            "  WHERE t.lead_id = lead.id AND t.kind = 'stage' AND t.data->'changed'->'title' IS NOT NULL)",
            ([lead.id for lead in rewritten], [(lead.content or {})["title"] for lead in rewritten]),
        )
    batch.happened += [(CREATED, lead.id) for lead in batch.new_leads if lead.id is not None]
    batch.happened += [
        (TOUCHED, lead.id) for lead in batch.leads.values() if lead.id is not None and lead.new_touches and not lead.created
    ]


def _lead_row(lead: LeadState) -> dict[str, Any]:
    repeat_of = lead.repeat_of.id if isinstance(lead.repeat_of, LeadState) else lead.repeat_of
    return {
        **(lead.content or {}), "id": lead.id, "contact_id": lead.contact.root.id, "line": lead.line, "state": lead.state,
        "stage": "new", "event_id": lead.event_id, "event_seq": lead.event_seq, "owner_id": lead.owner_id,
        "pool_id": lead.pool_id, "touches": 1 + lead.new_touches, "repeat_of": repeat_of, "created_at": "now",
        "last_touch_at": lead.last_touch_at, "closed_code": "merged" if lead.folded_into else "",
        "closed_at": "now" if lead.folded_into else None,
        "spam": {"score": 0, "reasons": [], **lead.spam}, "version": 1,
    }  # fmt: skip


def _write_merges(cursor: Cursor, batch: Batch) -> None:
    """The contacts' rows and their leads in one place: what moved stands in the merge's own row, for whoever undoes it."""
    for merge in batch.merges:
        winner, loser = merge.winner.root, merge.loser
        assert winner.id is not None
        assert loser.id is not None
        write_merge(
            cursor, winner.id, loser.id, [(lead.id, lead.folded_into.id) for lead in merge.folded if lead.id and lead.folded_into and lead.folded_into.id],
            actor=AUTOMATIC, event_id=merge.event_id, evidence=resolve({"rule": merge.rule, "evidence": merge.evidence}),
            before={"winner": _with_company(merge.winner_before), "loser_name": merge.loser_name, "loser_owner_id": merge.loser_owner_id},
        )  # fmt: skip
        batch.happened.append((MERGED, winner.id))


def _with_company(before: Mapping[str, Any]) -> dict[str, Any]:
    """Now that it has an id."""
    company = before.get("company_id")
    return {**before, "company_id": company.id if isinstance(company, CompanyState) else None}


def events_beyond_spam(cursor: Cursor, event_ids: Collection[int]) -> set[int]:
    """Those of the events that brought something to a lead that no person called spam."""
    cursor.execute(
        "SELECT DISTINCT t.event_id FROM touch t JOIN lead l ON l.id = t.lead_id"
        " WHERE t.event_id = ANY(%s) AND l.closed_code <> 'spam'",
        (list(event_ids),),
    )
    return {row["event_id"] for row in cursor.fetchall()}


SUBJECT = Subject("leads", load=_load, takes={Inquiry: take_inquiry}, new=_new, write=_write)
