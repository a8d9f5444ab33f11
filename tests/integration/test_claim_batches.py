"""A batch has a weight as well as a number: a hundred large mails at once would be more than a worker may hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from desk import Desk
from psycopg.rows import dict_row
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from ingest.journal import claim as claiming
from ingest.journal.claim import claim
from ingest.processing.process import Processor


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def test_batch_ends_when_its_bodies_are_heavy_and_always_holds_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    uids = [desk.form(message="x" * size) for size in (5_000_000, 100, 100, 9_000_000, 20_000_000, 100)]
    monkeypatch.setattr(claiming, "MOST_BATCH_BYTES", 10_000_000)
    batches = []
    with connect(desk.config.database_url, "worker") as connection, connection.cursor(row_factory=dict_row) as cursor:
        while events := claim(cursor, "form", 100, 60)[1]:
            batches.append([uids.index(event.uid) for event in events])
    assert batches == [[0, 1, 2], [3], [4], [5]]


def test_tried_event_gets_its_turn_when_untried_ones_never_end(desk: Desk) -> None:
    tried = desk.form(name="Ирина", phone="+79213334455")
    desk.rows("UPDATE inbound_event SET attempts = 1 RETURNING id")
    for number in range(desk.config.batch_size + 1):
        desk.form(name="Ирина", phone=f"+7916222{number:04d}")
    processor = Processor(desk.config)
    assert processor.drain("form", budget_seconds=0).more
    processor.close()
    assert desk.event(tried)["outcome"] == "created"
    assert desk.one("SELECT count(*) FROM inbound_event WHERE state = 'waiting'") == 1
