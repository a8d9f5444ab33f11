"""The values that every subject of a batch works on: events, persons, contacts, leads and touches, in memory before they are
written. What one subject alone knows of is in its own `intake.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from crm_core.base.frozen import frozen
from crm_core.batch import windows
from crm_core.batch.windows import Windows
from crm_core.identity.identifiers import Key
from crm_core.parsed import ParsedItem


@frozen
class ParsedEvent:
    """One event with what its connector read out of it."""

    event_id: int
    source_id: int
    source_name: str
    channel: str
    received_at: datetime
    parsed_items: tuple[ParsedItem, ...]
    line: str = ""
    pool_id: int | None = None
    region: str = "RU"
    replayed: bool = False  # went through before: its effects are rewritten, never doubled
    own_addresses: frozenset[str] = frozenset()  # canonical e-mails and phones of ours, never a client
    zone: str = "UTC"  # IANA; the hub's own, in which its days end
    first_time: bool = False  # never had an outcome: what was received after it may still be waiting
    remote_ip: str = ""
    user_agent: str = ""
    spam: tuple[Mapping[str, Any], ...] = ()  # {"score","reasons"} of each arrival, in order
    windows: Windows = windows.DEFAULT
    has_deadlines: bool = False  # the hub says how soon an inquiry is to be answered
    notes: Mapping[str, Any] = field(default_factory=dict)  # goes into the reason: mapping version, connector that read it
    called_spam: Mapping[str, Any] | None = None  # a person's verdict over the lead that it brought


@frozen
class EventResult:
    """What became of one event."""

    event_id: int
    outcome: str
    reason: dict[str, Any]
    lead_id: int | None
    contact_id: int | None
    was_erased: bool = False  # it brought again what a person had erased: nothing of it may be kept


#: Kind and value of an identifier.
Place = tuple[str, str]


class HasId(Protocol):
    """The state of a row; a new one gets its id just before it is written."""

    id: int | None


@dataclass(slots=True, eq=False)
class ContactState:
    id: int | None
    name: str = ""
    company: str = ""
    owner_id: int | None = None
    owner_since: datetime | str | None = None
    owner_bound_until: datetime | str | None = None  # until then no rule gives the client to another
    created: bool = False
    changed: bool = False
    merged_into: ContactState | None = None
    phones: int = 0
    emails: int = 0
    new_phones: int = 0  # of them, first seen within a year
    new_emails: int = 0
    last_seen_at: datetime | None = None
    leads: dict[str, LeadState] = field(default_factory=dict)  # latest by line
    shares_with: ContactState | None = None
    is_erased: bool = False
    kind: str = "person"  # | company | number: all who use one number without a name
    in_company: CompanyState | None = None

    @property
    def root(self) -> ContactState:
        return self if self.merged_into is None else self.merged_into.root

    @property
    def order(self) -> int:
        """Age: known ones before new ones."""
        return self.id if self.id is not None else 1 << 62

    @property
    def company_owner_id(self) -> int | None:
        """Whose the company is that the contact belongs to; in a batch that made it, who got the first of its people."""
        company = self.root.in_company
        return None if company is None else company.owner_id or company.owner_of_people(but=self.root)


@dataclass(slots=True, eq=False)
class CompanyState(ContactState):
    """A company: a contact that writes to nobody, and whose people are contacts."""

    kind: str = "company"
    has_number: bool = False  # INN or OGRN: another number is another company
    people: list[ContactState] = field(default_factory=list)  # who came into it in this batch

    def owner_of_people(self, but: ContactState | None = None) -> int | None:
        return next((one.root.owner_id for one in self.people if one.root.owner_id is not None and one.root is not but), None)


@dataclass(slots=True, eq=False)
class LinkState:
    contact: ContactState
    exclusive: bool
    display: str
    last_seen_at: datetime
    event_id: int | None = None
    created: bool = False
    seen: bool = False  # seen again in this batch
    retired: bool = False
    contact_id: int | None = None  # of the row; a merged contact's own, while `contact` is his root
    own_names: list[str] = field(default_factory=list)  # of merged contacts that use it, as they were called before
    name_key: str = ""  # by which users of a shared identifier are found, see `crm_core.contacts.intake`


@dataclass(slots=True, eq=False)
class IdentifierState:
    kind: str
    value: str
    strength: str
    id: int | None = None
    names_seen: list[str] = field(default_factory=list)
    links: list[LinkState] = field(default_factory=list)
    changed: bool = False
    created: bool = False
    became_shared: bool = False  # by this batch: what it had proved is open again

    def live_links(self) -> list[LinkState]:
        return [link for link in self.links if not link.retired]


@dataclass(slots=True, eq=False)
class LeadState:
    id: int | None
    contact: ContactState
    line: str
    state: str
    owner_id: int | None
    last_touch_at: datetime
    event_id: int
    event_seq: int = 0
    repeat_of: LeadState | int | None = None
    closed_at: datetime | None = None
    created: bool = False
    new_touches: int = 0
    content: dict[str, Any] | None = None  # columns to write; of a known lead, what a replay rewrites
    pool_id: int | None = None
    folded_into: LeadState | None = None  # open lead of a merged contact
    assignment: dict[str, Any] | None = None
    answered_by_id: int | None = None
    sticky_owner_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)  # what rules of routing may ask for; of a new lead
    owner_left: bool = False  # its owner is no longer active
    spam: Mapping[str, Any] = field(default_factory=dict)  # {"score","reasons"} of its first inquiry
    began_at: datetime | None = None  # its first touch; None where nobody asked
    channel: str = ""  # of the inquiry that it was born from
    is_reopened: bool = False  # it was lost, and this batch opens it again
    is_shared_out: bool = False  # a pool gave it to its owner, and no person has decided since


@dataclass(slots=True, eq=False)
class TouchState:
    id: int | None
    contact: ContactState
    lead: LeadState | None
    columns: dict[str, Any]
    call: HasId | None = None
    message: HasId | None = None
    created: bool = True
    changed: bool = True
    double_of: TouchState | int | None = None
    is_among_others: bool = False  # other events brought touches of this contact as well
    call_id: int | None = None  # of a known one
    identifiers: list[IdentifierState] = field(default_factory=list)  # by which the person was known, in order of priority


@dataclass(frozen=True, slots=True)
class MergeState:
    """Two contacts turned out to be one person."""

    winner: ContactState
    loser: ContactState
    event_id: int
    rule: str
    evidence: Any
    folded: list[LeadState]  # open leads of the loser that became the winner's
    loser_name: str
    loser_owner_id: int | None
    winner_before: Mapping[str, Any] = field(default_factory=dict)  # his name, company and owner until then


@frozen
class Person:
    """Who is behind an arrival: canonical keys in order of priority, and how he calls himself."""

    keys: tuple[Key, ...]
    name: str = ""
    company: str = ""
    company_keys: tuple[Key, ...] = ()  # what identifies the company they write for, the strongest first
    company_name: str = ""  # that company's, without its number


def resolve(value: Any) -> Any:
    """Replaces the states in a reason by their ids, as text."""
    if isinstance(value, dict):
        return {key: resolve(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item) for item in value]
    return str(value.id) if hasattr(value, "id") else value
