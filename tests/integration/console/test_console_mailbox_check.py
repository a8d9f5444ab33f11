"""A mailbox is tried before it is saved: in the console a refusal saves nothing, and says whose words it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from scripted_imap import ScriptedImap
from sqlalchemy import text

from crm_core.access import HUB
from ingest.http_client.addresses import DEMO_MAILBOX
from ingest.sources.sources import add_source

if TYPE_CHECKING:
    from conftest import Hub

PASSWORD = "hunter2-secret"


@pytest.fixture
def server(hub: Hub) -> Iterator[ScriptedImap]:
    server = ScriptedImap({1: b"Subject: Windows for a school\r\n\r\nHello\r\n"}, uidnext=2)
    (hub.config.home / DEMO_MAILBOX).write_text(f"127.0.0.1 {server.port}")  # or the guard would refuse this machine
    yield server
    server.close()


def _typed(server: ScriptedImap, **more: str) -> dict[str, str]:
    return {
        "source_name": "Sales", "host": "127.0.0.1", "port": str(server.port), "user": "sales@example.com", "password": PASSWORD,
        "security": "plain", "folder": "INBOX", "start": "new",
    } | more  # fmt: skip


def test_refused_mailbox_is_not_saved_and_the_servers_words_are_shown_as_text(hub: Hub, server: ScriptedImap) -> None:
    server.login = f"NO [AUTHENTICATIONFAILED] <script>alert(1)</script> {PASSWORD} " + "x" * 3_000
    admin = hub.signed_in("admin")
    admin.get("/console/sources/add/imap")
    answer = admin.post("/console/sources/add/imap", **_typed(server))
    assert answer.status_code == 422
    assert "The server answered and did not let us in" in answer.text
    assert "[AUTHENTICATIONFAILED] &lt;script&gt;alert(1)" in answer.text
    assert "app password" in answer.text
    assert "Nothing is saved yet" in answer.text
    assert 'value="sales@example.com"' in answer.text  # what was typed stays
    for never in ("<script>alert", PASSWORD, "b&#39;", "b'", "x" * 300):
        assert never not in answer.text
    assert hub.rows("SELECT 1 FROM source WHERE connector = 'imap'") == []
    admin.post("/console/language", locale="ru")
    assert "Сервер ответил и не пустил" in admin.post("/console/sources/add/imap", **_typed(server)).text


def test_mailbox_that_lets_us_in_is_saved_and_says_so_before_it_was_read(hub: Hub, server: ScriptedImap) -> None:
    admin = hub.signed_in("admin")
    admin.get("/console/sources/add/imap")
    answer = admin.post("/console/sources/add/imap", **_typed(server))
    assert answer.status_code == 303
    assert hub.rows("SELECT state FROM source WHERE connector = 'imap'") == [("active",)]
    page = admin.get(answer.headers["Location"]).text
    assert '<span class="pill green">works</span>' in page


def test_refused_mailbox_may_be_kept_for_later_and_is_paused(hub: Hub, server: ScriptedImap) -> None:
    server.login = "NO [AUTHENTICATIONFAILED] wrong"
    admin = hub.signed_in("admin")
    admin.get("/console/sources/add/imap")
    answer = admin.post("/console/sources/add/imap", **_typed(server, save="later"))
    assert answer.status_code == 303
    assert hub.rows("SELECT state FROM source WHERE connector = 'imap'") == [("paused",)]
    assert server.sessions == 0
    assert '<span class="pill ">paused</span>' in admin.get(answer.headers["Location"]).text


def test_changed_password_that_is_refused_leaves_the_old_one(hub: Hub, server: ScriptedImap) -> None:
    typed = _typed(server)
    with hub.engine.begin() as connection:
        settings = {name: value for name, value in typed.items() if name != "source_name"}
        source_id = add_source(connection, HUB, hub.config, "imap", "Sales", settings).id
    before = hub.rows("SELECT config::text FROM source WHERE id = :id", id=source_id)
    server.login = "NO [AUTHENTICATIONFAILED] wrong"
    admin = hub.signed_in("admin")
    admin.get(f"/console/sources/{source_id}/change")
    answer = admin.post(f"/console/sources/{source_id}/change", **typed | {"password": "another-one", "source_name": "New"})
    assert answer.status_code == 422
    assert "did not let us in" in answer.text
    assert hub.rows("SELECT config::text FROM source WHERE id = :id", id=source_id) == before
    assert hub.rows("SELECT name FROM source WHERE id = :id", id=source_id) == [("Sales",)]


def test_what_no_check_can_try_is_changed_while_the_server_is_away(hub: Hub, server: ScriptedImap) -> None:
    typed = _typed(server, password="")
    with hub.engine.begin() as connection:
        settings = {name: value for name, value in _typed(server).items() if name != "source_name"}
        source_id = add_source(connection, HUB, hub.config, "imap", "Sales", settings).id
    server.close()
    admin = hub.signed_in("admin")
    admin.get(f"/console/sources/{source_id}/change")
    answer = admin.post(f"/console/sources/{source_id}/change", **typed | {"own_addresses": "us@example.com"})
    assert answer.status_code == 303


def test_badge_counts_the_rows_that_it_opens(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        for name in ("One", "Two"):
            settings = {"host": "imap.example.com", "user": "u@example.com", "password": PASSWORD}
            source_id = add_source(connection, HUB, hub.config, "imap", name, settings).id
            connection.execute(
                text("INSERT INTO mailbox_folder (source_id, name, fails, last_error) VALUES"
                     " (:s, 'INBOX', 3, '{\"code\": \"refused\", \"message\": \"x\", \"since\": \"2026-11-01T10:00:00Z\"}')"),
                {"s": source_id},
            )  # fmt: skip
    admin = hub.signed_in("admin")
    page = admin.get("/console/leads").text
    assert "2 sources in trouble" in page
    assert 'href="/console/sources?state=trouble"' in page
    listed = admin.get("/console/sources?state=trouble").text
    assert re.findall(r'class="row-link" href="[^"]+"><bdi>([^<]+)', listed) == ["One", "Two"]
    assert listed.count("cannot be reached since 1 Nov") == 2
    everything = re.findall(r'class="row-link" href="[^"]+"><bdi>([^<]+)', admin.get("/console/sources").text)
    assert everything[:2] == ["One", "Two"]
    assert len(everything) == 3
    queues = admin.get("/console/queues").text
    assert queues.count("cannot be reached since 1 Nov") == 2
    assert 'class="notice bad"' in queues


def test_mail_that_is_not_handed_out_is_a_row_of_its_source(hub: Hub, server: ScriptedImap) -> None:
    with hub.engine.begin() as connection:
        settings = {name: value for name, value in _typed(server).items() if name != "source_name"}
        source_id = add_source(connection, HUB, hub.config, "imap", "Box", settings).id
        connection.execute(text(
            "WITH folder AS (INSERT INTO mailbox_folder (source_id, name, state, last_ok_at) VALUES (:s, 'INBOX', 'live', now())"
            " RETURNING id) INSERT INTO mail_ref (folder_id, uidvalidity, uid, attempts, error) SELECT id, 7, 4711, 2,"
            """ '{"code": "no_body", "message": "x"}' FROM folder"""
        ), {"s": source_id})  # fmt: skip
    page = hub.signed_in("admin").get(f"/console/sources/{source_id}")
    assert "4711" in page.text
    assert "The server lists this mail but does not hand it out." in page.text
