"""A database of the version before is brought to this one while inquiries come in: nothing acknowledged is lost, nobody waits long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import psycopg
import pytest
import servers

from crm_core.base.config import HubConfig
from crm_core.base.database import connect_options, migrate, schema_is_current
from crm_core.base.errors import Transient
from ingest.journal.accept import GroupAcceptor, RawEvent
from ingest.journal.raw_event import new_uid
from leadhub.embedded import postgres

pytestmark = [pytest.mark.serial, pytest.mark.faults]

_BEFORE = "0012"  # the schema of the version before; what it knows of tables and columns is all that is used below
_EVENTS = 100_000
_LONGEST_PAUSE_SECONDS = 30.0
_SETTLE_SECONDS = 1.0  # of traffic before and after

#: A hub with a past, at the schema before: an event, a contact, a lead and a touch each, and the last 5,000 events still wait.
_PAST = (
    """INSERT INTO inbound_event (source_id, channel, body, headers, state, outcome, reason, provider_key, done_at, received_at)
       SELECT 1, 'form', convert_to(repeat('history ', 60), 'UTF8'), '{"content-type": "application/json"}',
              CASE WHEN n <= %(done)s THEN 'done' ELSE 'waiting' END, CASE WHEN n <= %(done)s THEN 'created' END,
              '{"code": "new_contact"}', 'history-' || n, CASE WHEN n <= %(done)s THEN now() END,
              now() - (%(all)s - n) * interval '1 minute'
       FROM generate_series(1, %(all)s) n""",
    """INSERT INTO source (name, connector, channel) VALUES ('A form', 'generic_form', 'form')""",
    """INSERT INTO contact (id, root_id, name, last_seen_at) OVERRIDING SYSTEM VALUE
       SELECT 1000000 + n, 1000000 + n, 'History ' || n, now() FROM generate_series(1, %(done)s) n""",
    """INSERT INTO lead (contact_id, channel, source_id, event_id, title, message, received_at, last_touch_at)
       SELECT 1000000 + id, 'form', 1, id, 'History', 'history', received_at, received_at FROM inbound_event WHERE state = 'done'""",
    """UPDATE inbound_event e SET lead_id = l.id, contact_id = l.contact_id FROM lead l WHERE l.event_id = e.id""",
    """INSERT INTO touch (contact_id, lead_id, kind, at, source_id, event_id)
       SELECT contact_id, id, 'form', received_at, source_id, event_id FROM lead""",
)

#: As the version before sent a group.
_OLD_INSERT = """
INSERT INTO inbound_event
  (uid, source_id, channel, method, path, query, headers, remote_ip, provider_key, unclaimed, redeliveries, body)
SELECT * FROM ROWS FROM (
  json_to_recordset(%b::text::json) AS (uid text, source_id int8, channel text, method text, path text, query text,
    headers jsonb, remote_ip text, provider_key text, unclaimed bool, redeliveries int8),
  unnest(%b::bytea[]))
ON CONFLICT (source_id, provider_key) WHERE provider_key IS NOT NULL
DO UPDATE SET redeliveries = inbound_event.redeliveries + 1 + excluded.redeliveries
RETURNING id, uid, source_id, provider_key, CASE WHEN redeliveries > 0 THEN sha256(body) END, unclaimed AND replayed = 0
"""


@dataclass
class _Traffic:
    """Somebody who sends without an end, and again what was not acknowledged."""

    send: Callable[[str], None]  # raises Transient or psycopg.Error
    name: str
    acknowledged: list[str] = field(default_factory=list)
    refused: int = 0
    longest_pause: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        last = time.monotonic()
        while not self.stop.is_set():
            key = f"{self.name}-{new_uid()}"
            while not self.stop.is_set():
                try:
                    self.send(key)
                except (Transient, psycopg.Error):
                    self.refused += 1
                    time.sleep(0.05)
                    continue
                self.acknowledged.append(key)
                break
            now = time.monotonic()
            self.longest_pause = max(self.longest_pause, now - last)
            last = now


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    # Durable as in life: how long a migration takes, and what it costs the others, is the question.
    with servers.private_postgres(tmp_path / "postgres", fsync="on", synchronous_commit="on") as (cluster, _):
        url = f"postgresql://{postgres.ADMIN}@127.0.0.1:{cluster.port}/postgres"
        migrate(url, _BEFORE)
        with psycopg.connect(url) as connection:
            for step in _PAST:
                connection.execute(step, {"all": _EVENTS, "done": _EVENTS - 5_000})
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        yield url


@pytest.mark.timeout(240)
def test_intake_goes_on_while_a_hundred_thousand_events_migrate(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    acceptor = GroupAcceptor(HubConfig(tmp_path, database, "redis://127.0.0.1:1/0", "s" * 40), lambda _: None)
    old = psycopg.connect(
        database, autocommit=True, options=f"{connect_options('web')} -c lock_timeout=250 -c statement_timeout=2000"
    )

    def by_the_old_version(key: str) -> None:
        row = {
            "uid": new_uid(), "source_id": 1, "channel": "form", "method": "POST", "path": "", "query": "", "headers": {},
            "remote_ip": "", "provider_key": key, "unclaimed": False, "redeliveries": 0,
        }  # fmt: skip
        old.execute(_OLD_INSERT, (orjson.dumps([row]).decode(), [b"old"]), prepare=True)

    def by_this_version(key: str) -> None:
        acceptor.accept(RawEvent(1, "form", b"new", provider_key=key))

    def at_work(key: str) -> None:
        """A worker of the version before: a claim is a transaction over journal and domain, open for a while."""
        with worker.transaction():
            worker.execute(
                "UPDATE inbound_event SET state = 'working', attempts = attempts + 1 WHERE id IN (SELECT id FROM inbound_event"
                " WHERE state = 'waiting' ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED)"
            )
            worker.execute("INSERT INTO contact (root_id, name, last_seen_at) VALUES (1000001, %s, now())", (key,))
            time.sleep(0.05)

    worker = psycopg.connect(database, autocommit=True, options=connect_options("worker"))
    intake = [_Traffic(by_the_old_version, "old"), _Traffic(by_this_version, "new"), _Traffic(by_this_version, "too")]
    everybody = [*intake, _Traffic(at_work, "work")]
    threads = [threading.Thread(target=one.run) for one in everybody]
    for thread in threads:
        thread.start()
    try:
        time.sleep(_SETTLE_SECONDS)
        began = time.monotonic()
        migrate(database)
        seconds = time.monotonic() - began
        time.sleep(_SETTLE_SECONDS)
    finally:
        for one in everybody:
            one.stop.set()
        for thread in threads:
            thread.join(60)
        acceptor.close()
        old.close()
        worker.close()

    with capsys.disabled():
        print(f"\n  {_EVENTS:,} events migrated in {seconds:.1f} s; " + "; ".join(
            f"{one.name}: {len(one.acknowledged)} acknowledged, {one.refused} told to come back, longest pause {one.longest_pause:.2f} s"
            for one in everybody
        ))  # fmt: skip
    assert schema_is_current(database)
    with psycopg.connect(database) as connection:
        stored = {key for (key,) in connection.execute("SELECT provider_key FROM inbound_event")}
    assert all(one.acknowledged for one in everybody), "they were there"
    for one in intake:
        assert set(one.acknowledged) <= stored
        assert one.longest_pause <= _LONGEST_PAUSE_SECONDS
    assert {f"history-{n}" for n in range(1, _EVENTS + 1)} <= stored
