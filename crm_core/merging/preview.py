"""What a merge by hand would make of two contacts, field by field, and from which inquiry each value came. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, text

from crm_core.access import Principal, demand
from crm_core.access.visibility import select_any
from crm_core.base.errors import Conflict, Forbidden
from crm_core.base.values import Named
from crm_core.contacts.models import Contact
from crm_core.contacts.queries import visible_root
from crm_core.identity.names import clean_name
from crm_core.leads.models import Lead
from crm_core.merging.rules import Member, OpenLead, Survivor, WrittenName, survivor
from crm_core.people.models import Owner

#: Who merges anybody's clients. A manager merges those that are both their own.
MERGES_ANY: Final = frozenset({"admin", "head"})


@dataclass(frozen=True, slots=True)
class Origin:
    """The inquiry that a value came with."""

    event_id: int
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class FieldValue:
    value: str
    of: int  # the contact that it stands on
    origin: Origin | None  # None: nobody wrote it, it was decided here


@dataclass(frozen=True, slots=True)
class FieldPreview:
    field: str  # name | company | owner | phone | email | first_inquiry | … (kinds of messengers)
    chosen: str  # "" where all of them stay
    rule: str  # machine-readable; all_stay where nothing has to be chosen
    values: Sequence[FieldValue]
    is_conflict: bool


@dataclass(frozen=True, slots=True)
class FoldedLead:
    lead_id: int
    title: str
    into: int


@dataclass(frozen=True, slots=True)
class MergePreview:
    winner: Named
    loser: Named
    fields: Sequence[FieldPreview]
    leads: int  # that come over from the loser
    folded: Sequence[FoldedLead]
    conflicts: Sequence[str]
    called_different: bool  # somebody said once that these are two people


@dataclass(frozen=True, slots=True)
class Pair:
    """Two roots as they stand, and what becomes of them."""

    winner: Member
    loser: Member
    leads: tuple[OpenLead, ...]
    outcome: Survivor


def preview_merge(connection: Connection, principal: Principal, winner_id: int, loser_id: int, now: datetime) -> MergePreview:
    """Raises as `merge_contacts` would."""
    demand(principal, "contacts.merge")
    pair = read_pair(connection, principal, winner_id, loser_id, now)
    return _shown(connection, pair)


def read_pair(connection: Connection, principal: Principal, winner_id: int, loser_id: int, now: datetime) -> Pair:
    """Raises NotFound for what the principal may not see, Forbidden for colleagues' clients, Conflict for one and the same
    person and for an erased one."""
    winner, loser = (_member(connection, visible_root(connection, principal, one), now) for one in (winner_id, loser_id))
    if winner.id == loser.id:
        raise Conflict("merged_already", "These are one contact already.")
    if principal.role not in MERGES_ANY and {winner.owner_id, loser.owner_id} != {principal.owner_id}:
        raise Forbidden("client_of_another", "One of these clients is a colleague's. Ask a head of sales to merge them.")
    leads = _open_leads(connection, (winner.id, loser.id))
    names = [one for one, _ in written_names(connection, (winner.id, loser.id))]
    return Pair(winner, loser, leads, survivor(winner, loser, names, leads))


def _member(connection: Connection, root_id: int, now: datetime) -> Member:
    row = connection.execute(
        select_any(*Contact.__table__.columns, because="the root was seen").where(Contact.id == root_id)
    ).one()
    if row.erased_at is not None:
        raise Conflict("contact_erased", "This person's data was erased; there is nobody left to merge.")
    bound_until = row.owner_bound_until
    return Member(row.id, row.name, row.company, row.owner_id, row.kind, bound_until is not None and bound_until > now)


def _open_leads(connection: Connection, roots: Sequence[int]) -> tuple[OpenLead, ...]:
    rows = connection.execute(
        select_any(Lead.id, Lead.contact_id, Lead.line, Lead.owner_id, Lead.received_at, because="the root was seen")
        .where(Lead.contact_id.in_(roots), Lead.state == "open")
        .order_by(Lead.id)
    )
    return tuple(OpenLead(row.id, row.contact_id, row.line, row.owner_id, row.received_at) for row in rows)


_WRITTEN: Final = """
SELECT c.root_id, t.event_id, t.at, s.name AS source, t.data->>'name' AS form_name, t.data->'from'->>'name' AS mail_name,
       t.data->>'company' AS company
  FROM contact c JOIN touch t ON t.contact_id = c.id LEFT JOIN source s ON s.id = t.source_id
 WHERE c.root_id = ANY(:roots) AND t.event_id IS NOT NULL AND t.kind IN ('form', 'mail') ORDER BY t.id
"""


def written_names(connection: Connection, roots: Sequence[int]) -> list[tuple[WrittenName, Any]]:
    """Names as inquiries gave them, the oldest first, each with its row."""
    rows = connection.execute(text(_WRITTEN), {"roots": list(roots)}).all()
    return [
        (WrittenName(name, row.at), row) for row in rows if (name := clean_name(row.form_name or row.mail_name or ""))
    ]  # fmt: skip


_REACH: Final = """
SELECT c.root_id, i.kind, ci.display, ci.event_id, coalesce(e.received_at, ci.first_seen_at) AS at, s.name AS source
  FROM contact c JOIN contact_identifier ci ON ci.contact_id = c.id JOIN identifier i ON i.id = ci.identifier_id
  LEFT JOIN inbound_event e ON e.id = ci.event_id LEFT JOIN source s ON s.id = e.source_id
 WHERE c.root_id = ANY(:roots) AND ci.retired_at IS NULL AND i.kind <> 'thread' ORDER BY ci.first_seen_at, i.id
"""
_FIRST: Final = """
SELECT DISTINCT ON (l.contact_id) l.contact_id AS root_id, l.event_id, l.received_at AS at, s.name AS source,
       coalesce(l.attribution->>'utm_source', '') AS campaign
  FROM lead l JOIN source s ON s.id = l.source_id WHERE l.contact_id = ANY(:roots) ORDER BY l.contact_id, l.received_at, l.id
"""


def _shown(connection: Connection, pair: Pair) -> MergePreview:
    roots = [pair.winner.id, pair.loser.id]
    outcome, conflicts = pair.outcome, set(pair.outcome.conflicts)
    names = written_names(connection, roots)
    companies = [row for row in connection.execute(text(_WRITTEN), {"roots": roots}) if row.company]
    owners = {row.id: row.name for row in connection.execute(select(Owner.id, Owner.name))}

    def origin(of: int, value: str, found: Sequence[tuple[str, Any]]) -> Origin | None:
        row = next((row for written, row in found if written == value and row.root_id == of), None)
        return None if row is None else Origin(row.event_id, row.at, row.source or "")

    said = [(one.text, row) for one, row in names]
    firms = [(row.company.strip(), row) for row in companies]
    fields = [
        FieldPreview("name", outcome.name.value, outcome.name.rule,
                     [FieldValue(one.name, one.id, origin(one.id, one.name, said)) for one in (pair.winner, pair.loser) if one.name],
                     "name" in conflicts),
        FieldPreview("company", outcome.company.value, outcome.company.rule,
                     [FieldValue(one.company, one.id, origin(one.id, one.company, firms))
                      for one in (pair.winner, pair.loser) if one.company],
                     "company" in conflicts),
        FieldPreview("owner", owners.get(outcome.owner.value, ""), outcome.owner.rule,
                     [FieldValue(owners[one.owner_id], one.id, None) for one in (pair.winner, pair.loser) if one.owner_id in owners],
                     "owner" in conflicts),
    ]  # fmt: skip
    reach: dict[str, list[FieldValue]] = {}
    for row in connection.execute(text(_REACH), {"roots": roots}):
        known = Origin(row.event_id, row.at, row.source or "") if row.event_id is not None else None
        reach.setdefault(row.kind, []).append(FieldValue(row.display, row.root_id, known))
    fields += [FieldPreview(kind, "", "all_stay", values, False) for kind, values in reach.items()]
    first = sorted(connection.execute(text(_FIRST), {"roots": roots}), key=lambda row: row.at)
    if first:
        values = [FieldValue(row.campaign or row.source, row.root_id, Origin(row.event_id, row.at, row.source)) for row in first]
        fields.append(FieldPreview("first_inquiry", values[0].value, "earliest", values, False))
    titles = {
        row.id: row.title
        for row in connection.execute(
            select_any(Lead.id, Lead.title, because="the root was seen").where(Lead.id.in_([lead for lead, _ in outcome.folds]))
        )
    }
    moved = connection.scalar(text("SELECT count(*) FROM lead WHERE contact_id = :loser"), {"loser": pair.loser.id}) or 0
    return MergePreview(
        Named(pair.winner.id, pair.winner.name), Named(pair.loser.id, pair.loser.name), fields, moved,
        [FoldedLead(lead, titles.get(lead, ""), into) for lead, into in outcome.folds], outcome.conflicts,
        called_different(connection, pair.winner.id, pair.loser.id),
    )  # fmt: skip


def called_different(connection: Connection, one_root: int, other_root: int) -> bool:
    """Somebody said of two contacts that answer as these that they are two people."""
    return bool(
        connection.scalar(
            text(
                "SELECT 1 FROM suggestion s JOIN contact a ON a.id = s.a_id JOIN contact b ON b.id = s.b_id"
                " WHERE s.state = 'different' AND (a.root_id, b.root_id) IN ((:one, :other), (:other, :one)) LIMIT 1"
            ),
            {"one": one_root, "other": other_root},
        )
    )
