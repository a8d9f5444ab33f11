"""Sixteen clients that race for the same people, and the look-up of one inquiry among very many identifiers.

People have two phones and two addresses, and every inquiry names one to three of them: what belongs together is known exactly, as the
connected pieces of those names, whoever processes them in whatever order.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg.rows import dict_row

from bench.stage import Stage
from bench.table import Line, limit
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from crm_core.batch.locks import lock_names
from crm_core.batch.state import ParsedEvent
from crm_core.batch.steps import steps_of
from crm_core.batch.subject import Batch
from crm_core.contacts import intake as contacts
from crm_core.identity.names import compare_names
from crm_core.parsed import Inquiry
from ingest.journal.accept import RawEvent, insert_events
from ingest.processing.process import Processor
from leadhub.embedded import postgres

CLIENTS = 16
_CHUNK = 500
_PATIENCE_SECONDS = 600.0
_JSON = {"content-type": "application/json"}
_FIRST = ("Анна", "Пётр", "Ольга", "Иван", "Мария", "Сергей", "Елена", "Олег")
_LAST = ("Смирнов", "Лебедев", "Кузнецов", "Соколов", "Попов", "Морозов", "Волков", "Зайцев")


@dataclass(frozen=True, slots=True)
class Asked:
    """One inquiry: whose, and by which of the person's four addresses."""

    person: int
    places: tuple[int, ...]

    @property
    def fields(self) -> dict[str, str]:
        number = self.person
        known = (
            ("phone", f"+7912{2 * number + 1357911:07d}"), ("phone", f"+7913{2 * number + 1357912:07d}"),
            ("email", f"one{number}x@gmail.com"), ("email", f"two{number}x@gmail.com"),
        )  # fmt: skip
        phones = [known[place][1] for place in self.places if place < 2]
        emails = [known[place][1] for place in self.places if place >= 2]
        name = f"{_FIRST[number % 8]} {_LAST[number // 8 % 8]}{'а' * (number % 2 == 0)}"
        told = {"name": name, "phone": ", ".join(phones), "email": ", ".join(emails)}
        return {key: value for key, value in told.items() if value}


def inquiries(seed: int, people: int, count: int) -> list[Asked]:
    """As many inquiries of so many people, in an order of its own."""
    chance = random.Random(seed)
    return [
        Asked(chance.randrange(people), tuple(sorted(chance.sample(range(4), chance.choice((1, 1, 2, 2, 3))))))
        for _ in range(count)
    ]


def pieces(asked: Sequence[Asked]) -> list[int]:
    """Of every inquiry the number of its connected piece."""
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root(one: tuple[int, int]) -> tuple[int, int]:
        parent.setdefault(one, one)
        while parent[one] != one:
            one = parent[one]
        return one

    for each in asked:
        first = root((each.person, each.places[0]))
        for place in each.places[1:]:
            parent[root((each.person, place))] = first
    numbers: dict[tuple[int, int], int] = {}
    return [numbers.setdefault(root((each.person, each.places[0])), len(numbers)) for each in asked]


@dataclass(frozen=True, slots=True)
class Raced:
    """What became of the race. Everything but the rate must be as it is expected, exactly."""

    rate: float  # inquiries a second
    expected: int  # contacts
    contacts: int
    misplaced: int  # inquiries on another contact than the rest of their piece, or beside another piece
    open_leads: int
    touches: int
    deadlocks: int

    @property
    def is_exact(self) -> bool:
        return self.misplaced == self.deadlocks == 0 and self.contacts == self.open_leads == self.expected


def race(config: HubConfig, source_id: int, asked: Sequence[Asked], start: Callable[[HubConfig], float]) -> Raced:
    """Puts all of it into the journal, lets clients loose on it, and says what became of it. `start` gives the seconds it took."""
    uids: list[str] = []
    with closing(connect(config.database_url, "worker")) as door:
        for first in range(0, len(asked), _CHUNK):
            block = [
                RawEvent(source_id, "form", json.dumps({**one.fields, "message": f"Window {first + n}"}).encode(), headers=_JSON)
                for n, one in enumerate(asked[first : first + _CHUNK])
            ]
            uids += [accepted.uid for accepted in insert_events(door, block)]
    before = _counts(config.database_url)
    seconds = start(config)
    after = _counts(config.database_url)
    numbers = pieces(asked)
    pairs = set(zip(numbers, _stands(config.database_url, uids), strict=True))
    expected = len(set(numbers))
    return Raced(
        len(asked) / seconds, expected, after["contacts"] - before["contacts"],
        2 * len(pairs) - expected - len({contact for _, contact in pairs}), after["leads"] - before["leads"],
        after["touches"] - before["touches"], after["deadlocks"] - before["deadlocks"],
    )  # fmt: skip


def in_processes(config: HubConfig) -> float:
    """Sixteen clients, each a process of its own as a worker is."""
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(CLIENTS + 1)
    racers = [context.Process(target=_race, args=(config, gate), daemon=True) for _ in range(CLIENTS)]
    for racer in racers:
        racer.start()
    gate.wait(_PATIENCE_SECONDS)
    began = time.monotonic()
    for racer in racers:
        racer.join(_PATIENCE_SECONDS)
    seconds = time.monotonic() - began
    if any(racer.exitcode != 0 for racer in racers):
        raise RuntimeError("a client of the race did not end well")
    return seconds


def _race(config: HubConfig, gate: object) -> None:
    with closing(Processor(config)) as processor:
        # As a worker that has run for a while: connectors and tables of names and numbers are loaded.
        for row in processor.connection().execute("SELECT id FROM source").fetchall():
            processor.source(row["id"])
        person = Inquiry(name="Анна Смирнова", phones=("+79123456780",), emails=("anna@gmail.com",))
        compare_names(steps_of([ParsedEvent(0, 1, "", "form", datetime.now(UTC), (person,))])[0].person.name, "Аня")
        gate.wait(_PATIENCE_SECONDS)  # type: ignore[attr-defined]
        processor.drain("form", budget_seconds=_PATIENCE_SECONDS)


def _counts(url: str) -> dict[str, int]:
    with psycopg.connect(url, row_factory=dict_row, autocommit=True) as connection:
        [row] = connection.execute(
            "SELECT (SELECT count(*) FROM contact WHERE root_id = id) AS contacts, (SELECT count(*) FROM touch) AS touches,"
            " (SELECT count(*) FROM lead WHERE state = 'open') AS leads,"
            " (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()) AS deadlocks"
        ).fetchall()
    return row


def _stands(url: str, uids: Sequence[str]) -> list[int | None]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        rows = connection.execute(
            "SELECT e.uid, c.root_id FROM inbound_event e JOIN touch t ON t.event_id = e.id JOIN contact c ON c.id = t.contact_id"
        ).fetchall()
    roots = {row["uid"]: row["root_id"] for row in rows}
    return [roots.get(uid) for uid in uids]


#: Contacts of before, with a phone and an address each.
_CROWD = (
    """INSERT INTO contact (id, root_id, name, last_seen_at) OVERRIDING SYSTEM VALUE
       SELECT n, n, 'Known ' || n, now() FROM generate_series({first}, {last}) n""",
    """INSERT INTO identifier (id, kind, value, strength) OVERRIDING SYSTEM VALUE
       SELECT 2 * n, 'phone', '+7999' || lpad((n - {base})::text, 7, '0'), 'strong' FROM generate_series({first}, {last}) n""",
    """INSERT INTO identifier (id, kind, value, strength) OVERRIDING SYSTEM VALUE
       SELECT 2 * n + 1, 'email', 'known' || n || '@gmail.com', 'strong' FROM generate_series({first}, {last}) n""",
    """INSERT INTO contact_identifier (identifier_id, contact_id, display, exclusive)
       SELECT 2 * n + k, n, '', true FROM generate_series({first}, {last}) n, generate_series(0, 1) k""",
)
_STEP = 250_000
_FIRST_ID = 1_000_000_000  # far from those that the hub draws


def crowd(stage: Stage, name: str, count: int) -> None:
    """So many contacts that are known already, two identifiers each."""
    with psycopg.connect(stage.cluster.url(postgres.ADMIN, name), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # what they refer to is written beside them
        connection.execute("SET synchronous_commit = off")
        for first in range(0, count, _STEP):
            span = {"base": _FIRST_ID, "first": _FIRST_ID + first, "last": _FIRST_ID + min(first + _STEP, count) - 1}
            for step in _CROWD:
                connection.execute(step.format(**span))  # type: ignore[arg-type]
        connection.execute("VACUUM ANALYZE contact, identifier, contact_identifier")
        connection.execute("CHECKPOINT")


def look_ups(config: HubConfig, count: int, times: int, seed: int = 1) -> list[float]:
    """Seconds that one inquiry's phone and address take to be locked, found, and their contact locked and read."""
    chance = random.Random(seed)
    found = []
    with closing(connect(config.database_url, "worker")) as connection:
        connection.row_factory = dict_row  # type: ignore[assignment]
        for parsed in _known(chance, count, times):
            with (
                connection.transaction(),
                connection.cursor() as cursor,
            ):  # a rollback would drop prepared statements, as no worker does
                steps = steps_of([parsed])
                began = time.perf_counter()
                batch = Batch(steps)
                lock_names(cursor, contacts.SUBJECT.locks(cursor, batch))
                contacts.SUBJECT.find(cursor, batch)
                contacts.lock_contacts(cursor, batch)
                found.append(time.perf_counter() - began)
                if len(batch.contacts) != 1:
                    raise RuntimeError("a known person was not found")
    return found


def _known(chance: random.Random, count: int, times: int) -> Iterator[ParsedEvent]:
    for number in range(times):
        one = chance.randrange(count)
        inquiry = Inquiry(phones=(f"+7999{one:07d}",), emails=(f"known{_FIRST_ID + one}@gmail.com",))
        yield ParsedEvent(number, 1, "", "form", datetime.now(UTC), (inquiry,))


def measure(stage: Stage, people: int, events: int, known: int, identifiers: int) -> list[Line]:
    """The race among `known` contacts of before, and look-ups among `identifiers`."""
    hub = stage.hub("bench_race")
    crowd(stage, "bench_race", known)
    raced = race(hub.config, hub.form.id, inquiries(1, people, events), in_processes)
    stage.drop("bench_race")
    hub = stage.hub("bench_look_up")
    crowd(stage, "bench_look_up", identifiers // 2)
    look_ups(hub.config, identifiers // 2, 500, seed=2)  # to get warm
    took = sorted(1000 * one for one in look_ups(hub.config, identifiers // 2, 5_000))
    stage.drop("bench_look_up")
    what = f"{CLIENTS} racing clients, {events:,} inquiries of {people:,} people among {known:,} contacts"
    return [
        Line(f"{what}: contacts that are not as expected", str(abs(raced.contacts - raced.expected) + raced.misplaced), "", "", "= 0",
             raced.contacts == raced.expected and raced.misplaced == 0),
        Line("the same: deadlocks", str(raced.deadlocks), "", "", "= 0", raced.deadlocks == 0),
        Line("the same: inquiries", f"{raced.rate:,.0f} /s", "", "", "≥ 900 /s", raced.rate >= 900),
        limit(f"look-up of one inquiry among {identifiers:,} identifiers, p99", took[int(len(took) * 0.99)], 3.0, "ms", 2),
        Line("the same, median", f"{statistics.median(took):.2f} ms", "", "", "", None),
    ]  # fmt: skip
