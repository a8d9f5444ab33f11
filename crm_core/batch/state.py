"""The values that a batch works on: what was read, and what it became in memory before it is written set-wise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_core.identity.identifiers import Key
from crm_core.parsed import ParsedItem


@dataclass(frozen=True, slots=True)
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
    first_time: bool = False  # never had an outcome: what was received after it may still be waiting
    remote_ip: str = ""
    user_agent: str = ""
    spam: tuple[Mapping[str, Any], ...] = ()  # {"score","reasons"} of each arrival, in order
    notes: Mapping[str, Any] = field(default_factory=dict)  # goes into the reason: mapping version, connector that read it
    called_spam: Mapping[str, Any] | None = None  # a person's verdict over the lead that it brought


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event."""

    event_id: int
    outcome: str
    reason: dict[str, Any]
    lead_id: int | None
    contact_id: int | None
    was_erased: bool = False  # it brought again what a person had erased: nothing of it may be kept


@dataclass(slots=True, eq=False)
class ContactState:
    id: int | None
    name: str = ""
    company: str = ""
    owner_id: int | None = None
    owner_since: datetime | str | None = None
    created: bool = False
    changed: bool = False
    merged_into: ContactState | None = None
    phones: int = 0
    emails: int = 0
    last_seen_at: datetime | None = None
    leads: dict[str, LeadState] = field(default_factory=dict)  # latest by line
    shares_with: ContactState | None = None
    is_erased: bool = False

    @property
    def root(self) -> ContactState:
        return self if self.merged_into is None else self.merged_into.root

    @property
    def order(self) -> int:
        """Age: known ones before new ones."""
        return self.id if self.id is not None else 1 << 62


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
    spam: Mapping[str, Any] = field(default_factory=dict)  # {"score","reasons"} of its first inquiry
    began_at: datetime | None = None  # its first touch; None where nobody asked
    is_shared_out: bool = False  # a pool gave it to its owner, and no person has decided since


@dataclass(slots=True, eq=False)
class TouchState:
    id: int | None
    contact: ContactState
    lead: LeadState | None
    columns: dict[str, Any]
    call: CallState | None = None
    message: MessageState | None = None
    created: bool = True
    changed: bool = True
    double_of: TouchState | int | None = None
    is_among_others: bool = False  # other events brought touches of this contact as well


@dataclass(slots=True, eq=False)
class CallState:
    id: int | None
    source_id: int
    call_key: str
    facts: dict[str, Any] | None
    contact: ContactState | None = None
    lead: LeadState | None = None
    touch: TouchState | None = None
    outcome: str | None = None
    owner_id: int | None = None
    view: Any = None  # crm_core.calls.rules.CallView
    remote: str = ""  # E.164 where the number is one
    line: str = ""  # of its source
    phone: str = ""  # canonical key of the caller; "" where the number identifies nobody
    changed: bool = False


@dataclass(slots=True, eq=False)
class CallBackState:
    id: int | None
    phone: str
    contact: ContactState | None
    lead: LeadState | None
    call: CallState | int | None
    owner_id: int | None
    title: str
    due_at: datetime
    opened_at: datetime
    state: str = "open"
    missed: int = 0
    tried: int = 0
    closed_at: datetime | None = None
    result: dict[str, Any] = field(default_factory=dict)
    created: bool = False
    changed: bool = False
    contact_id: int | None = None  # where no state was read for it
    lead_id: int | None = None


@dataclass(slots=True, eq=False)
class MessageState:
    id: int | None
    dedup_key: str
    message_id: str
    participants: list[str]
    contact: ContactState | None
    lead: LeadState | None
    event_id: int
    columns: dict[str, Any] = field(default_factory=dict)
    created: bool = False
    placed: bool = False  # it came to a contact and a lead in this batch
    deliveries: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RecentTouch:
    """A touch of the last minutes that an inquiry may be a double of."""

    id: int | None
    event_id: int
    seq: int
    contact_id: int | None
    fingerprint: str
    likeness: str
    at: datetime
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    touch: TouchState | None = None  # made in this batch


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A row of consent or attachment whose contact and lead get their ids at the end."""

    contact: ContactState
    lead: LeadState | None
    columns: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """Who is behind an arrival: canonical keys in order of priority, and how he calls himself."""

    keys: tuple[Key, ...]
    name: str = ""
    company: str = ""


@dataclass(slots=True)
class Snapshot:
    """Everything a batch may look at, read under locks, and everything it changed."""

    identifiers: dict[tuple[str, str], IdentifierState] = field(default_factory=dict)
    contacts: dict[int, ContactState] = field(default_factory=dict)  # by any member's id, the root's state
    leads: dict[int, LeadState] = field(default_factory=dict)
    calls: dict[tuple[int, str], CallState] = field(default_factory=dict)
    call_backs: dict[str, list[CallBackState]] = field(default_factory=dict)  # of the last weeks, by phone
    calls_of_callers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # rows of calls that are over, by phone
    #: Leads on which a missed call of this phone stands, and when it began.
    leads_of_callers: list[tuple[LeadState, str, datetime]] = field(default_factory=list)
    callers: dict[str, None] = field(default_factory=dict)  # phones whose call-backs must be derived anew, in order
    messages: dict[str, MessageState] = field(default_factory=dict)  # by dedup_key
    by_message_id: dict[str, MessageState] = field(default_factory=dict)
    touches: dict[tuple[int, int], TouchState] = field(default_factory=dict)  # of replayed events
    owners_by_extension: dict[str, int] = field(default_factory=dict)
    new_contacts: list[ContactState] = field(default_factory=list)
    new_leads: list[LeadState] = field(default_factory=list)
    #: In the order of the events: leads that need an owner, and contacts that got one by talking to him.
    ownership: list[LeadState | tuple[ContactState, int]] = field(default_factory=list)
    #: Leads that a pool shared out before it was told who had talked to the person, and who that was.
    talked_before: list[tuple[LeadState, int]] = field(default_factory=list)
    new_touches: list[TouchState] = field(default_factory=list)
    changed_touches: list[TouchState] = field(default_factory=list)
    new_call_backs: list[CallBackState] = field(default_factory=list)
    needless_call_backs: list[CallBackState] = field(default_factory=list)
    new_messages: list[MessageState] = field(default_factory=list)
    merges: list[dict[str, Any]] = field(default_factory=list)
    suggestions: list[tuple[ContactState, ContactState, dict[str, Any]]] = field(default_factory=list)
    marks: dict[tuple[int, int], Any] = field(default_factory=dict)  # doubles.Marks of each inquiry, by event and seq
    recent: dict[str, list[RecentTouch]] = field(default_factory=dict)  # by fingerprint, and by likeness
    erased: dict[str, datetime] = field(default_factory=dict)  # fingerprints of submissions that were erased, and when
    to_empty: list[int] = field(default_factory=list)  # events that brought one of them again
    consents: list[Enclosure] = field(default_factory=list)
    consent_texts: dict[tuple[int, str, str], Any] = field(default_factory=dict)  # by source, purpose, hash
    attachments: list[Enclosure] = field(default_factory=list)
    rewritten: list[tuple[int, int]] = field(default_factory=list)  # inquiries whose enclosures are written anew
