"""A batch, and what a subject may do at each of its steps. `crm_core.intake` says in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from crm_core.base.history import Action
from crm_core.batch.rows import Cursor
from crm_core.batch.state import ContactState, EventResult, HasId, IdentifierState, LeadState, MergeState, TouchState
from crm_core.batch.steps import EventItem

P = TypeVar("P")


@dataclass(slots=True)
class Batch:
    """Everything that the items of a batch may look at, read under locks, and everything they changed.

    Here is what all subjects stand on; what one of them alone knows of is its `part`.
    """

    steps: Sequence[EventItem]
    wanted_contacts: set[int] = field(default_factory=set)  # ids that `find` came upon: these contacts are locked
    wanted_calls: set[int] = field(default_factory=set)  # ids of calls whose touches are needed
    locked: set[tuple[str, str]] = field(default_factory=set)  # identifiers, by kind and value
    identifiers: dict[tuple[str, str], IdentifierState] = field(default_factory=dict)
    contacts: dict[int, ContactState] = field(default_factory=dict)  # by any member's id, the root's state
    leads: dict[int, LeadState] = field(default_factory=dict)
    touches: dict[tuple[int, int], TouchState] = field(default_factory=dict)  # by event and place in it
    new_contacts: list[ContactState] = field(default_factory=list)
    merges: list[MergeState] = field(default_factory=list)
    new_leads: list[LeadState] = field(default_factory=list)
    new_touches: list[TouchState] = field(default_factory=list)
    changed_touches: list[TouchState] = field(default_factory=list)
    erased_again: list[int] = field(default_factory=list)  # events that brought what a person had erased
    happened: list[tuple[Action, int]] = field(default_factory=list)  # what the outbox is told, with the row's id
    _parts: dict[type, Any] = field(default_factory=dict)

    def part(self, kind: type[P]) -> P:
        """One subject's own part, empty when first asked for."""
        found = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = kind()
        return found

    def all_contacts(self) -> list[ContactState]:
        """Known and new ones, each once."""
        return list({id(state): state for state in (*self.contacts.values(), *self.new_contacts)}.values())


#: Says what becomes of one item that is of this subject. Ids of new rows stand as states until they are written.
Take = Callable[[Batch, EventItem, datetime], EventResult]


@dataclass(frozen=True, slots=True)
class Subject:
    """What one subject does at each step of a batch; a step that it leaves out does nothing. All of it stands in the
    subject's `intake.py`.
    """

    name: str
    #: The same steps, with what is already known of their persons. Nothing is locked yet.
    prepare: Callable[[Cursor, Sequence[EventItem]], Sequence[EventItem]] = lambda _cursor, steps: steps
    #: Names of the locks that its items need. May read what decides whether a lock is needed.
    locks: Callable[[Cursor, Batch], Iterable[str]] = lambda _cursor, _batch: ()
    #: Reads under those locks, and says which contacts (`wanted_contacts`) must be locked as well.
    find: Callable[[Cursor, Batch], None] = lambda _cursor, _batch: None
    #: Reads under the contacts' locks.
    load: Callable[[Cursor, Batch], None] = lambda _cursor, _batch: None
    #: Links what several subjects have read.
    connect: Callable[[Batch], None] = lambda _batch: None
    #: Parsed item → what becomes of it. A kind of item belongs to one subject.
    takes: Mapping[type, Take] = field(default_factory=dict)
    #: What this subject adds to what became of an item that it was not asked about.
    add: Callable[[Batch, EventItem, EventResult], None] = lambda _batch, _step, _result: None
    #: When all items are through: what follows from all of them together.
    settle: Callable[[Cursor, Batch, datetime], None] = lambda _cursor, _batch, _now: None
    #: Table → states of its new rows, which get ids before anything is written.
    new: Callable[[Batch], Mapping[str, Sequence[HasId]]] = lambda _batch: {}
    #: Writes set-wise, each table once.
    write: Callable[[Cursor, Batch], None] = lambda _cursor, _batch: None
