"""Workers that die or freeze with events in their hands: the lease ends, the fencing token decides, killers are parked."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import psycopg
import pytest
from faultconnector import install
from faulthub import LEASE_SECONDS, FaultHub

from ingest.journal.accept import RawEvent, insert_events

pytestmark = pytest.mark.timeout(300)


def _source(hub: FaultHub) -> int:
    """A source of the misbehaving connector, which this process itself does not have."""
    return int(hub.one("INSERT INTO source (name, connector, channel) VALUES ('Faulty', 'faulty', 'form') RETURNING id"))


def _put(hub: FaultHub, source_id: int, *bodies: str) -> list[int]:
    with psycopg.connect(hub.config.database_url) as connection:
        receipts = insert_events(connection, [RawEvent(source_id, "form", body.encode()) for body in bodies])
    return [receipt.event_id for receipt in receipts]


def _event(hub: FaultHub, event_id: int) -> dict[str, object]:
    (row,) = hub.rows("SELECT * FROM inbound_event WHERE id = %s", event_id)
    return row


def test_event_that_kills_its_worker_is_parked_and_its_neighbours_are_done(fault_hub: FaultHub, fault_directory: Path) -> None:
    hub = fault_hub
    environment, trace = install(fault_directory)
    source_id = _source(hub)
    bodies = [f"fine {n:02d}" for n in range(10, 30)]
    ids = _put(hub, source_id, *bodies[:10], "poison 99", *bodies[10:])
    hub.start("worker", "beat", environment=environment)
    poison, neighbours = ids[10], ids[:10] + ids[11:]
    hub.until(lambda: hub.unfinished() == 0, 150)
    parked = _event(hub, poison)
    assert (parked["state"], parked["error"]["code"]) == ("needs_attention", "stops_its_worker")  # type: ignore[index]
    assert parked["attempts"] == 3
    done = hub.rows("SELECT state, outcome FROM inbound_event WHERE id = ANY(%s)", neighbours)
    assert {(row["state"], row["outcome"]) for row in done} == {("done", "created")}
    assert hub.one("SELECT count(*) FROM lead") == len(neighbours)
    killed = [file for file in trace.iterdir() if file.read_text().startswith("poison")]
    assert len(killed) == 3
    # What comes in afterwards is worked off as ever.
    later = _put(hub, source_id, "fine 40")
    hub.until(lambda: _event(hub, later[0])["state"] == "done")


def test_worker_that_froze_beyond_its_lease_cannot_finish_twice(fault_hub: FaultHub, fault_directory: Path) -> None:
    hub = fault_hub
    environment, trace = install(fault_directory)
    hub.start("worker", "beat", environment=environment)
    source_id = _source(hub)
    (event_id,) = _put(hub, source_id, "slow 55")
    hub.until(lambda: any(trace.iterdir()))
    holder = psutil.Process(int(next(trace.iterdir()).name.partition("-")[0]))
    holder.suspend()
    try:
        hub.until(lambda: _event(hub, event_id)["state"] == "done", LEASE_SECONDS + 60)
        before = _event(hub, event_id)
    finally:
        holder.resume()

    def holder_works_again() -> bool:
        _put(hub, source_id, "fine 77", "fine 78")
        return any(file.name.startswith(f"{holder.pid}-") and file.read_text().startswith("fine") for file in trace.iterdir())

    hub.until(holder_works_again)
    hub.until(lambda: hub.unfinished() == 0)
    assert _event(hub, event_id) == before
    assert (before["attempts"], before["outcome"]) == (2, "created")
    assert sum(file.read_text() == "slow 55" for file in trace.iterdir()) == 2
    assert hub.one("SELECT count(*) FROM touch WHERE event_id = %s", event_id) == 1
    assert hub.one("SELECT count(*) FROM lead WHERE event_id = %s", event_id) == 1


def test_events_of_a_worker_killed_with_them_in_hand_are_done_when_the_lease_ends(
    fault_hub: FaultHub, fault_directory: Path
) -> None:
    hub = fault_hub
    environment, trace = install(fault_directory)
    ids = _put(hub, _source(hub), "fine 10", "slow 11", "fine 12")
    hub.start("worker", "beat", environment=environment)
    hub.until(lambda: len(list(trace.iterdir())) >= 2)
    hub.kill("worker")  # its children die with it
    hub.until(lambda: hub.unfinished() == 0, LEASE_SECONDS + 60)
    rows = hub.rows("SELECT state, outcome, attempts FROM inbound_event WHERE id = ANY(%s)", ids)
    assert {(row["state"], row["outcome"], row["attempts"]) for row in rows} == {("done", "created", 2)}
    assert hub.one("SELECT count(*) FROM lead") == hub.one("SELECT count(*) FROM touch WHERE event_id IS NOT NULL") == 3


def test_two_schedules_and_two_workers_do_no_harm(fault_hub: FaultHub, fault_directory: Path) -> None:
    hub = fault_hub
    environment, trace = install(fault_directory)
    hub.start("worker", "worker.2", "beat", "beat.2", environment=environment)
    hub.until(hub.working)
    source_id = _source(hub)
    bodies = [f"fine {n:02d}" for n in range(10, 99)]
    for _ in range(5):
        _put(hub, source_id, *bodies)
    hub.signal("beat", signal.SIGKILL)
    for _ in range(5):
        _put(hub, source_id, *bodies)
    hub.until(lambda: hub.unfinished() == 0, 120)
    assert hub.one("SELECT count(*) FROM lead") == len(bodies)
    assert hub.one("SELECT count(*) FROM touch WHERE event_id IS NOT NULL") == 10 * len(bodies)
    assert hub.one("SELECT count(*) FROM inbound_event WHERE outcome = 'created'") == len(bodies)
    assert len(list(trace.iterdir())) == 10 * len(bodies)
