"""A batch has a weight as well as a number: a hundred large mails at once would be more than a worker may hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from desk import Desk
from psycopg.rows import dict_row
from sqlalchemy import Engine

from crm_core.config import HubConfig
from crm_core.database import connect
from ingest import claim as claiming
from ingest.claim import claim


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
