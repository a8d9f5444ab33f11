"""A disk below the floor: the door refuses in words, workers and files wait, and everything goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from desk import Desk
from door_client import open_door
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.fetch.fetched import put_in
from ingest.files.download import fetch_next
from ingest.monitoring.health import health_report
from ingest.sources.sources import add_source
from webhooks.ops.health import check

_MORE_THAN_ANY_DISK = 1_000_000
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
def low(config: HubConfig) -> HubConfig:
    return replace(config, disk_floor_mb=_MORE_THAN_ANY_DISK)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def test_door_refuses_in_words_and_stores_nothing_when_the_disk_is_low(low: HubConfig) -> None:
    with open_door(low) as door:
        source = door.add()
        heard = door.post(source, headers={"Origin": "https://www.example.com"})
        assert (heard.status, heard.json()["error"]["code"]) == (503, "disk_full")
        assert 0 < int(heard.headers["retry-after"]) < 60
        assert heard.headers["access-control-allow-origin"] == "https://www.example.com"
        for language, words in (("ru", "Попробуйте ещё раз"), ("en", "Please try again")):
            page = door.post(
                source, headers={"Accept": "text/html", "Accept-Language": language, "Sec-Fetch-Dest": "document",
                                 "Content-Type": "application/x-www-form-urlencoded"},
            )  # fmt: skip
            assert (page.status, words in page.body.decode()) == (503, True)
        assert door.rows() == []


def test_everything_that_looks_at_the_hub_says_so(low: HubConfig, engine: Engine) -> None:
    ready = check(low)
    assert not ready.ready
    assert "MB are free" in ready.checks["disk"]
    with engine.connect() as connection:
        report = health_report(connection, low, datetime.now(UTC))
    (finding,) = [one for one in report.findings if one.code == "disk_low"]
    assert "Nothing is taken in" in finding.words


def test_events_wait_untried_when_there_is_no_room_to_work(desk: Desk, low: HubConfig) -> None:
    uid = desk.form(name="Anna", email="anna@example.com")
    config, desk.config = desk.config, low
    assert desk.drain("form").finished == 0
    assert (desk.event(uid)["state"], desk.event(uid)["attempts"]) == ("waiting", 0)
    desk.config = config
    desk.drain("form")
    assert desk.event(uid)["outcome"] == "created"


def test_files_wait_for_room_instead_of_being_given_up(desk: Desk, low: HubConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        b'--e\r\nContent-Disposition: form-data; name="email"\r\n\r\nanna@example.com\r\n--e\r\n'
        b'Content-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n' + PNG + b"\r\n--e--\r\n"
    )
    uid = desk.post(desk.form_source, "form", body, {"content-type": "multipart/form-data; boundary=e"})
    without = desk.form(name="Boris", email="boris@example.com")
    config, desk.config = desk.config, low
    with monkeypatch.context() as half:  # room to work, none to promise anything more
        half.setattr("ingest.journal.disk_space.DiskState.takes_work", property(lambda _state: True))
        for _ in range(6):  # more often than a disk is asked that fails
            desk.rows("UPDATE inbound_event SET next_attempt_at = now() WHERE state = 'waiting' RETURNING id")
            desk.drain("form")
    event = desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("waiting", "files_not_stored")
    assert desk.event(without)["outcome"] == "created"
    desk.config = config
    desk.rows("UPDATE inbound_event SET next_attempt_at = now() WHERE state = 'waiting' RETURNING id")
    desk.drain("form")
    assert desk.event(uid)["outcome"] == "created"
    assert desk.one("SELECT state FROM attachment") == "stored"


def test_files_are_not_fetched_and_no_try_is_counted_when_the_disk_is_low(desk: Desk, low: HubConfig) -> None:
    with desk.engine.begin() as connection:
        source = add_source(connection, HUB, desk.config, "meta", "Linked", {"app_secret": "s", "page_token": "t"}).id
    lead = b'{"lead": {"id": "1", "field_data": [{"name": "full_name", "values": ["Anna"]}, {"name": "file_upload",'
    put_in(desk.config, source, "form", {"lead|1": lead + b' "values": ["https://files.example.com/a.pdf"]}]}, "notice": {}}'})
    desk.drain("form")
    assert fetch_next(low) is None
    assert desk.rows("SELECT state, attempts FROM attachment") == [{"state": "to_fetch", "attempts": 0}]
