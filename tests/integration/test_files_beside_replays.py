"""Files while something else happens to them: a replay, an erasure, another worker; and contents that nobody names any more."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import orjson
import pytest
from desk import Desk
from outbound_servers import Asked, Peer, peer, say
from sqlalchemy import Engine

from crm_core.access import HUB, Principal
from crm_core.base.config import HubConfig
from ingest.erasure.erase import erase
from ingest.fetch.fetched import put_in
from ingest.files.download import fetch_next
from ingest.files.store import path_of, store
from ingest.files.tidy import tidy
from ingest.processing.replay import Selection, replay
from ingest.sources.sources import add_source

ADMIN = Principal("user", 1, "Admin", "admin", None)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(replace(config, outbound_allow=("127.0.0.1",)), engine)
    yield made
    made.close()


@contextmanager
def server(meanwhile: Callable[[], object], status: int = 200) -> Iterator[Peer]:
    """A server that gives the file after something else has happened."""

    def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        meanwhile()
        say(handler, PNG if status == 200 else b"", status=status)

    with peer(script) as made:
        yield made


def linked(desk: Desk, url: str) -> str:
    """A form that names a file by its address; the uid of its event."""
    with desk.engine.begin() as connection:
        source = add_source(connection, HUB, desk.config, "meta", "Linked", {"app_secret": "s", "page_token": "t"})
    fields = [{"name": "full_name", "values": ["Anna"]}, {"name": "file_upload", "values": [url]}]
    body = orjson.dumps({"lead": {"id": "1", "field_data": fields}, "notice": {}})
    [uid] = put_in(desk.config, source.id, "form", {"lead|1": body}).values()
    desk.drain("form")
    return uid


def attach(desk: Desk, content: bytes, **fields: str) -> str:
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()]
    parts.append(
        b'--edge\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n' + content + b"\r\n--edge--\r\n"
    )
    uid = desk.post(desk.form_source, "form", b"".join(parts), {"content-type": "multipart/form-data; boundary=edge"})
    desk.drain("form")
    return uid


def contents(home: Path) -> list[Path]:
    return sorted(path for path in (home / "files").rglob("*") if path.is_file())


def age(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def test_content_is_not_given_to_another_address_when_a_replay_changed_it_meanwhile(desk: Desk) -> None:
    def read_again() -> None:
        desk.rows("UPDATE attachment SET url = 'http://127.0.0.1:1/other.png', attempts = 0 RETURNING id")

    with server(read_again) as house:
        linked(desk, f"{house.url}/plan.png")
        fetch_next(desk.config)
    [row] = desk.rows("SELECT * FROM attachment")
    assert (row["state"], row["sha256"]) == ("to_fetch", "")


@pytest.mark.parametrize("status", [404, 503])
def test_stored_file_stays_when_a_slower_worker_did_not_get_it(desk: Desk, status: int) -> None:
    def other_worker() -> None:
        desk.rows("UPDATE attachment SET state = 'stored', sha256 = %s RETURNING id", "a" * 64)

    with server(other_worker, status) as house:
        linked(desk, f"{house.url}/plan.png")
        desk.rows("UPDATE attachment SET attempts = 7 RETURNING id")
        fetch_next(desk.config)
    [row] = desk.rows("SELECT * FROM attachment")
    assert (row["state"], row["note"]) == ("stored", "")


def test_fetched_file_keeps_its_name_when_its_inquiry_is_read_again(desk: Desk) -> None:
    with server(lambda: None) as house:
        uid = linked(desk, f"{house.url}/plan.png")
        fetch_next(desk.config)
    replay(desk.engine, HUB, desk.config, Selection(uids=(uid,)), dry_run=False)
    desk.drain("form")
    [row] = desk.rows("SELECT * FROM attachment")
    assert (row["state"], row["name"]) == ("stored", "plan.png")


def test_nothing_of_an_erased_person_stays_on_the_disk_when_he_is_sent_again(desk: Desk) -> None:
    fields = {"name": "Anna", "email": "anna@example.com"}
    attach(desk, PNG, **fields)
    erase(desk.engine, desk.config, ADMIN, desk.one("SELECT root_id FROM contact"), "letter", datetime.now(UTC))
    assert contents(desk.config.home) == []
    attach(desk, PNG, **fields)
    for path in contents(desk.config.home):
        age(path, 2)
    tidy(desk.config, int(hashlib.sha256(PNG).hexdigest()[:2], 16))
    assert contents(desk.config.home) == []


def test_tidying_leaves_what_is_named_and_what_is_young(desk: Desk) -> None:
    attach(desk, PNG, name="Anna", email="anna@example.com")
    home, digest = desk.config.home, hashlib.sha256(PNG).hexdigest()
    age(path_of(home, digest), 50)
    folder = path_of(home, digest).parent
    young, left = folder / ("0" * 62), folder / ".part-abc"
    young.write_bytes(b"in work")
    left.write_bytes(b"half of a file whose worker died")
    age(left, 2)
    assert tidy(desk.config, int(digest[:2], 16)) == 1
    assert contents(home) == sorted([young, path_of(home, digest)])
    assert tidy(desk.config, (int(digest[:2], 16) + 1) % 256) == 0, "a folder that is not there"
    other = store(home, b"nobody's")
    age(path_of(home, other), 2)
    assert tidy(desk.config, int(other[:2], 16)) == 1
