"""What the models declare personal is gone from every table after an erasure; what they declare impersonal is as it was.

Each personal column of each row of a person is filled with a word that occurs nowhere else, then the whole database is read.
A table with personal columns that this hub has no row of fails here, and so does one that the erasure does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from desk import Desk
from sqlalchemy import ARRAY, Column, Connection, Engine, LargeBinary, func, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.personal import personal_columns
from crm_core.contacts.models import MergeEvent, Suggestion
from crm_core.contacts.reach import members_of
from crm_core.erasure.commands import calls_of
from crm_core.erasure.tables import PLACES
from crm_core.forms.models import Attachment, Consent
from crm_core.leads.assignment import assign_lead
from crm_core.mentions.models import Mention
from crm_core.messages.models import MailMessage
from crm_core.models import Base
from crm_core.search import catch_up
from ingest.erasure.erase import erase
from ingest.erasure.person_events import events_of
from ingest.journal.states import ERASE

ADMIN = Principal("user", 1, "Admin", "admin", None)
NOW = datetime.now(UTC)
WORD, PHONE, FILE = "sentinelword", "9001234567", "5e" * 32
#: A number has to stay one, because it is what the person is looked for by.
AS_IT_IS = {"identifier.value"}
#: Hashes under which a repetition is known; `touch.fingerprint`, which they were made of, is filled with the word here.
DIGESTS = {"tombstone.digest"}

PERSONAL = personal_columns(Base.metadata)
JOURNAL = "inbound_event"  # it empties its own rows
ROWS = {name: place.rows for name, place in PLACES.items()} | {JOURNAL: "id = ANY(:events)"}


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def inquire(desk: Desk, name: str, phone: str, email: str) -> int:
    """A person with a row in every table: what comes in by itself, and beside it what takes a mailbox or a form of files."""
    desk.form(name=name, phone=phone, email=email, message="hello", utm_source="ya", utm_term=name)
    desk.call("newCall", name, phone)
    desk.call("hangup", name, phone, cause="cancel")
    desk.drain()
    with desk.engine.begin() as connection:
        catch_up(connection)
        contact = connection.execute(text("SELECT id FROM contact WHERE name = :name"), {"name": name}).scalar_one()
        lead, event = connection.execute(
            text("SELECT id, event_id FROM lead WHERE contact_id = :id ORDER BY id LIMIT 1"), {"id": contact}
        ).one()
        assign_lead(connection, ADMIN, lead, owner_id=desk.owners["Vera"], why="asked for her", now=NOW)
        merged = connection.execute(
            text("INSERT INTO contact (id, root_id, name) OVERRIDING SYSTEM VALUE VALUES (:id + 100, :id, :name) RETURNING id"),
            {"id": contact, "name": name},
        ).scalar_one()
        of_this = {"contact_id": contact, "lead_id": lead, "event_id": event}
        connection.execute(insert(MailMessage).values(dedup_key=f"key {contact}", **of_this))
        connection.execute(
            insert(Consent).values(source_id=desk.form_source, purpose="processing", given=True, method="checkbox",
                                   captured_at=NOW, **of_this)
        )  # fmt: skip
        connection.execute(insert(Attachment).values(n=1, state="stored", type="image/png", size=7, **of_this))
        connection.execute(
            insert(MergeEvent).values(winner_id=contact, loser_id=merged, actor="auto", evidence={}, moved={"contacts": [merged]})
        )
        connection.execute(
            insert(Mention).values(lead_id=lead, owner_id=desk.owners["Vera"], author="user:1", text="x", created_at=NOW)
        )
        connection.execute(
            text("INSERT INTO owner_exclusion (contact_id, owner_id, actor) VALUES (:contact, :owner, 'user:1')"),
            {"contact": contact, "owner": desk.owners["Boris"]},
        )
        connection.execute(insert(Suggestion).values(a_id=contact, b_id=merged, why={}))
    return int(contact)


def ids_of(connection: Connection, contact: int) -> dict[str, Any]:
    members = members_of(connection, contact)
    calls = calls_of(connection, members, [])
    return {"members": members, "calls": calls, "events": events_of(connection, members, calls)}


def fill(connection: Connection, contact: int) -> dict[str, int]:
    """Puts the word into every personal column of the person's rows; how many rows of each table that were."""
    ids, filled = ids_of(connection, contact), {}
    for name, columns in PERSONAL.items():
        table = Base.metadata.tables[name]
        mine = text(ROWS[name]).bindparams(**{key: ids[key] for key in ids if f":{key}" in ROWS[name]})
        values = {column: word_for(column) for column in columns if f"{name}.{column.name}" not in AS_IT_IS}
        filled[name] = connection.execute(table.update().where(mine).values(values)).rowcount
    return filled


def word_for(column: Column[Any]) -> Any:
    key = next(iter(column.table.primary_key))
    word = func.concat(f"{WORD} {column.table.name}.{column.name} ", key)
    if column.name == "provider_key":
        return func.concat("lead-7", PHONE, "-", key)  # goes only because it names the person
    if column.name == "sha256":
        return FILE  # names a file on the disk, and is refused where it is no hash
    if isinstance(column.type, JSONB):
        said = func.jsonb_build_object("said", word, "deep", func.jsonb_build_array(word))
        return func.coalesce(column, func.jsonb_build_object()).op("||")(said)
    if isinstance(column.type, ARRAY):
        return func.array_append(column, word)
    if isinstance(column.type, LargeBinary):
        return func.convert_to(word, "UTF8")
    if isinstance(column.type, TSVECTOR):
        return func.to_tsvector("simple", word)
    return word


def everything(connection: Connection) -> dict[str, dict[tuple[Any, ...], dict[str, Any]]]:
    """Every row of every table by its key, what is bytes readable."""
    found: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for table in Base.metadata.sorted_tables:
        columns = [
            func.encode(column, "escape").label(column.name) if isinstance(column.type, LargeBinary) else column
            for column in table.columns
        ]
        keys = [column.name for column in table.primary_key]
        rows = connection.execute(select(*columns)).mappings()
        found[table.name] = {tuple(row[key] for key in keys): dict(row) for row in rows}
    return found


def test_every_table_with_personal_columns_has_its_place_in_the_erasure() -> None:
    assert PERSONAL.keys() - ROWS.keys() == set(), "say in crm_core/erasure/tables.py where it keeps a person"
    assert {column.name for column in PERSONAL[JOURNAL]} <= ERASE.sets.keys()


def test_nothing_stays_of_a_column_that_the_models_do_not_call_personal() -> None:
    for name, place in PLACES.items():
        personal = {column.name for column in PERSONAL.get(name, ())}
        assert set(place.stays) <= personal, name
        assert not set(place.also) & personal, name


def test_every_personal_column_of_every_table_is_empty_and_every_other_as_it_was(
    desk: Desk, engine: Engine, config: HubConfig
) -> None:
    other = inquire(desk, "Other Example", "+7 900 765-43-21", "other@example.org")
    contact = inquire(desk, "Person Example", f"+7{PHONE}", "person@example.com")
    with engine.begin() as connection:
        filled = fill(connection, contact)
        assert [name for name in PERSONAL if not filled.get(name)] == [], "give the person of this test a row in it"
        others = ids_of(connection, other)
    with engine.connect() as connection:
        before = everything(connection)
    assert [name for name in PERSONAL if WORD not in str(before[name])] == []

    erase(engine, config, ADMIN, contact, "letter", NOW)

    with engine.connect() as connection:
        after = everything(connection)
        assert ids_of(connection, other) == others
    left = [
        f"{name}.{column}" for name, rows in after.items() for row in rows.values() for column, value in row.items()
        if f"{name}.{column}" not in DIGESTS and any(trace in str(value) for trace in (WORD, PHONE, FILE))
    ]  # fmt: skip
    assert left == []
    changed = {
        f"{name}.{column}"
        for name, rows in before.items() for key, row in rows.items() if key in after[name]
        for column, value in row.items() if after[name][key][column] != value
    }  # fmt: skip
    may_change = {f"{name}.{column.name}" for name, columns in PERSONAL.items() for column in columns}
    may_change.add(f"{JOURNAL}.erased_at")
    may_change |= {f"{name}.{column}" for name, place in PLACES.items() for column in place.also}
    assert changed - may_change == set()
    gone = {name: len(rows.keys() - after[name].keys()) for name, rows in before.items() if rows.keys() - after[name].keys()}
    assert set(gone) <= {name for name, place in PLACES.items() if place.deleted or place.statement}
    assert (gone["identifier"], gone["suggestion"]) == (2, 1)
