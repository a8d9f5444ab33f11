"""The same person through several doors at once: one contact, one open lead, every touch, whoever wins."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
from faulttraffic import Person, components, ordinary
from sqlalchemy import Engine, text

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.people.commands import add_owner
from ingest.journal.accept import RawEvent, insert_events
from ingest.processing.process import Processor
from ingest.sources.sources import add_source

ROUNDS = 50
INQUIRIES, PEOPLE = 4_000, 1_000
PROCESSES, THREADS = 4, 4  # sixteen workers in all; what they race for is in the database
_IMAP = {"host": "imap.example.com", "user": "sales@hub.example", "password": "x"}
_ROOT = Path(__file__).parents[2]


@pytest.fixture
def sources(config: HubConfig, engine: Engine) -> dict[str, int]:
    with engine.begin() as connection:
        for n in range(4):
            add_owner(connection, HUB, f"Owner {n}", extension=str(100 + n))
        return {
            channel: add_source(connection, HUB, config, connector, f"A {channel}", settings).id
            for channel, connector, settings in (
                ("form", "generic_form", {}),
                ("call", "generic_call", {}),
                ("mail", "imap", _IMAP),
            )
        }


def _rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def _triple(sources: dict[str, int], person: Person) -> list[RawEvent]:
    """A form with phone and address, a missed call of the phone, a mail of the address."""
    form = {"name": person.name, "phone": person.phone(), "email": person.email()}
    call = {"event": "hangup", "callId": f"c{person.number}", "direction": "in", "cause": "noAnswer",
            "from": person.phone().lstrip("+"), "to": "74951112233"}  # fmt: skip
    mail = EmailMessage()
    mail["From"], mail["To"] = f"{person.name} <{person.email()}>", "sales@hub.example"
    mail["Subject"], mail["Message-ID"] = "Doors", f"<m{person.number}@example.com>"
    mail.set_content("How much is a door?")
    return [
        RawEvent(sources["form"], "form", json.dumps(form).encode(), headers={"content-type": "application/json"}),
        RawEvent(sources["call"], "call", json.dumps(call).encode(), headers={"content-type": "application/json"}),
        RawEvent(sources["mail"], "mail", mail.as_bytes()),
    ]


def test_one_new_person_through_three_channels_at_once_is_one_contact_with_one_lead(
    config: HubConfig, engine: Engine, sources: dict[str, int]
) -> None:
    people = ordinary(ROUNDS)
    gate = threading.Barrier(4)
    failures: list[BaseException] = []

    def work(channel: str) -> None:
        processor = Processor(config)
        try:
            for _ in people:
                gate.wait(60)
                processor.drain(channel, 10.0)
                gate.wait(60)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)
            gate.abort()
        finally:
            processor.close()

    workers = [threading.Thread(target=work, args=(channel,)) for channel in sources]
    for worker in workers:
        worker.start()
    try:
        for person in people:
            with psycopg.connect(config.database_url) as connection:
                insert_events(connection, _triple(sources, person))
            gate.wait(60)
            gate.wait(60)
    finally:
        gate.abort()
        for worker in workers:
            worker.join()
    assert [error for error in failures if not isinstance(error, threading.BrokenBarrierError)] == []
    assert _rows(engine, "SELECT DISTINCT state FROM inbound_event") == [("done",)]
    # A call or a mail that came first makes a contact that the form then joins with the other; one of them carries on.
    assert _rows(engine, "SELECT count(*) FROM contact WHERE id = root_id") == [(ROUNDS,)]
    assert _rows(engine, "SELECT count(*), count(DISTINCT contact_id) FROM lead WHERE state = 'open'") == [(ROUNDS, ROUNDS)]
    touches = "SELECT count(*) FROM touch t JOIN contact c ON c.id = t.contact_id WHERE t.event_id IS NOT NULL GROUP BY c.root_id"
    assert {count for (count,) in _rows(engine, touches)} == {3}
    assert _rows(engine, "SELECT count(*), count(DISTINCT phone) FROM activity WHERE state = 'open'") == [(ROUNDS, ROUNDS)]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("batch_size", [1, 20])
def test_contacts_are_the_connected_components_when_sixteen_workers_race(
    config: HubConfig, engine: Engine, sources: dict[str, int], dice: random.Random, batch_size: int
) -> None:
    inquiries = INQUIRIES if batch_size > 1 else INQUIRIES // 4
    people = ordinary(PEOPLE if batch_size > 1 else PEOPLE // 4)
    groups = []
    parsed_items = []
    for n in range(inquiries):
        person = dice.choice(people)
        has = [person.phone(), person.phone(1), person.email(), person.email(1)]
        named = dice.sample(has, dice.choice((1, 2, 3)))
        fields = {"name": person.name, "message": f"#{n}"}
        fields |= {("email" if "@" in value else "phone") + str(i or ""): value for i, value in enumerate(named)}
        groups.append(named)
        parsed_items.append(
            RawEvent(
                sources["form"],
                "form",
                json.dumps(fields).encode(),
                headers={"content-type": "application/json"},
            )
        )
    with psycopg.connect(config.database_url) as connection:
        for at in range(0, inquiries, 500):
            insert_events(connection, parsed_items[at : at + 500])
    start_at = time.time() + 3.0
    argv = [sys.executable, str(Path(__file__).with_name("faultrace.py")), config.database_url, str(start_at)]
    racers = [
        subprocess.Popen(
            [*argv, str(THREADS), str(batch_size), "form"],
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )
        for _ in range(PROCESSES)
    ]
    # An event that met a conflict more often than it is repeated at once waits five seconds; the sweep would see to it.
    assert [racer.wait(200) for racer in racers] == [0] * PROCESSES
    processor = Processor(config)
    deadline = time.monotonic() + 60
    while _rows(engine, "SELECT 1 FROM inbound_event WHERE state <> 'done' LIMIT 1") and time.monotonic() < deadline:
        processor.drain("form")
        time.sleep(0.2)
    processor.close()
    assert _rows(engine, "SELECT DISTINCT state FROM inbound_event") == [("done",)]
    persons = len(set(components(groups).values()))
    assert _rows(engine, "SELECT count(*) FROM contact WHERE id = root_id") == [(persons,)]
    assert _rows(engine, "SELECT count(*), count(DISTINCT contact_id) FROM lead WHERE state = 'open'") == [(persons, persons)]
    assert _rows(engine, "SELECT count(*) FROM touch WHERE event_id IS NOT NULL") == [(inquiries,)]
    on_roots = "SELECT count(*) FROM lead l JOIN contact c ON c.id = l.contact_id WHERE l.state = 'open' AND c.id <> c.root_id"
    assert _rows(engine, on_roots) == [(0,)]
    assigned: dict[object, int] = dict(_rows(engine, "SELECT owner_id, assigned FROM pool_member"))  # type: ignore[arg-type]
    assert (
        sum(assigned.values())
        == _rows(engine, "SELECT count(*) FROM assignment WHERE kind = 'pool' AND refunded_at IS NULL")[0][0]
    )
    # Turns that are given back for merged leads are outside of the promise of one (docs/routing.md).
    assert max(assigned.values()) - min(assigned.values()) <= 4
    born = _rows(engine, "SELECT count(*) FROM inbound_event WHERE outcome IN ('created', 'repeat')")
    assert _rows(engine, "SELECT count(*) FROM lead") == born
