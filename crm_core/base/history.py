"""The only way to write history: the line in a contact's timeline, the audit row and the outbox rows, together, in the caller's
transaction. Whoever changes the domain calls it once, so none of the three can be forgotten; it decides nothing and commits nothing.

A module that changes something declares what it does beside the function that does it, and records it there:

    CHANGED = history.Action("lead.change", touch="stage")
    …
    history.record(connection, principal, CHANGED, lead_id, {"fields": fields}, history.Touch(contact_id, now, lead_id=lead_id))

An action without `touch` is about something that has no timeline (a source, a user):

    PAUSED = history.Action("source.pause")
    …
    history.record(connection, principal, PAUSED, source_id)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol

import orjson
import psycopg
from sqlalchemy import Connection, text

from crm_core.base.copying import copy_rows

TouchKind = Literal["comment", "assignment", "stage", "task", "merge"]

_NAME: Final = re.compile(r"([a-z]+)\.[a-z]+(_[a-z]+)*")


class Actor(Protocol):
    """Whoever acts, as `crm_core.access.Principal` names them: "user:7", "token:3", "cli"."""

    @property
    def actor(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Action:
    """A word of the vocabulary of what is done: "lead.assign". A constant of the module that does it, never made on the way; the
    tests read all of them, and ask words in every language for each.
    """

    name: str  # subject, full stop, verb
    #: What kind of thing the subject is, where the name does not begin with it: "mapping.publish" happens to a "source".
    of: str = ""
    #: The kind of line that it leaves in the contact's timeline. With one, `record` insists on a `Touch`.
    touch: TouchKind | None = None

    def __post_init__(self) -> None:
        named = _NAME.fullmatch(self.name)
        if named is None:
            raise ValueError(f"{self.name!r} is no action: write subject.verb")
        if not self.of:
            object.__setattr__(self, "of", named[1])

    def subject(self, subject_id: int | str | None) -> str:
        """ "lead:7"; the kind alone for what has no number, such as the whole hub."""
        return self.of if subject_id is None else f"{self.of}:{subject_id}"


@dataclass(frozen=True, slots=True)
class Touch:
    """The line in the timeline. `contact_id` None: the thing belongs to nobody yet (a caller who is no contact), so there is none."""

    contact_id: int | None
    at: datetime
    lead_id: int | None = None
    title: str = ""
    text: str = ""  # people's own words: they stand here and never in the audit
    data: Mapping[str, Any] = field(default_factory=dict)


def record(
    connection: Connection,
    actor: Actor | str,
    action: Action,
    subject_id: int | str | None = None,
    data: Mapping[str, Any] | None = None,
    touch: Touch | None = None,
) -> int | None:
    """Writes what `actor` did, once it is done. Returns the id of the touch, if there is one.

    `data` goes into the audit and the outbox: ids, codes, names of fields; no secrets and nothing about a person, because
    neither can be emptied when the person is erased. Raises TypeError for a touch that the action does not declare, or lacks.
    """
    if (action.touch is None) != (touch is None):
        raise TypeError(f"{action.name} {'leaves no touch' if action.touch is None else 'needs a touch'}")
    name = actor if isinstance(actor, str) else actor.actor
    touch_id = _write_touch(connection, name, action.touch, touch) if action.touch is not None and touch is not None else None
    connection.execute(
        _RECORD,
        {"actor": name, "action": action.name, "subject": action.subject(subject_id), "data": _json(data or {})},
    )
    return touch_id


def record_batch(
    cursor: psycopg.Cursor[Any],
    touches: Sequence[Mapping[str, Any]],
    happened: Iterable[tuple[Action, int]] = (),
) -> None:
    """The same for a batch of inquiries: rows of `touch`, as `copy_rows` takes them, and what became of them (action, id) for the
    outbox. There is no audit row: what arrives is nobody's deed, and stands in the journal.
    """
    copy_rows(cursor, "touch", touches)
    told = [{"action": action.name, "subject": action.subject(subject_id)} for action, subject_id in happened]
    if told:
        cursor.execute(
            "INSERT INTO outbox_entry (subscriber_id, actor, action, subject)"
            " SELECT s.id, 'hub', h.action, h.subject FROM outbox_subscriber s"
            "   JOIN json_to_recordset(%s) AS h(action text, subject text) ON h.action = ANY(s.actions)",
            (_json(told),),
        )


def _write_touch(connection: Connection, actor: str, kind: TouchKind, touch: Touch) -> int | None:
    if touch.contact_id is None:
        return None
    values = {
        "contact": touch.contact_id, "lead": touch.lead_id, "kind": kind, "at": touch.at, "actor": actor,
        "title": touch.title, "text": touch.text, "data": _json(touch.data),
    }  # fmt: skip
    return int(connection.execute(_TOUCH, values).scalar_one())


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


_TOUCH: Final = text(
    "INSERT INTO touch (contact_id, lead_id, kind, direction, at, actor, title, text, data)"
    " VALUES (:contact, :lead, :kind, 'internal', :at, :actor, :title, :text, CAST(:data AS jsonb)) RETURNING id"
)
#: One row of the outbox for each subscriber that asked for this action; there are none on a hub that tells nobody, so the table
#: stays empty there. A row says what happened to what; whoever sends reads how the thing is by then.
_RECORD: Final = text(
    "WITH audited AS (INSERT INTO audit_entry (actor, action, subject, data)"
    "                 VALUES (:actor, :action, :subject, CAST(:data AS jsonb)))"
    " INSERT INTO outbox_entry (subscriber_id, actor, action, subject, data)"
    " SELECT id, :actor, :action, :subject, CAST(:data AS jsonb) FROM outbox_subscriber"
    "  WHERE CAST(:action AS text) = ANY(actions)"
)
