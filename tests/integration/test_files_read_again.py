"""Files of inquiries that are read anew: none doubled, none lost, whatever the disk and the new reading say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.intake import ParsedEvent, take_in
from crm_core.parsed import IncomingFile, Inquiry
from ingest.files import store
from ingest.processing.replay import Selection, replay

PNG = b"\x89PNG\r\n\x1a\n"
NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def again(desk: Desk) -> None:
    replay(desk.engine, HUB, desk.config, Selection(source_id=desk.form_source), dry_run=False)
    for _ in range(4):  # a disk that stays full is tried three times
        desk.rows("UPDATE inbound_event SET next_attempt_at = now() WHERE state = 'waiting' RETURNING id")
        desk.drain("form")


def attachments(desk: Desk) -> list[dict[str, Any]]:
    return desk.rows("SELECT n, url, sha256, state, note FROM attachment ORDER BY n")


def test_fetched_files_stay_fetched_when_a_new_reading_has_them_in_another_order(desk: Desk) -> None:
    def take(*names: str, replayed: bool) -> list[dict[str, Any]]:
        store = tuple(IncomingFile(name=name, url=f"https://files.example.com/{name}") for name in names)
        inquiry = Inquiry(name="Anna", phones=("+7 900 123-45-01",), files=store)
        item = ParsedEvent(1, desk.form_source, "Site", "form", NOW, (inquiry,), replayed=replayed)
        with desk.connection.transaction(), desk.connection.cursor() as cursor:
            take_in(cursor, [item], NOW)
        return attachments(desk)

    take("plan.pdf", "photo.png", replayed=False)
    # Fetched since; the provider deletes its copies after a day.
    desk.rows("UPDATE attachment SET state = 'stored', sha256 = encode(sha256(url::bytea), 'hex') RETURNING id")
    had = {row["url"]: row["sha256"] for row in attachments(desk)}
    for _ in range(2):
        rows = take("letter.pdf", "photo.png", "plan.pdf", replayed=True)
        assert len(rows) == 3
        assert {row["url"]: row["sha256"] for row in rows if row["state"] == "stored"} == had


def test_stored_file_stays_on_its_lead_when_it_is_read_again_on_a_full_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        b'--e\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnna\r\n--e\r\n'
        b'Content-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n' + PNG + b"\r\n--e--\r\n"
    )
    desk.post(desk.form_source, "form", body, {"content-type": "multipart/form-data; boundary=e"})
    desk.drain("form")
    before = attachments(desk)
    assert [row["state"] for row in before] == ["stored"]

    def full(home: Path, data: bytes) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(store, "store", full)
        again(desk)
    assert desk.one("SELECT state FROM inbound_event") == "done"
    assert attachments(desk) == before
