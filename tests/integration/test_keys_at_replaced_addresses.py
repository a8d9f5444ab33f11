"""What comes in on a replaced address waits for a person; it never takes the key of what comes in on the living one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from door_client import Door, call, open_door

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.journal.accept import RawEvent, insert_events
from ingest.processing.process import Drained, Processor
from ingest.sources.sources import NewSource, add_source, rotate_token

JSON = {"content-type": "application/json"}


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config) as opened:
        yield opened


def _drain(config: HubConfig) -> Drained:
    processor = Processor(config)
    try:
        return processor.drain("form", budget_seconds=60)
    finally:
        processor.close()


def _source(door: Door) -> tuple[NewSource, str]:
    """A form whose address was replaced, and the new address's path."""
    with door.engine.begin() as connection:
        made = add_source(connection, HUB, door.config, "generic_form", "Site", {})
        return made, "/in/" + rotate_token(connection, HUB, door.config, made.id).rpartition("/")[2]


def _body(name: str) -> bytes:
    return b'{"name": "%s", "phone": "+79123456701"}' % name.encode()


def _outcomes(door: Door) -> list[tuple[bytes, bool, str, str | None]]:
    return [(bytes(row["body"]), row["unclaimed"], row["state"], row["outcome"]) for row in door.rows()]


def test_genuine_inquiry_becomes_a_lead_when_a_forged_one_had_its_key_first(door: Door) -> None:
    """Providers' keys are numbers that can be guessed by whoever knows the old address."""
    source, _ = _source(door)
    with psycopg.connect(door.config.database_url, autocommit=True) as connection:
        for body, unclaimed in (
            (_body("Forged"), True),
            (_body("Anna"), False),
            (_body("Anna"), False),
            (_body("Forged"), True),
        ):
            insert_events(
                connection,
                [RawEvent(source.id, "form", body, headers=JSON, provider_key="tran:1", unclaimed=unclaimed)],
            )
    _drain(door.config)
    assert _outcomes(door) == [
        (_body("Forged"), True, "needs_attention", None), (_body("Anna"), False, "done", "created"),
    ]  # fmt: skip
    assert [row["redeliveries"] for row in door.rows()] == [1, 1]


def test_genuine_inquiry_is_kept_when_both_come_in_one_group(door: Door) -> None:
    source, _ = _source(door)
    with psycopg.connect(door.config.database_url, autocommit=True) as connection:
        receipts = insert_events(connection, [
            RawEvent(source.id, "form", _body("Forged"), headers=JSON, provider_key="tran:2", unclaimed=True),
            RawEvent(source.id, "form", _body("Anna"), headers=JSON, provider_key="tran:2"),
        ])  # fmt: skip
    assert len({receipt.uid for receipt in receipts}) == 2
    _drain(door.config)
    assert [(name, outcome) for name, _, _, outcome in _outcomes(door)] == [
        (_body("Forged"), None),
        (_body("Anna"), "created"),
    ]


def test_inquiry_needs_nobody_when_it_is_repeated_at_the_new_address(door: Door) -> None:
    """A sender that was moved to the new address repeats what he is not sure of, under the key of his own."""
    source, new = _source(door)
    headers = {"content-type": "application/json", "idempotency-key": "k-1"}
    for path in (f"/in/{source.token}", new, new):
        assert call(door.entrance, "POST", path, _body("Anna"), headers=headers).status == 200
    _drain(door.config)
    assert _outcomes(door) == [
        (_body("Anna"), True, "needs_attention", None),
        (_body("Anna"), False, "done", "created"),
    ]


def test_repetition_at_the_old_address_is_counted_when_the_inquiry_came_in_before(door: Door) -> None:
    source, new = _source(door)
    headers = {"content-type": "application/json", "idempotency-key": "k-2"}
    for path in (new, f"/in/{source.token}"):
        assert call(door.entrance, "POST", path, _body("Anna"), headers=headers).status == 200
    assert [(row["unclaimed"], row["redeliveries"]) for row in door.rows()] == [(False, 1)]


def test_key_is_the_events_again_when_a_person_has_taken_it(door: Door) -> None:
    source, _ = _source(door)
    raw_event = RawEvent(source.id, "form", _body("Anna"), headers=JSON, provider_key="tran:3")
    with psycopg.connect(door.config.database_url, autocommit=True) as connection:
        insert_events(
            connection,
            [RawEvent(source.id, "form", _body("Anna"), headers=JSON, provider_key="tran:3", unclaimed=True)],
        )
        connection.execute("UPDATE inbound_event SET replayed = 1")  # as `replay` does
        assert insert_events(connection, [raw_event])[0].redelivery
    assert len(door.rows()) == 1


def test_genuine_inquiry_is_kept_when_a_worker_holds_the_row_of_the_old_one(door: Door) -> None:
    source, new = _source(door)
    headers = {"content-type": "application/json", "idempotency-key": "k-3"}
    assert call(door.entrance, "POST", f"/in/{source.token}", _body("Anna"), headers=headers).status == 200
    with psycopg.connect(door.config.database_url) as worker:
        worker.execute("SELECT 1 FROM inbound_event FOR UPDATE")
        assert call(door.entrance, "POST", new, _body("Anna"), headers=headers).status == 200
    assert [row["unclaimed"] for row in door.rows()] == [True, False]
