"""Files of inquiries on a real disk: kept once, handed out safely, fetched behind the guard, deleted when nobody names them."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from api_world import World
from desk import Desk
from outbound_servers import Asked, Peer, peer, say
from sqlalchemy import Engine

from crm_core.access import HUB, add_token
from crm_core.base.config import HubConfig
from ingest.files import store as files
from ingest.files.download import MOST_TRIES, fetch_next
from ingest.files.store import forget, path_of, store
from ingest.sources.sources import add_source
from webhooks.app import create_app
from workers.celery_app import make_app
from workers.tasks import register

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def multipart(*parts: tuple[str, str, bytes], **fields: str) -> tuple[bytes, dict[str, str]]:
    lines: list[bytes] = []
    for name, value in fields.items():
        lines += [b"--edge", f'Content-Disposition: form-data; name="{name}"'.encode(), b"", value.encode()]
    for name, filename, content in parts:
        head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'.encode()
        lines += [b"--edge", head, b"Content-Type: image/png", b"", content]
    body = b"\r\n".join([*lines, b"--edge--", b""])
    return body, {"content-type": "multipart/form-data; boundary=edge"}


def send(desk: Desk, *parts: tuple[str, str, bytes], **fields: str) -> str:
    body, headers = multipart(*parts, **({"name": "Anna", "email": "anna@example.com"} | fields))
    uid = desk.post(desk.form_source, "form", body, headers)
    desk.drain("form")
    return uid


def attachments(desk: Desk) -> list[dict[str, Any]]:
    return desk.rows("SELECT * FROM attachment ORDER BY id")


def contents(desk: Desk) -> list[Path]:
    return sorted(path for path in (desk.config.home / "files").rglob("*") if path.is_file())


def test_content_is_on_the_disk_when_the_lead_is_there(desk: Desk) -> None:
    send(desk, ("photo", "house.png", PNG))
    [row] = attachments(desk)
    digest = hashlib.sha256(PNG).hexdigest()
    assert (row["state"], row["sha256"], row["size"], row["name"]) == ("stored", digest, len(PNG), "house.png")
    assert row["lead_id"] == desk.one("SELECT id FROM lead")
    [path] = contents(desk)
    assert path == desk.config.home / "files" / digest[:2] / digest[2:]
    assert path.read_bytes() == PNG
    assert path.stat().st_mode & 0o077 == 0, "nobody else reads it"


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..\\\\..\\\\boot.ini", "/etc/shadow", "a/../../b.png", "con\\x00.png"])
def test_name_is_never_a_path_when_it_looks_like_one(desk: Desk, name: str) -> None:
    send(desk, ("photo", name, PNG))
    [row] = attachments(desk)
    assert "/" not in row["name"]
    assert "\\" not in row["name"]
    assert [path.relative_to(desk.config.home).parts[0] for path in contents(desk)] == ["files"]


@pytest.mark.parametrize("sha256", ["", "..", "../" * 20 + "etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_path_is_refused_when_the_hash_is_none(tmp_path: Path, sha256: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        path_of(tmp_path, sha256)


def test_content_is_kept_once_when_two_send_it(desk: Desk) -> None:
    send(desk, ("photo", "a.png", PNG))
    send(desk, ("photo", "b.png", PNG), name="Boris", email="boris@example.org")
    assert len({row["sha256"] for row in attachments(desk)}) == 1
    assert len(contents(desk)) == 1
    assert len(attachments(desk)) == 2


def test_content_is_used_when_a_crash_left_it_without_a_row(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies between the file and the row: the event comes again, and finds its file."""
    from ingest.processing import process

    class Died(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Died

    body, headers = multipart(("photo", "a.png", PNG), name="Anna", email="anna@example.com")
    desk.post(desk.form_source, "form", body, headers)
    with monkeypatch.context() as patch:
        patch.setattr(process, "take_in", die)
        with pytest.raises(Died):
            desk.drain("form")
    assert len(contents(desk)) == 1
    assert attachments(desk) == []
    before = contents(desk)[0].stat().st_ino
    desk.rows("UPDATE inbound_event SET next_attempt_at = clock_timestamp() RETURNING id")  # the lease has run out
    desk.drain("form")
    [row] = attachments(desk)
    assert row["state"] == "stored"
    assert [path.stat().st_ino for path in contents(desk)] == [before]


def test_content_is_written_again_when_half_of_it_is_there(tmp_path: Path) -> None:
    digest = store(tmp_path, PNG)
    path_of(tmp_path, digest).write_bytes(PNG[:10])  # a disk that lied about a sync
    assert files.read(tmp_path, digest) is None
    assert store(tmp_path, PNG) == digest
    assert files.read(tmp_path, digest) == PNG
    assert not list(tmp_path.rglob(".part-*"))


def test_lead_is_kept_with_a_note_when_a_file_is_too_large(desk: Desk) -> None:
    send(desk, ("photo", "huge.png", PNG + b"x" * (10 * 1024 * 1024)), ("photo", "small.png", PNG))
    large, small = attachments(desk)
    assert (large["state"], large["note"]) == ("refused", "too_large")
    assert small["state"] == "stored"
    assert desk.one("SELECT count(*) FROM lead") == 1
    assert len(contents(desk)) == 1


def test_lead_is_made_without_files_when_the_disk_stays_full(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    body, headers = multipart(("photo", "a.png", PNG), name="Anna", email="anna@example.com")
    uid = desk.post(desk.form_source, "form", body, headers)
    other = desk.form(name="Boris", email="boris@example.org")
    with monkeypatch.context() as patch:
        patch.setattr(files, "store", full)
        desk.drain("form")
        assert desk.event(uid)["error"]["code"] == "files_not_stored"
        assert desk.event(other)["outcome"] == "created"
        for _ in range(2):
            desk.rows("UPDATE inbound_event SET next_attempt_at = clock_timestamp() RETURNING id")
            desk.drain("form")
    assert desk.event(uid)["outcome"] == "created"
    [row] = attachments(desk)
    assert (row["state"], row["note"]) == ("refused", "not_stored")
    desk.rows(
        "UPDATE inbound_event SET state = 'waiting', outcome = NULL, attempts = 0, replayed = replayed + 1,"
        " next_attempt_at = clock_timestamp() RETURNING id"
    )
    desk.drain("form")
    assert [row["state"] for row in attachments(desk)] == ["stored"], "the raw event still had it"


def test_content_is_deleted_when_the_last_row_is_gone(desk: Desk) -> None:
    send(desk, ("photo", "a.png", PNG))
    send(desk, ("photo", "b.png", PNG), name="Boris", email="boris@example.org")
    first, second = attachments(desk)
    digest = first["sha256"]
    assert not forget(desk.connection, desk.config.home, digest)
    desk.rows("DELETE FROM attachment WHERE id = %s RETURNING id", first["id"])
    assert not forget(desk.connection, desk.config.home, digest)
    assert contents(desk)
    desk.rows("DELETE FROM attachment WHERE id = %s RETURNING id", second["id"])
    assert forget(desk.connection, desk.config.home, digest)
    assert contents(desk) == []
    assert forget(desk.connection, desk.config.home, digest), "twice does no harm"


def test_content_comes_back_when_it_was_deleted_while_it_was_taken_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.processing import process

    real = process.keep

    def deleted_at_once(home: Path, item: Any) -> Any:
        kept = real(home, item)
        shutil.rmtree(home / "files", ignore_errors=True)
        return kept

    body, headers = multipart(("photo", "a.png", PNG), name="Anna", email="anna@example.com")
    uid = desk.post(desk.form_source, "form", body, headers)
    with monkeypatch.context() as patch:
        patch.setattr(process, "keep", deleted_at_once)
        desk.drain("form")
    assert desk.event(uid)["state"] == "waiting"
    assert attachments(desk) == []
    desk.rows("UPDATE inbound_event SET next_attempt_at = clock_timestamp() RETURNING id")
    desk.drain("form")
    assert [row["state"] for row in attachments(desk)] == ["stored"]
    assert len(contents(desk)) == 1


@pytest.fixture
def world(desk: Desk) -> World:
    send(desk, ("photo", "мой дом.png", PNG))
    send(desk, ("photo", "page.svg", SVG), name="Boris", email="boris@example.org")
    owners = {row["id"]: row["owner_id"] for row in desk.rows("SELECT id, owner_id FROM lead")}
    with desk.engine.begin() as connection:
        tokens = {"head": add_token(connection, HUB, "head", "head", None)[1]}
        for row in attachments(desk):
            tokens[row["name"]] = add_token(connection, HUB, "manager", row["name"], owners[row["lead_id"]])[1]
    ids = {("png" if "png" in row["name"] else "svg"): str(row["id"]) for row in attachments(desk)}
    return World(create_app(desk.config).test_client(), desk.config, desk.engine, tokens, ids)


def test_file_is_handed_out_for_saving_when_it_is_asked_for(world: World) -> None:
    answer = world.get(f"/files/{world.ids['png']}", "head")
    assert (answer.status_code, answer.data) == (200, PNG)
    assert answer.headers["Content-Type"] == "image/png"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename=")
    assert "filename*=UTF-8''%D0%BC%D0%BE%D0%B9" in disposition
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_file_is_no_page_when_it_is_one(world: World) -> None:
    answer = world.get(f"/files/{world.ids['svg']}", "head")
    assert answer.data == SVG
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_file_is_unknown_when_its_lead_is_somebody_elses(world: World) -> None:
    owner_of_png = next(role for role in world.tokens if role.endswith(".png"))
    owner_of_svg = next(role for role in world.tokens if role.endswith(".svg"))
    owners = world.rows("SELECT DISTINCT owner_id FROM lead")
    assert len(owners) == 2
    assert world.get(f"/files/{world.ids['png']}", owner_of_png).status_code == 200
    assert world.get(f"/files/{world.ids['png']}", owner_of_svg).status_code == 404
    assert world.get(f"/files/{world.ids['png']}", None).status_code == 401
    for wrong in ("0", "99999999", "abc", "..%2f..%2fetc"):
        assert world.get(f"/files/{wrong}", "head").status_code == 404


def test_file_is_missing_when_its_content_was_damaged(world: World) -> None:
    digest = hashlib.sha256(PNG).hexdigest()
    path = path_of(world.config.home, digest)
    path.write_bytes(b"<script>")
    assert world.get(f"/files/{world.ids['png']}", "head").status_code == 404


@pytest.fixture
def store_house() -> Iterator[Peer]:
    def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        if asked.path.startswith("/ok"):
            say(handler, PNG, Content_Type="image/png")
        elif asked.path.startswith("/huge"):
            say(handler, b"", Content_Length=str(11 * 1024 * 1024))
            for _ in range(11):
                handler.wfile.write(b"x" * 1024 * 1024)
        elif asked.path.startswith("/inside"):
            say(handler, status=302, Location="http://169.254.169.254/latest/meta-data/")
        elif asked.path.startswith("/busy"):
            say(handler, status=503)
        else:
            say(handler, status=404)

    with peer(script) as server:
        yield server


def linked(desk: Desk, url: str, **settings: Any) -> dict[str, Any]:
    """A form that names a file by its address."""
    with desk.engine.begin() as connection:
        source = add_source(connection, HUB, desk.config, "meta", "Linked", {"app_secret": "s", "page_token": "t", **settings})
    body = (
        b'{"lead": {"id": "1", "field_data": [{"name": "full_name", "values": ["Anna"]}, {"name": "file_upload", "values": ["%s"]}]}, "notice": {}}'
        % url.encode()
    )
    from ingest.fetch.fetched import put_in

    put_in(desk.config, source.id, "form", {"lead|1": body})
    desk.drain("form")
    [row] = attachments(desk)
    assert (row["state"], row["url"]) == ("to_fetch", url)
    return row


def test_file_is_fetched_when_a_form_names_its_address(desk: Desk, store_house: Peer) -> None:
    linked(desk, f"{store_house.url}/ok/plan.png")
    config = replace(desk.config, outbound_allow=("127.0.0.1",))
    fetched = fetch_next(config)
    assert fetched is not None
    assert fetched.state == "stored"
    [row] = attachments(desk)
    assert (row["state"], row["size"], row["name"], row["type"]) == ("stored", len(PNG), "plan.png", "image/png")
    assert contents(desk)[0].read_bytes() == PNG
    assert fetch_next(config) is None


@pytest.mark.parametrize(("path", "note"), [("/huge", "too_large"), ("/inside", "address_refused"), ("/gone", "http_404")])
def test_file_has_a_note_when_it_cannot_be_had(desk: Desk, store_house: Peer, path: str, note: str) -> None:
    linked(desk, f"{store_house.url}{path}")
    fetch_next(replace(desk.config, outbound_allow=("127.0.0.1",)))
    [row] = attachments(desk)
    assert (row["state"], row["note"]) == ("failed", note)
    assert desk.one("SELECT count(*) FROM lead") == 1


def test_nothing_is_asked_when_the_address_leads_inside(desk: Desk, store_house: Peer) -> None:
    linked(desk, f"{store_house.url}/ok")
    fetch_next(desk.config)
    [row] = attachments(desk)
    assert (row["state"], row["note"]) == ("failed", "address_refused")
    assert store_house.asked == []


def test_file_is_tried_again_and_given_up_when_its_server_stays_busy(desk: Desk, store_house: Peer) -> None:
    linked(desk, f"{store_house.url}/busy")
    config = replace(desk.config, outbound_allow=("127.0.0.1",))
    for n in range(1, MOST_TRIES + 1):
        fetch_next(config)
        [row] = attachments(desk)
        assert row["attempts"] == n
        assert fetch_next(config) is None, "not before its pause is over"
        desk.rows("UPDATE attachment SET next_try_at = clock_timestamp() RETURNING id")
    assert (row["state"], row["note"]) == ("failed", "http_503")


@pytest.mark.parametrize("host", ["shop..example.com", "a" * 64 + ".example.com"])
def test_file_is_given_up_at_once_when_no_host_can_have_its_name(desk: Desk, host: str) -> None:
    linked(desk, f"http://{host}/plan.pdf")
    fetch_next(desk.config)
    [row] = attachments(desk)
    assert (row["state"], row["note"], row["attempts"]) == ("failed", "address_refused", 1)


def test_file_is_given_up_when_each_try_killed_its_worker(desk: Desk, store_house: Peer) -> None:
    linked(desk, f"{store_house.url}/ok")
    desk.rows("UPDATE attachment SET attempts = %s, next_try_at = clock_timestamp() RETURNING id", MOST_TRIES)
    fetched = fetch_next(replace(desk.config, outbound_allow=("127.0.0.1",)))
    assert fetched is not None
    [row] = attachments(desk)
    assert (row["state"], row["note"]) == ("failed", "gave_up")
    assert store_house.asked == []


def test_file_is_left_alone_when_the_source_switched_fetching_off(desk: Desk, store_house: Peer) -> None:
    linked(desk, f"{store_house.url}/ok", fetch_files=False)
    fetch_next(replace(desk.config, outbound_allow=("127.0.0.1",)))
    [row] = attachments(desk)
    assert (row["state"], row["note"]) == ("refused", "fetching_off")
    assert store_house.asked == []


def test_descriptors_are_closed_when_many_are_stored(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for n in range(50):
        store(tmp_path, b"%d" % n)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_task_fetches_what_is_due_when_a_worker_runs_it(desk: Desk, store_house: Peer) -> None:
    linked(desk, f"{store_house.url}/ok/plan.png")
    config = replace(desk.config, outbound_allow=("127.0.0.1",))
    app = make_app(config)
    register(app, config)
    app.tasks["files"].run()  # returns at once; a thread beside it fetches
    end = time.monotonic() + 30
    while [row["state"] for row in attachments(desk)] != ["stored"]:
        assert time.monotonic() < end
        time.sleep(0.02)
