"""Versions of the routing rules: saved as a draft, changed, put into force, put back. And who may never have which client."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from crm_core.access import Principal, demand, select_visible
from crm_core.base import history, reasons
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.base.paging import AnyRow
from crm_core.contacts.models import Contact
from crm_core.numbering.queries import regions_of_plan
from crm_core.people.models import Owner, Pool
from crm_core.routing.conditions import PLAN_REGION
from crm_core.routing.config import RoutingConfig, check_names, read_config
from crm_core.routing.models import OwnerExclusion, RoutingVersion
from crm_core.routing.versions import fingerprint

SAVED = history.Action("routing.save")
CHANGED = history.Action("routing.change")
REMOVED = history.Action("routing.remove")
ACTIVATED = history.Action("routing.activate")
EXCLUDED = history.Action("contact.exclude_owner")
ALLOWED = history.Action("contact.allow_owner")

_LONGEST_BODY: Final = 1_000_000  # bytes of JSON; five hundred rules of fifty clauses are a third of it
_LONGEST_NOTE: Final = 500
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # in JSON; PostgreSQL's JSON holds none
#: Two activations at once would both retire the same version.
_LOCK: Final = 0x1EAD_2077


def save_version(connection: Connection, principal: Principal, body: Any, zone: ZoneInfo, note: str = "") -> int:
    """A draft, checked as a whole; returns its number. Raises Forbidden, Invalid with the place (unknown fact, pool or owner, two
    rules of one priority, too big)."""
    demand(principal, "routing.write")
    _check(connection, body, zone, note)
    version: int = connection.execute(
        insert(RoutingVersion).values(body=body, author=principal.actor, note=note.strip()).returning(RoutingVersion.version)
    ).scalar_one()
    history.record(connection, principal, SAVED, version)
    return version


def change_draft(
    connection: Connection, principal: Principal, version: int, body: Any, zone: ZoneInfo, note: str, seen: str, now: datetime
) -> None:
    """The draft as a whole, checked; `seen` is the fingerprint of what it was changed from. Nothing happens if it is that already.
    Raises Forbidden, NotFound, Conflict (somebody else changed it, or put it into force), Invalid with the place."""
    demand(principal, "routing.write")
    row = _held_draft(connection, version, seen)
    _check(connection, body, zone, note)
    if fingerprint(body, note.strip()) == seen:
        return
    connection.execute(
        update(RoutingVersion)
        .where(RoutingVersion.version == version)
        .values(body=body, author=principal.actor, note=note.strip(), created_at=now)
    )
    history.record(connection, principal, CHANGED, version, {"before": row.author})


def remove_draft(connection: Connection, principal: Principal, version: int, seen: str) -> None:
    """A draft that nobody wants; what was in force stays for ever. Raises Forbidden, NotFound, Conflict as `change_draft`."""
    demand(principal, "routing.write")
    _held_draft(connection, version, seen)
    connection.execute(delete(RoutingVersion).where(RoutingVersion.version == version))
    history.record(connection, principal, REMOVED, version)


def activate_version(
    connection: Connection, principal: Principal, version: int, zone: ZoneInfo, now: datetime,
    *, seen: str | None = None, instead_of: int | None = None,
) -> None:  # fmt: skip
    """Puts it into force from the next lead on; the active one is retired. Also the way back: a retired one becomes active again.
    The active one stays as it is. `seen` is the fingerprint of what was looked at, `instead_of` the version that was in force then.
    Raises Forbidden, NotFound, Conflict if either is another by now, Invalid if what it names is gone."""
    demand(principal, "routing.write")
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    row = _held_version(connection, version)
    if row.state == "active":
        return
    if seen is not None and fingerprint(row.body, row.note) != seen:
        raise _changed(row)
    if instead_of is not None:
        active = connection.execute(select(RoutingVersion.version).where(RoutingVersion.state == "active")).scalar() or 0
        if active != instead_of:
            raise Conflict(
                "another_in_force", f"Version {active} was put into force meanwhile: look at the difference again.", active=active
            )
    checked(connection, row.body, zone)
    connection.execute(update(RoutingVersion).where(RoutingVersion.state == "active").values(state="retired", retired_at=now))
    connection.execute(
        update(RoutingVersion).where(RoutingVersion.version == version).values(state="active", activated_at=now, retired_at=None)
    )
    history.record(connection, principal, ACTIVATED, version, {"before": row.state})


def _held_version(connection: Connection, version: int) -> AnyRow:
    row = connection.execute(
        select(RoutingVersion.__table__).where(RoutingVersion.version == version).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("version_unknown", f"There is no version {version} of the routing rules.")
    return row


def _held_draft(connection: Connection, version: int, seen: str) -> AnyRow:
    row = _held_version(connection, version)
    if row.state != "draft":
        raise Conflict("not_a_draft", f"Version {version} was put into force: it stays as it is. Begin a new draft from it.")
    if fingerprint(row.body, row.note) != seen:
        raise _changed(row)
    return row


def _changed(row: AnyRow) -> Conflict:
    return Conflict("version", "Somebody else changed this draft meanwhile. Read it again and repeat.", author=row.author)


def _check(connection: Connection, body: Any, zone: ZoneInfo, note: str) -> None:
    written = orjson.dumps(body)
    if len(written) > _LONGEST_BODY:
        raise Invalid("body_too_big", f"Rules are at most {_LONGEST_BODY} bytes.", fields=["body"])
    if _NUL.search(written):
        raise Invalid("text_unreadable", "A text holds the character NUL, which cannot be kept.", fields=["body"], field="body")
    if len(note) > _LONGEST_NOTE or "\x00" in note:
        raise Invalid(
            "text_too_long", f"note is longer than {_LONGEST_NOTE} characters.", fields=["note"], field="note", most=_LONGEST_NOTE
        )
    checked(connection, body, zone)


def checked(connection: Connection, body: Any, zone: ZoneInfo) -> RoutingConfig:
    config = read_config(body, 0, zone)
    check_names(
        config, set(connection.scalars(select(Pool.id))), set(connection.scalars(select(Owner.id).where(Owner.active))),
        regions_of_plan(connection) if PLAN_REGION in config.asked else (),
    )  # fmt: skip
    return config


def exclude_owner(connection: Connection, principal: Principal, contact_id: int, owner_id: int, why: str, now: datetime) -> None:
    """They never get each other again, by no rule and no pool; a client of theirs is nobody's until the next inquiry. Leads that they
    have stay with them until somebody moves them. Raises Forbidden, NotFound, Invalid (no reason)."""
    demand(principal, "leads.assign")
    why = reasons.needed(why)
    root = _held_root(connection, principal, contact_id)
    if connection.execute(select(Owner.id).where(Owner.id == owner_id)).one_or_none() is None:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")
    made = connection.execute(
        upsert(OwnerExclusion)
        .values(contact_id=root, owner_id=owner_id, why=why, actor=principal.actor, at=now)
        .on_conflict_do_nothing()
        .returning(OwnerExclusion.owner_id)
    ).one_or_none()
    if made is None:
        return
    connection.execute(
        update(Contact)
        .where(Contact.id == root, Contact.owner_id == owner_id)
        .values(owner_id=None, owner_since=None, owner_bound_until=None, version=Contact.version + 1)
    )
    history.record(connection, principal, EXCLUDED, root, {"owner": str(owner_id)})


def allow_owner(connection: Connection, principal: Principal, contact_id: int, owner_id: int) -> None:
    """Takes it back; nothing happens if there is no such conflict. Raises Forbidden, NotFound."""
    demand(principal, "leads.assign")
    root = _held_root(connection, principal, contact_id)
    members = select(Contact.id).where(Contact.root_id == root)
    gone = connection.execute(
        delete(OwnerExclusion)
        .where(OwnerExclusion.contact_id.in_(members), OwnerExclusion.owner_id == owner_id)
        .returning(OwnerExclusion.owner_id)
    ).all()
    if gone:
        history.record(connection, principal, ALLOWED, root, {"owner": str(owner_id)})


def _held_root(connection: Connection, principal: Principal, contact_id: int) -> int:
    root = connection.execute(
        select_visible(Contact, principal, Contact.root_id).where(Contact.id == contact_id)
    ).scalar_one_or_none()
    if root is None:
        raise NotFound("contact_unknown", f"There is no contact {contact_id}.")
    connection.execute(select(Contact.id).where(Contact.id == root).with_for_update(key_share=True))
    return int(root)
