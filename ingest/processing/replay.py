"""Sends events through again: the same event, the same receipt time, effects rewritten and never doubled.

A dry run does the whole work in a transaction that is rolled back, and shows what would be different.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Engine, text

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, HubError, Invalid, NotFound
from crm_core.intake import ParsedEvent, take_in
from ingest.journal import transitions
from ingest.journal.claim import Claimed, Failure
from ingest.journal.queries import GROUPS
from ingest.processing.parse import read
from ingest.processing.process import BUGS, Processor
from ingest.sources.settings import LoadedSource

EVENTS_REPLAYED = history.Action("events.replay")

#: One order of replay takes this many events at most; more is asked for again.
MOST_EVENTS = 10_000
#: So many events are shown by a dry run; the counts are over all.
MOST_SHOWN = 200
_BATCH = 100
#: Bodies that are in memory at once, unless one alone weighs more.
_BATCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events: by id (uid), or by a filter. An empty selection is refused."""

    uids: tuple[str, ...] = ()
    is_search: bool = False  # the uids were found, not named: that none is left is no refusal
    state: str | None = None  # needs_attention | rejected | done | attention (the first two)
    outcome: str | None = None
    source_id: int | None = None
    code: str | None = None  # error code
    since: datetime | None = None
    until: datetime | None = None


@dataclass(slots=True)
class ReplayReport:
    """What was, or would be, sent through again. `changes` shows the first events whose result differs."""

    selected: int = 0
    replayed: int = 0
    dry_run: bool = False
    truncated: bool = False  # more events match than one order takes
    before: dict[str, int] = field(default_factory=dict)  # outcome or state → events
    after: dict[str, int] = field(default_factory=dict)  # of a dry run
    changed: int = 0  # of a dry run: events that would end otherwise
    changes: list[dict[str, Any]] = field(default_factory=list)  # {"event","before","after","reason"}, the first of them


_WHERE = """
    state IN ('needs_attention', 'rejected', 'done') AND erased_at IS NULL
    AND (CAST(:uids AS text[]) IS NULL OR uid = ANY(:uids))
    AND (CAST(:states AS text[]) IS NULL OR state = ANY(:states))
    AND (CAST(:outcome AS text) IS NULL OR outcome = :outcome)
    -- A person's word stands until a person takes it back: what was dismissed is sent only where it is asked for.
    AND (outcome IS DISTINCT FROM 'dismissed' OR :outcome = 'dismissed' OR CAST(:uids AS text[]) IS NOT NULL)
    AND (CAST(:source AS bigint) IS NULL OR source_id = :source)
    AND (CAST(:code AS text) IS NULL OR error->>'code' = :code)
    AND (CAST(:since AS timestamptz) IS NULL OR received_at >= :since)
    AND (CAST(:until AS timestamptz) IS NULL OR received_at < :until)
"""


def replay(engine: Engine, principal: Principal, config: HubConfig, selection: Selection, dry_run: bool) -> ReplayReport:
    """Sends the selected events through again, or says what would happen.

    Events that are waiting or in work are left alone: they are on their way anyway. Raises NotFound or Conflict where
    events are named and none of them can be sent. The caller wakes the workers for the channels in question; a sweep does
    it otherwise.
    """
    demand(principal, "events.replay")
    if selection == Selection():
        raise Invalid("nothing_selected", "Name events, or at least one filter.", fields=["filter"])
    parameters = {
        "uids": list(selection.uids) or None, "states": _states(selection.state), "outcome": selection.outcome,
        "source": selection.source_id, "code": selection.code, "since": selection.since, "until": selection.until,
        "limit": MOST_EVENTS + 1,
    }  # fmt: skip
    with engine.connect() as connection:
        rows = connection.execute(
            text(f"SELECT id, state, outcome FROM inbound_event WHERE {_WHERE} ORDER BY id LIMIT :limit"), parameters
        ).all()
    report = ReplayReport(dry_run=dry_run, truncated=len(rows) > MOST_EVENTS)
    rows = rows[:MOST_EVENTS]
    report.selected = len(rows)
    for row in rows:
        name = row.outcome or row.state
        report.before[name] = report.before.get(name, 0) + 1
    if not dry_run:
        report.replayed = _send(engine, principal, [row.id for row in rows])
    if selection.uids and not selection.is_search and not (report.selected if dry_run else report.replayed):
        raise _none_of(engine, selection.uids)
    if dry_run:
        _rehearse(config, [row.id for row in rows], report)
    return report


def _none_of(engine: Engine, uids: Sequence[str]) -> NotFound | Conflict:
    with engine.connect() as connection:
        known = connection.scalar(
            text("SELECT EXISTS (SELECT 1 FROM inbound_event WHERE uid = ANY(:uids))"), {"uids": list(uids)}
        )
    if not known:
        return NotFound("event_unknown", "There is no such event.")
    return Conflict(
        "nothing_to_replay", "Nothing to send: none of these is an event that matches and has come to an end or needs attention."
    )


def _states(state: str | None) -> list[str] | None:
    return None if state is None else list(GROUPS.get(state, (state,)))


def _send(engine: Engine, principal: Principal, ids: Sequence[int]) -> int:
    if not ids:
        return 0
    with engine.begin() as connection:
        sent = transitions.replay(connection, ids)
        if sent:
            history.record(connection, principal, EVENTS_REPLAYED, None, {"count": len(sent), "first": sent[0]})
    return len(sent)


def _rehearse(config: HubConfig, ids: Sequence[int], report: ReplayReport) -> None:
    """Processes in batches, each in a transaction that ends in a rollback."""
    processor = Processor(config)
    try:
        for part in portions(processor, ids):
            _rehearse_batch(processor, part, report)
    finally:
        processor.close()


class _RollBack(Exception):
    """Ends a rehearsal."""


def _rehearse_items(connection: psycopg.Connection[Any], items: Sequence[ParsedEvent]) -> dict[int, tuple[str, Any, int | None]]:
    """What would become of them: together, or singly if one of them cannot be taken in, as the workers do it."""
    after: dict[int, tuple[str, Any, int | None]] = {}
    try:
        with connection.transaction(), connection.cursor() as cursor:
            now = cursor.execute("SELECT clock_timestamp() AS now").fetchone()["now"]  # type: ignore[index]
            for taken in take_in(cursor, items, now) if items else ():
                after[taken.event_id] = (taken.outcome, taken.reason, taken.lead_id)
            raise _RollBack
    except _RollBack:
        return after
    except psycopg.OperationalError:
        raise  # the database is away or busy: nothing can be said of the events
    except (psycopg.Error, HubError, *BUGS) as error:
        if len(items) > 1:
            return {key: value for item in items for key, value in _rehearse_items(connection, [item]).items()}
        code = error.code if isinstance(error, HubError) else "internal_error"
        return {items[0].event_id: ("needs_attention", {"code": code}, None)}


def _rehearse_batch(processor: Processor, ids: Sequence[int], report: ReplayReport) -> None:
    rows = event_rows(processor, ids)
    before = {row["id"]: row for row in rows}
    for event_id, (name, reason, lead_id) in sorted(outcomes(processor, rows, processor.source).items()):
        row = before[event_id]
        was = row["outcome"] or row["state"]
        report.after[name] = report.after.get(name, 0) + 1
        # A lead that would be new has no number yet: the one drawn in the rehearsal means nothing to anybody.
        lead = str(lead_id) if lead_id is not None and lead_id == row["lead_id"] else ("new" if lead_id else None)
        report.changed += was != name
        if was != name and len(report.changes) < MOST_SHOWN:
            report.changes.append({"event": row["uid"], "before": was, "after": name, "lead": lead, "reason": reason})


def portions(processor: Processor, ids: Sequence[int]) -> Iterator[list[int]]:
    """The ids in ascending order, a batch at a time, so that many large bodies are never in memory at once."""
    sizes = processor.connection().execute(
        "SELECT id, octet_length(body) AS bytes FROM inbound_event WHERE id = ANY(%s) ORDER BY id", (list(ids),)
    ).fetchall()  # fmt: skip
    part: list[int] = []
    weight = 0
    for row in sizes:
        if part and (len(part) >= _BATCH or weight + row["bytes"] > _BATCH_BYTES):
            yield part
            part, weight = [], 0
        part.append(row["id"])
        weight += row["bytes"]
    if part:
        yield part


def event_rows(processor: Processor, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The events as a worker would claim them for a replay, with what became of them so far."""
    with processor.connection().cursor() as cursor:
        return cursor.execute(
            "SELECT id, uid, source_id, channel, received_at, method, path, query, headers, body, remote_ip, unclaimed,"
            "       attempts, replayed + 1 AS replayed,"
            "       done_at IS NULL AS first_time, verdict, reason, state, outcome, lead_id, verified_at_door, rejected_key"
            "  FROM inbound_event WHERE id = ANY(%s) ORDER BY id",
            (list(ids),),
        ).fetchall()


def read_rows(
    rows: Sequence[Mapping[str, Any]], load: Callable[[int], LoadedSource], ours: Collection[str]
) -> list[ParsedEvent | Failure]:
    """Each row of `event_rows` as the worker reads it under the settings and the mapping that `load` gives; `ours` are the
    addresses of the hub's mailboxes."""
    names = Claimed.__dataclass_fields__
    return [read(Claimed(**{name: row[name] for name in names}), load, ours) for row in rows]


def outcomes(
    processor: Processor, rows: Sequence[Mapping[str, Any]], load: Callable[[int], LoadedSource]
) -> dict[int, tuple[str, Any, int | None]]:
    """Event → (outcome or state, reason, lead) as it would be for rows of `event_rows`. Everything is rolled back."""
    names = Claimed.__dataclass_fields__
    results = read_rows(rows, load, processor.our_addresses())
    read_ones = [
        (Claimed(**{name: row[name] for name in names}), result, load(row["source_id"]))
        for row, result in zip(rows, results, strict=True) if isinstance(result, ParsedEvent)
    ]  # fmt: skip
    screened = processor.screener.screen(processor.connection(), read_ones, rehearsal=True)
    after: dict[int, tuple[str, Any, int | None]] = {
        result.event_id: (result.state, {"code": result.code, "message": result.message}, None)
        for result in (*results, *screened.held)
        if not isinstance(result, ParsedEvent)
    } | {one.event_id: (one.outcome, one.reason, None) for one in screened.aside}
    return after | _rehearse_items(processor.connection(), screened.items)
