"""Companies as contacts of their own: known by tax number, register number or domain, made when first heard of, with their
people in them. Each phone and mail stays its person's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from crm_core.batch.rows import Cursor
from crm_core.batch.state import CompanyState, ContactState, LinkState, Place
from crm_core.batch.steps import EventItem
from crm_core.batch.subject import Batch
from crm_core.identity.identifiers import Key

#: Kinds of identifiers that are a company's.
KINDS: Final = ("inn", "ogrn", "domain")


@dataclass(slots=True)
class Companies:
    """Those of a batch."""

    by_id: dict[int, CompanyState] = field(default_factory=dict)
    by_place: dict[Place, CompanyState] = field(default_factory=dict)


def known_company(batch: Batch, row: dict[str, Any]) -> CompanyState:
    """The state of a company that stands in a row as company_id, company_name, company_owner_id and company_has_number."""
    known = batch.part(Companies).by_id
    state = known.get(row["company_id"])
    if state is None:
        state = known[row["company_id"]] = CompanyState(row["company_id"], row["company_name"], owner_id=row["company_owner_id"])
    state.has_number = state.has_number or bool(row.get("company_has_number"))
    return state


def place(batch: Batch, step: EventItem, contact: ContactState) -> None:
    """Puts the contact into the company that the inquiry names; where it names none, they stay in theirs."""
    keys = step.person.company_keys
    if not keys or contact.kind != "person":
        return
    company = _company_of(batch, step, keys)
    if contact.in_company is not company:
        contact.in_company, contact.changed = company, True
        company.people.append(contact)


def _company_of(batch: Batch, step: EventItem, keys: Iterable[Key]) -> CompanyState:
    """Numbers before the domain: a holding has one domain for many companies, each with its own number."""
    by_place = batch.part(Companies).by_place
    found = {key.kind: by_place[key.kind, key.value] for key in keys if (key.kind, key.value) in by_place}
    company = found.get("inn") or found.get("ogrn")
    of_domain = found.get("domain")
    if company is None and of_domain is not None:
        gives_number = any(key.kind != "domain" for key in keys)
        company = None if gives_number and of_domain.has_number else of_domain
    if company is None:
        company = CompanyState(None, created=True, last_seen_at=step.item.received_at)
        batch.new_contacts.append(company)
    for key in keys:
        if (key.kind, key.value) not in by_place:
            by_place[key.kind, key.value] = company
            _link(batch, step, key, company)
        company.has_number = company.has_number or key.kind != "domain"
    _name(company, step.person.company_name, next((key.value for key in keys if key.kind == "domain"), ""))
    return company


def _link(batch: Batch, step: EventItem, key: Key, company: CompanyState) -> None:
    at = step.item.received_at
    batch.identifiers[key.kind, key.value].links.append(
        LinkState(company, key.strength == "strong", key.display, at, step.item.event_id, created=True, seen=True)
    )


def _name(company: CompanyState, told: str, domain: str) -> None:
    """As it was first written; its domain until then."""
    if company.name in ("", domain) and (name := told or company.name or domain) != company.name:
        company.name, company.changed = name, True


def give_first_owners(batch: Batch) -> None:
    """A new company is whose its first person is."""
    for contact in batch.new_contacts:
        if isinstance(contact, CompanyState) and contact.owner_id is None and (owner_id := contact.owner_of_people()) is not None:
            contact.owner_id, contact.owner_since = owner_id, "now"


def write_known(cursor: Cursor, batch: Batch) -> None:
    """What a known company got: a name, or its first owner. Nobody has locked it, so that a big client of many people is no
    bottleneck: what somebody else wrote meanwhile stays."""
    for company in batch.part(Companies).by_id.values():
        owner_id = company.owner_id or company.owner_of_people()
        if company.changed or company.owner_id != owner_id:
            cursor.execute(
                "UPDATE contact SET name = %s, owner_id = coalesce(owner_id, %s), owner_since = coalesce(owner_since, now()),"
                " version = version + 1 WHERE id = %s",
                (company.name, owner_id, company.id),
            )
