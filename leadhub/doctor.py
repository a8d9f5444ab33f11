"""`leadhub doctor`: what a person would check first, one finding a line. Changes nothing but a file of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from crm_core.base.config import HubConfig
from crm_core.base.database import connect, make_engine, schema_state
from crm_core.base.errors import Misconfigured
from ingest.journal.disk_space import look
from ingest.monitoring import clocks
from ingest.monitoring.broker_state import LATE, look_at_broker
from leadhub.prepare import require_version
from leadhub.settings import masked

State = Literal["ok", "hint", "bad"]

_BROKER_SECONDS = 2.0
DISK_HINT_SHARE = 0.15
_SYNC_WRITES = 40
_SYNC_HINT_PER_SECOND = 200  # a spinning disk; below it one commit takes more than 5 ms


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    name: str
    state: State  # hint: works, but look; bad: does not work
    message: str


def examine(config: HubConfig) -> list[DoctorFinding]:
    """All findings. A part that cannot be asked is one bad finding, the others are still asked."""
    found: list[DoctorFinding] = []
    for part in (_database, _broker, _sources, _proxies, _clock, _disk, _audit):
        found += part(config)
    return found


def _database(config: HubConfig) -> Iterator[DoctorFinding]:
    where = masked(config.database_url)
    try:
        started = time.monotonic()
        with connect(config.database_url, "ui") as connection:
            opened = time.monotonic() - started
            version = connection.info.server_version
            require_version(version)
            schema = schema_state(config.database_url)
    except Misconfigured as error:
        yield DoctorFinding("database", "bad", error.message)
        return
    except psycopg.OperationalError as error:
        yield DoctorFinding("database", "bad", f"{where} does not answer: {str(error).strip().splitlines()[0]}")
        return
    name = f"{version // 10_000}.{version % 10_000}"
    yield DoctorFinding("database", "ok", f"PostgreSQL {name} at {where}, connected in {opened * 1000:.0f} ms.")
    if schema == "current":
        yield DoctorFinding("schema", "ok", "The schema is this version's.")
    elif schema == "behind":
        yield DoctorFinding("schema", "bad", "The schema is that of an earlier version: run `leadhub migrate`.")
    else:
        yield DoctorFinding("schema", "bad", "The schema is that of a newer Leadhub: start that version here as well.")


def _broker(config: HubConfig) -> Iterator[DoctorFinding]:
    where = masked(config.broker_url)
    found = look_at_broker(config.broker_url, _BROKER_SECONDS)
    if found.code == "unknown":
        yield DoctorFinding("broker", "hint", f"{where} is no Redis or Valkey; only `leadhub health` can tell whether it works.")
        return
    if found.is_wrong:
        yield DoctorFinding("broker", "bad", f"{where} {found.words}. {LATE}")
    info = found.info
    if not info:
        return
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"
    if not found.is_wrong:
        yield DoctorFinding("broker", "ok", f"{name} at {where}, {info['used_memory_human']} used.")
    if info.get("maxmemory_policy", "noeviction") != "noeviction":
        yield DoctorFinding("broker", "hint", f"It evicts ({info['maxmemory_policy']}); a broker wants noeviction.")


def _sources(config: HubConfig) -> Iterator[DoctorFinding]:
    """A line for each mailbox, and for every other source that wants somebody."""
    from ingest.sources.states import source_states

    engine = make_engine(config.database_url, "ui", pool_size=1)
    try:
        with engine.connect() as connection:
            states = source_states(connection, config, datetime.now(UTC))
    except SQLAlchemyError:
        yield DoctorFinding("mailboxes", "bad", "Unknown: the database or its schema is missing.")
        return
    finally:
        engine.dispose()
    if not any(one.channel == "mail" for one in states):
        yield DoctorFinding("mailboxes", "ok", "None is being read.")
    marks: Mapping[str, State] = {"bad": "bad", "warn": "hint"}
    for one in states:
        if one.channel == "mail" or one.in_trouble:
            name = "mailbox" if one.channel == "mail" else "source"
            yield DoctorFinding(name, marks.get(one.tone, "ok"), f"{one.name}: {one.words}")


def _proxies(config: HubConfig) -> Iterator[DoctorFinding]:
    """Only what is wrong: a hub without a proxy has nothing to say here."""
    from ingest.monitoring.proxies import unknown_proxy

    engine = make_engine(config.database_url, "ui", pool_size=1)
    try:
        with engine.connect() as connection:
            found = unknown_proxy(connection, config.trusted_proxies, datetime.now(UTC))
    except SQLAlchemyError:
        return  # the database's own finding says it
    finally:
        engine.dispose()
    if found is not None:
        yield DoctorFinding("proxy", "hint", found.words)


def _audit(config: HubConfig) -> Iterator[DoctorFinding]:
    """The newest part of the record, and every noted head; `leadhub audit verify` goes through all of it."""
    from ingest.monitoring.audit_sealing import RECENT, verify_audit

    try:
        with connect(config.database_url, "ui") as connection:
            found = verify_audit(connection, config.home, datetime.now(UTC), RECENT)
    except psycopg.Error:
        yield DoctorFinding("audit", "bad", "Unknown: the database or its schema is missing.")
        return
    except OSError as error:
        yield DoctorFinding("audit", "bad", f"The heads in {config.home} cannot be read or written: {error.strerror}.")
        return
    if found.broken is not None:
        yield DoctorFinding("audit", "bad", f"{found.broken.message} See docs/security.md, The audit.")
        return
    yield DoctorFinding("audit", "ok", f"The last {found.entries} rows are as they were written.")


def _clock(config: HubConfig) -> Iterator[DoctorFinding]:
    engine = make_engine(config.database_url, "ui", pool_size=1)
    try:
        with engine.connect() as connection:
            found = clocks.ask(connection, datetime.now(UTC))
    except SQLAlchemyError:
        yield DoctorFinding("clock", "bad", "Unknown: the database or its schema is missing.")
        return
    finally:
        engine.dispose()
    yield from clock_findings(found)


def clock_findings(found: clocks.Clocks) -> Iterator[DoctorFinding]:
    """One of the two clocks, and one more where the youngest event is of the future."""
    yield DoctorFinding("clock", _how_bad(abs(found.skew)), found.skew_words)
    if found.ahead > clocks.NOTICED_SECONDS:
        yield DoctorFinding("clock", _how_bad(found.ahead), found.ahead_words)


def _how_bad(seconds: float) -> State:
    return "bad" if seconds > clocks.BAD_SECONDS else "hint" if seconds > clocks.NOTICED_SECONDS else "ok"


def _disk(config: HubConfig) -> Iterator[DoctorFinding]:
    disk = look(config.home, config.disk_floor_bytes)
    if not disk.takes_events:
        yield DoctorFinding("disk", "bad", f"{disk.words} Nothing is taken in until there is room (LEADHUB_DISK_FLOOR_MB).")
        return
    try:
        usage = shutil.disk_usage(config.home)
        rate = sync_rate(config.home)
    except OSError as error:
        yield DoctorFinding("disk", "bad", f"{config.home} cannot be used: {error.strerror}.")
        return
    share = usage.free / usage.total
    state: State = "hint" if share < DISK_HINT_SHARE else "ok"
    yield DoctorFinding("disk", state, f"{usage.free / 1e9:.1f} GB ({share:.0%}) free in {config.home}.")
    state = "hint" if rate < _SYNC_HINT_PER_SECOND else "ok"
    yield DoctorFinding("sync", state, f"The disk there confirms about {rate:.0f} writes a second; it differs by minutes.")


def sync_rate(directory: Path, clock: Callable[[], float] = time.perf_counter) -> float:
    """How many small writes a second the disk confirms: the ceiling of commits one after the other."""
    with tempfile.TemporaryFile(dir=directory) as file:
        started = clock()
        for _ in range(_SYNC_WRITES):
            file.write(b"\0" * 8192)  # a page of PostgreSQL's log
            file.flush()
            os.fdatasync(file.fileno())
        return _SYNC_WRITES / max(clock() - started, 1e-9)
