"""Identifiers and contacts of a batch: locked, read, and written once its items are through.

Whose an item is, is decided in `contact_resolution`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from crm_core.base.copying import copy_rows, numbers, texts
from crm_core.base.errors import Transient
from crm_core.batch.rows import Cursor, insert_rows, update_rows
from crm_core.batch.state import ContactState, HasId, IdentifierState, LinkState, resolve
from crm_core.batch.subject import Batch, Subject
from crm_core.contacts import companies
from crm_core.identity.identifiers import Key
from crm_core.identity.names import clean_name, surname_key

_LOCK_ROUNDS = 4  # a root may be merged away while its lock is awaited; more rounds than this means a storm
#: "Last seen" of an identifier is kept to this precision, so that a busy client does not rewrite rows all day.
_SEEN_PRECISION = timedelta(hours=1)
#: Instead of a name's key: of the contact that a shared identifier itself has, for whoever uses it without a name.
OF_NUMBER = "*"


@dataclass(slots=True)
class Contacts:
    """What nobody else asks for."""

    keys: dict[tuple[str, str], Key] = field(default_factory=dict)
    name_keys: set[str] = field(default_factory=set)  # of everybody in the batch who gave a surname
    links: list[dict[str, Any]] = field(default_factory=list)  # rows
    suggestions: list[tuple[ContactState, ContactState, dict[str, Any]]] = field(default_factory=list)
    own_names: dict[int, str] = field(default_factory=dict)  # of merged contacts, by id
    #: Pairs of roots of whom a person said that they are two people, each way round.
    apart: set[tuple[ContactState, ContactState]] = field(default_factory=set)


def _place(key: Key) -> tuple[str, str]:
    return key.kind, key.value


def _locks(cursor: Cursor, batch: Batch) -> Iterable[str]:
    part = batch.part(Contacts)
    part.keys = _keys_of(batch)
    batch.locked = part.keys.keys() - _shared_values(cursor, list(part.keys))
    part.name_keys = {surname_key(clean_name(step.person.name)) for step in batch.steps if step.person.name}
    return [f"{kind}:{value}" for kind, value in batch.locked] + _locks_of_users(batch)


def _locks_of_users(batch: Batch) -> list[str]:
    """What joins nobody alone is locked for one name, or for the nameless: those who may be one and the same."""
    names = []
    for step in batch.steps:
        for key in step.person.keys:
            place = _place(key)
            if key.strength != "blocked" and (place not in batch.locked or key.strength == "weak"):
                name_key = surname_key(clean_name(step.person.name)) if step.person.name else OF_NUMBER
                names += [f"{key.kind}:{key.value}:{name_key}"] if name_key else []
    return names


def _keys_of(batch: Batch) -> dict[tuple[str, str], Key]:
    """Each identifier once, as the least certain of the batch wrote it: who is certain then makes it strong."""
    keys: dict[tuple[str, str], Key] = {}
    for step in batch.steps:
        for key in (*step.person.keys, *step.person.company_keys):
            if key.strength != "blocked" and not (_place(key) in keys and keys[_place(key)].is_unsure):
                keys[_place(key)] = key
    return keys


def _shared_values(cursor: Cursor, places: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Identifiers that join nobody need no lock: a call centre's number must not serialise everybody behind it."""
    if not places:
        return set()
    cursor.execute(
        "SELECT kind, value FROM identifier JOIN unnest(%s::text[], %s::text[]) AS k(kind, value) USING (kind, value)"
        # A company that is known is only looked at.
        " WHERE strength IN ('shared', 'blocked') OR kind = ANY(%s)",
        (texts(kind for kind, _ in places), texts(value for _, value in places), texts(companies.KINDS)),
    )
    return {(row["kind"], row["value"]) for row in cursor.fetchall()}


def _find(cursor: Cursor, batch: Batch) -> None:
    part = batch.part(Contacts)
    if not part.keys:
        return
    cursor.execute(
        "SELECT i.id, i.kind, i.value, i.strength, i.names_seen, ci.contact_id, ci.exclusive, ci.display, ci.last_seen_at,"
        "  c.id AS company_id, c.name AS company_name, c.owner_id AS company_owner_id, c.id IS NOT NULL AND EXISTS"
        "  (SELECT FROM contact_identifier o JOIN identifier oi ON oi.id = o.identifier_id AND oi.kind IN ('inn', 'ogrn')"
        "    WHERE o.contact_id = c.id) AS company_has_number"
        "  FROM identifier i JOIN unnest(%s::text[], %s::text[]) AS k(kind, value) USING (kind, value)"
        "  LEFT JOIN contact_identifier ci ON ci.identifier_id = i.id AND ci.retired_at IS NULL"
        "       AND (i.strength IN ('strong', 'weak') OR (i.strength = 'shared' AND ci.name_key = ANY(%s)))"
        "  LEFT JOIN contact m ON m.id = ci.contact_id AND i.kind = ANY(%s) LEFT JOIN contact c ON c.id = m.root_id",
        # Of a shared one the few who may be meant. A link of before has no key; there were some twenty at most.
        (
            texts(kind for kind, _ in part.keys),
            texts(value for _, value in part.keys),
            texts(("", OF_NUMBER, *part.name_keys)),
            texts(companies.KINDS),
        ),
    )
    for row in cursor.fetchall():
        place = (row["kind"], row["value"])
        if place not in batch.identifiers:
            batch.identifiers[place] = IdentifierState(
                row["kind"], row["value"], row["strength"], row["id"], list(row["names_seen"])
            )
        if row["company_id"] is not None:
            batch.part(companies.Companies).by_place[place] = companies.known_company(batch, row)
        elif row["contact_id"] is not None:
            batch.wanted_contacts.add(row["contact_id"])
            part.links.append(row)
    for place, key in part.keys.items():
        if place not in batch.identifiers:
            batch.identifiers[place] = IdentifierState(key.kind, key.value, key.strength)


#: Whoever was told apart stays so, whatever either was merged with since. By partial indexes over such pairs alone.
_APART = """
SELECT a.root_id, 'apart', b.root_id, 0 FROM contact a JOIN suggestion s ON s.a_id = a.id AND s.state = 'different'
  JOIN contact b ON b.id = s.b_id WHERE a.root_id = ANY(%s) AND b.root_id = ANY(%s) AND a.root_id <> b.root_id
"""


def lock_contacts(cursor: Cursor, batch: Batch) -> None:
    """Locks the roots of all contacts that were found, by id, and reads them as they are then."""
    if not batch.wanted_contacts:
        return
    for _ in range(_LOCK_ROUNDS):
        cursor.execute(
            "SELECT m.id AS member_id, m.name AS own_name, r.id, r.root_id, r.kind, r.name, r.company, r.owner_id, r.owner_since,"
            " r.owner_bound_until, r.last_seen_at, r.erased_at, c.id AS company_id, c.name AS company_name,"
            " c.owner_id AS company_owner_id FROM contact m JOIN contact r ON r.id = m.root_id"
            "  LEFT JOIN contact cm ON cm.id = r.company_id LEFT JOIN contact c ON c.id = cm.root_id"
            " WHERE m.id = ANY(%s) ORDER BY r.id"
            "  FOR NO KEY UPDATE OF r",
            (numbers(batch.wanted_contacts),),
        )
        rows = cursor.fetchall()
        if all(row["root_id"] == row["id"] for row in rows):
            break
    else:
        raise Transient("merge_storm", "The contacts of this event are being merged right now.")
    states: dict[int, ContactState] = {}
    for row in rows:
        state = states.setdefault(
            row["id"],
            ContactState(
                row["id"], row["name"], row["company"], row["owner_id"], row["owner_since"], row["owner_bound_until"],
                last_seen_at=row["last_seen_at"], is_erased=row["erased_at"] is not None, kind=row["kind"],
                in_company=companies.known_company(batch, row) if row["company_id"] is not None else None,
            ),
        )  # fmt: skip
        batch.contacts[row["member_id"]] = state
        if row["member_id"] != row["id"] and row["own_name"] != row["name"]:
            batch.part(Contacts).own_names[row["member_id"]] = row["own_name"]
        batch.contacts[row["id"]] = state
    cursor.execute(
        "SELECT c.root_id, i.kind, count(*) AS n,"
        " count(*) FILTER (WHERE ci.first_seen_at > now() - interval '1 year') AS new"
        "  FROM contact c JOIN contact_identifier ci ON ci.contact_id = c.id"
        " AND ci.retired_at IS NULL JOIN identifier i ON i.id = ci.identifier_id"
        " WHERE c.root_id = ANY(%s) AND i.kind IN ('phone', 'email') GROUP BY c.root_id, i.kind"
        f" UNION ALL {_APART}",
        (numbers(states),) * 3,
    )
    for row in cursor.fetchall():
        if row["kind"] == "apart":
            pair = states[row["root_id"]], states[row["n"]]
            batch.part(Contacts).apart.update((pair, pair[::-1]))
            continue
        setattr(states[row["root_id"]], "phones" if row["kind"] == "phone" else "emails", row["n"])
        setattr(states[row["root_id"]], "new_phones" if row["kind"] == "phone" else "new_emails", row["new"])


def _connect(batch: Batch) -> None:
    links = batch.part(Contacts).links
    if any(batch.contacts[row["contact_id"]].is_erased for row in links):
        # The address was linked to them after the erasure had taken its locks, and went with them. Now it is nobody's.
        raise Transient("person_erased_meanwhile", "The person behind this address was erased at the same moment.")
    for row in links:
        identifier = batch.identifiers[row["kind"], row["value"]]
        contact = batch.contacts[row["contact_id"]]
        known = next((link for link in identifier.links if link.contact is contact), None)
        if known is None:
            known = LinkState(contact, row["exclusive"], row["display"], row["last_seen_at"], contact_id=row["contact_id"])
            identifier.links.append(known)
        else:
            known.exclusive = known.exclusive or row["exclusive"]
        if name := batch.part(Contacts).own_names.get(row["contact_id"]):
            known.own_names.append(name)


def _new(batch: Batch) -> Mapping[str, Sequence[HasId]]:
    identifiers = [one for one in batch.identifiers.values() if one.id is None and (one.links or one.changed)]
    for identifier in identifiers:
        identifier.created = True
    return {"contact": [one for one in batch.new_contacts if one.id is None], "identifier": identifiers}


def _write(cursor: Cursor, batch: Batch) -> None:
    companies.give_first_owners(batch)
    contacts = batch.all_contacts()
    copy_rows(cursor, "contact", [_contact_row(one) for one in contacts if one.created])
    _write_identifiers(cursor, batch)
    update_rows(
        cursor, "contact",
        [{"id": c.id, "name": c.name, "company": c.company, "owner_id": c.owner_id, "owner_since": c.owner_since,
          "owner_bound_until": c.owner_bound_until,
          "company_id": c.in_company.id if c.in_company is not None else None, "last_seen_at": c.last_seen_at}
         for c in contacts if c.changed and not c.created],
    )  # fmt: skip
    companies.write_known(cursor, batch)
    _write_suggestions(cursor, batch)


def _contact_row(contact: ContactState) -> dict[str, Any]:
    return {
        "id": contact.id, "root_id": contact.root.id, "kind": contact.kind, "name": contact.name, "company": contact.company,
        "company_id": contact.in_company.id if contact.in_company is not None else None,
        "owner_id": contact.owner_id, "owner_since": contact.owner_since, "owner_bound_until": contact.owner_bound_until,
        "created_at": contact.last_seen_at,
        "last_seen_at": contact.last_seen_at, "version": 1,
    }  # fmt: skip


def _write_identifiers(cursor: Cursor, batch: Batch) -> None:
    known, new, seen, retired = [], [], [], []
    new_links: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    for identifier in batch.identifiers.values():
        if identifier.id is None:
            continue
        row = {"id": identifier.id, "strength": identifier.strength, "names_seen": identifier.names_seen}
        if identifier.created:
            new.append({**row, "names_seen": texts(identifier.names_seen), "kind": identifier.kind, "value": identifier.value})
        elif identifier.changed:
            known.append(row)
        for link in identifier.links:
            if link.created:
                # Where either of the two is new no link of before can be in the way.
                (new_links if identifier.created or link.contact.created else links).append(
                    {"identifier_id": identifier.id, "contact_id": link.contact.id, "display": link.display,
                     "exclusive": link.exclusive, "name_key": link.name_key, "event_id": link.event_id, "first_seen_at": link.last_seen_at,
                     "last_seen_at": link.last_seen_at}
                )  # fmt: skip
            elif link.retired:
                retired.append((identifier.id, link.contact_id))
            elif link.seen:
                seen.append((identifier.id, link.contact_id, link.last_seen_at))
    copy_rows(cursor, "identifier", new)
    update_rows(cursor, "identifier", known)
    if retired:
        cursor.execute(
            "UPDATE contact_identifier ci SET retired_at = now()"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS k(i, c) WHERE ci.identifier_id = k.i AND ci.contact_id = k.c",
            ([i for i, _ in retired], [c for _, c in retired]),
        )
    copy_rows(cursor, "contact_identifier", new_links)
    insert_rows(
        cursor, "contact_identifier", links,
        "ON CONFLICT (identifier_id, contact_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, retired_at = NULL",
    )  # fmt: skip
    if seen:
        cursor.execute(
            "UPDATE contact_identifier ci SET last_seen_at = k.at"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS k(i, c, at)"
            " WHERE ci.identifier_id = k.i AND ci.contact_id = k.c AND ci.last_seen_at < k.at - %s",
            (numbers(i for i, _, _ in seen), numbers(c for _, c, _ in seen), [at for _, _, at in seen], _SEEN_PRECISION),
        )


def _write_suggestions(cursor: Cursor, batch: Batch) -> None:
    rows = {}
    for one, other, why in batch.part(Contacts).suggestions:
        a, b = one.root.id, other.root.id
        if a is not None and b is not None and a != b:
            rows[min(a, b), max(a, b)] = resolve(why)
    insert_rows(
        cursor, "suggestion",
        [{"a_id": a, "b_id": b, "why": why, "state": "open", "at": "now"} for (a, b), why in sorted(rows.items())],
        "ON CONFLICT (a_id, b_id) DO NOTHING",
    )  # fmt: skip


SUBJECT = Subject("contacts", locks=_locks, find=_find, connect=_connect, new=_new, write=_write)
