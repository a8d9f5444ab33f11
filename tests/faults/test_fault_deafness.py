"""A worker that is alive but deaf does its work meanwhile, leaves by itself, and the next one hears."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from faulthub import FaultHub

from ingest.journal.accept import RawEvent, insert_events

pytestmark = [pytest.mark.serial, pytest.mark.timeout(240)]

#: For a machine that is busy with other things, on which a worker takes half a minute to start.
PATIENCE_SECONDS = 60.0


def _form(hub: FaultHub, n: int) -> None:
    body = b'{"name": "Anna", "email": "a%d@example.com"}' % n
    raw_event = RawEvent(hub.sources["form"].id, "form", body, headers={"content-type": "application/json"})
    with psycopg.connect(hub.config.database_url) as connection:
        insert_events(connection, [raw_event])


def test_worker_leaves_when_it_is_deaf_or_short_of_processes_and_for_no_other_silence(
    fault_hub: FaultHub, fault_directory: Path
) -> None:
    hub, mark = fault_hub, fault_directory / "deaf"
    # `leadhub worker` alone: no schedule tells it anything. It looks by itself, and it stays.
    hub.start_as("worker", [sys.executable, str(Path(__file__).with_name("faultdeaf.py")), str(mark)])
    hub.until(lambda: len(hub.children("worker")) >= 2)
    _form(hub, 1)
    hub.until(lambda: hub.unfinished() == 0, PATIENCE_SECONDS)

    # Deaf: it works on, and it leaves.
    hub.start("beat")
    hub.until(hub.working)
    mark.touch()
    _form(hub, 2)
    hub.until(lambda: hub.unfinished() == 0, PATIENCE_SECONDS)
    left = hub.until(lambda: hub.ended_with("worker") is not None, PATIENCE_SECONDS)
    assert hub.ended_with("worker") == 75
    assert "worker_leaves reason=deaf" in hub.logs()
    mark.unlink()
    hub.rows("DELETE FROM heartbeat WHERE role = 'sweep' RETURNING role")
    heard = hub.until(hub.working, PATIENCE_SECONDS)

    # A broker that is away makes nobody deaf.
    hub.hold("broker")
    _form(hub, 3)
    hub.until(lambda: hub.unfinished() == 0, PATIENCE_SECONDS)
    time.sleep(4)  # longer than deafness takes to be noticed here
    assert hub.starts("worker") == 2
    # But a pool that nobody keeps whole while the connection is being waited for does.
    poor: psutil.Process = hub.children("worker")[-1]
    poor.kill()
    short = hub.until(lambda: hub.starts("worker") == 3, PATIENCE_SECONDS)
    assert hub.ended_with("worker") == 75
    _form(hub, 4)
    hub.until(lambda: hub.unfinished() == 0, PATIENCE_SECONDS)
    print(f"deaf: left after {left:.1f} s, heard again after {heard:.1f} s; short of a process: left after {short:.1f} s")
