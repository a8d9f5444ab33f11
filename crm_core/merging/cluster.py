"""Reads everything that answers as one contact, with what was merged into it, for taking a merge apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from crm_core.base.paging import AnyRow
from crm_core.batch.windows import Windows, WindowsOf, standard
from crm_core.calls.rules import MISSED_OUTCOMES
from crm_core.contacts.company_members import companies_of_domains
from crm_core.identity.companies import company_domain
from crm_core.identity.emails import read_emails
from crm_core.leads.merge_rows import AUTOMATIC
from crm_core.merging.split import Cluster, LeadFact, LinkFact, MergeFact, Shown, TouchFact

_CONTACTS: Final = """
SELECT id, name, company, owner_id, owner_since, owner_bound_until, last_seen_at, company_id FROM contact WHERE root_id = :root ORDER BY id
"""
_MERGES: Final = """
SELECT m.id, m.winner_id, m.loser_id, m.actor, m.event_id, m.moved FROM merge_event m JOIN contact c ON c.id = m.loser_id
 WHERE c.root_id = :root AND m.undone_at IS NULL ORDER BY m.id
"""
_TOUCHES: Final = """
SELECT t.id, t.contact_id, t.lead_id, t.event_id, t.seq, t.kind, t.title, t.at, t.data, t.identifiers, t.counted, t.double_of, t.source_id,
       coalesce(e.received_at, t.at) AS received_at, k.remote, k.outcome AS call_outcome
  FROM contact c JOIN touch t ON t.contact_id = c.id LEFT JOIN inbound_event e ON e.id = t.event_id
  LEFT JOIN call k ON k.id = t.call_id WHERE c.root_id = :root ORDER BY t.id
"""
_LEADS: Final = """
SELECT id, line, CASE WHEN closed_code = 'spam' THEN 'spam' ELSE state END AS state, closed_code, closed_at, last_touch_at,
       owner_id, event_id, event_seq, repeat_of, contact_id, received_at, channel FROM lead WHERE contact_id = :root ORDER BY id
"""
_LINKS: Final = """
SELECT ci.identifier_id, ci.contact_id, ci.event_id, ci.exclusive, i.kind, i.value, i.strength FROM contact c
  JOIN contact_identifier ci ON ci.contact_id = c.id JOIN identifier i ON i.id = ci.identifier_id
 WHERE c.root_id = :root ORDER BY ci.identifier_id, ci.contact_id
"""
_PHONE_DIGITS: Final = 9  # of the end of a number, enough to tell it from the others of one person


def read_cluster(connection: Connection, root_id: int, undone_id: int, windows: WindowsOf = standard) -> Cluster:
    """`undone_id` is the merge that is to be taken back."""
    values = {"root": root_id}
    links = connection.execute(text(_LINKS), values).all()
    merges = connection.execute(text(_MERGES), values).all()
    contacts = {row.id: _shown(row._asdict(), row) for row in connection.execute(text(_CONTACTS), values)}
    return Cluster(
        root_id,
        contacts,
        [_merge(row, contacts[row.winner_id]) for row in merges],
        [_touch(row, links, windows(row.source_id)) for row in connection.execute(text(_TOUCHES), values)],
        [
            LeadFact(
                row.id, row.line, row.state, row.closed_code, row.closed_at, row.last_touch_at, row.owner_id, row.event_id,
                row.event_seq, row.repeat_of, row.contact_id, row.received_at, row.channel,
            )
            for row in connection.execute(text(_LEADS), values)
        ],
        [
            LinkFact(row.identifier_id, row.contact_id, row.event_id, row.strength == "strong", row.exclusive)
            for row in links
            if row.strength in ("strong", "weak")
        ],
        frozenset(int(lead) for row in merges if row.id >= undone_id for lead in row.moved.get("folded") or ()),
        _companies(connection, links),
    )  # fmt: skip


def _companies(connection: Connection, links: Sequence[AnyRow]) -> dict[int, int]:
    """Of addresses the company whose domain they are of."""
    domains = {link.identifier_id: domain for link in links if link.kind == "email" and (domain := company_domain(link.value))}
    if not domains:
        return {}
    known = companies_of_domains(connection, set(domains.values()))
    return {identifier: known[domain] for identifier, domain in domains.items() if domain in known}


def _shown(told: Mapping[str, Any], now: Shown | AnyRow) -> Shown:
    """`now`: the row, for what the version before did not keep."""
    since, last, bound = told.get("owner_since"), told.get("last_seen_at") or now.last_seen_at, told.get("owner_bound_until")
    return Shown(
        told.get("name") or "", told.get("company") or "", told.get("owner_id"),
        since.isoformat() if isinstance(since, datetime) else since,
        datetime.fromisoformat(last) if isinstance(last, str) else last,
        bound.isoformat() if isinstance(bound, datetime) else bound,
        told.get("company_id", now.company_id),
    )  # fmt: skip


def _merge(row: AnyRow, now: Shown) -> MergeFact:
    before, after = row.moved.get("winner"), row.moved.get("after")
    return MergeFact(
        row.id, row.winner_id, row.loser_id, row.actor == AUTOMATIC, row.event_id, int(row.moved.get("last_touch") or 0),
        _shown(before, now) if before else None, _shown(after, now) if after else None,
        tuple(row.moved.get("named") or ()),
    )  # fmt: skip


def _touch(row: AnyRow, links: Sequence[AnyRow], windows: Windows) -> TouchFact:
    data = row.data or {}
    sender = data.get("from") or {}
    known = row.identifiers if row.identifiers is not None or row.event_id is None else _recognised(row, data, links)
    return TouchFact(
        row.id, row.contact_id, row.lead_id, row.event_id, row.seq, row.kind,
        row.kind == "call" and (row.call_outcome or row.title) not in MISSED_OUTCOMES, row.received_at,
        tuple(known or ()), str(data.get("name") or sender.get("name") or ""), str(data.get("company") or ""), row.counted,
        row.double_of, row.kind, windows,
    )  # fmt: skip


def _recognised(row: AnyRow, data: Mapping[str, Any], links: Sequence[AnyRow]) -> list[int]:
    """Of a touch from before this was kept: those of the person's identifiers that it names."""
    phones = {_end(text) for text in [*(data.get("phones") or ()), data.get("remote") or "", row.remote or ""]} - {""}
    written = [*(data.get("emails") or ()), (data.get("from") or {}).get("email") or "", data.get("reply_to") or ""]
    emails = {key.value for text in written for key in read_emails(text)}
    return [
        link.identifier_id
        for link in links
        if (link.kind == "phone" and _end(link.value) in phones)
        or (link.kind == "email" and link.value in emails)
        or (link.event_id is not None and link.event_id == row.event_id)
    ]


def _end(number: str) -> str:
    digits = "".join(char for char in number if char.isdecimal())
    return digits[-_PHONE_DIGITS:] if len(digits) >= _PHONE_DIGITS else ""
