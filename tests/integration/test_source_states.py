"""One function says how a source does, and every door says the same: console, API, command line, health, doctor."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from factories.event import make_event
from scripted_imap import ScriptedImap
from sqlalchemy import Connection, Engine, text
from werkzeug.test import Client

from crm_core.access import HUB, add_token
from crm_core.base.config import HubConfig
from ingest.alerts.alerts import raise_alert
from ingest.http_client.addresses import DEMO_MAILBOX
from ingest.mailbox.source_check import check_source, note_check
from ingest.monitoring.health import health_report
from ingest.sources.sources import add_source, load_source, set_state
from ingest.sources.states import SourceState, source_states
from leadhub.cli import main
from leadhub.doctor import examine
from webhooks.wsgi import create_application

BOX = {"host": "imap.example.com", "user": "sales@example.com", "password": "secret"}


def _ago(minutes: int) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def _event(connection: Connection, source_id: int, state: str, minutes_ago: int) -> None:
    outcome = "created" if state == "done" else None
    make_event(connection, source_id, b"x", state=state, outcome=outcome, received_at=_ago(minutes_ago))


def _folder(connection: Connection, source_id: int, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(
        text(f"INSERT INTO mailbox_folder (source_id, name, {names}) VALUES (:s, 'INBOX', {marks})"), {"s": source_id, **values}
    )


def _failed(code: str, minutes_ago: int, *, fails: int = 3, last_ok: int | None = None) -> dict[str, Any]:
    since = (_ago(minutes_ago)).isoformat()
    ok = None if last_ok is None else _ago(last_ok)
    return {
        "state": "backoff", "fails": fails, "last_ok_at": ok,
        "last_error": json.dumps({"code": code, "message": "In words.", "since": since}),
    }  # fmt: skip


def _works(connection: Connection, source_id: int) -> None:
    _event(connection, source_id, "done", 5)


def _not_understood(connection: Connection, source_id: int) -> None:
    _event(connection, source_id, "done", 90)
    _event(connection, source_id, "needs_attention", 60)
    _event(connection, source_id, "needs_attention", 30)


def _put_off(connection: Connection, source_id: int) -> None:
    _folder(connection, source_id, state="live", last_ok_at=_ago(0))
    connection.execute(text(
        "INSERT INTO mail_ref (folder_id, uidvalidity, uid, attempts, error) SELECT id, 7, 41, 2,"
        """ '{"code": "no_body", "message": "The server lists this mail but does not hand it out."}' FROM mailbox_folder"""
        " WHERE source_id = :s"
    ), {"s": source_id})  # fmt: skip


def _not_authentic(connection: Connection, source_id: int) -> None:
    _event(connection, source_id, "rejected", 20)


def _silent(connection: Connection, source_id: int) -> None:
    _event(connection, source_id, "done", 180)
    raise_alert(connection, source_id, "silence", data={"hours": 3.0, "expected": 9.0, "usual_seconds": 1200.0})


def _expired(connection: Connection, source_id: int) -> None:
    raise_alert(connection, source_id, "token_expired")


def _paused(connection: Connection, source_id: int) -> None:
    _event(connection, source_id, "needs_attention", 20)
    set_state(connection, HUB, source_id, "paused")


def _uninstalled(connection: Connection, source_id: int) -> None:
    connection.execute(text("UPDATE source SET connector = 'gone' WHERE id = :s"), {"s": source_id})


def _refuses(connection: Connection, source_id: int) -> None:
    _folder(connection, source_id, **_failed("auth_failed", 40, last_ok=41))


def _unreachable(connection: Connection, source_id: int) -> None:
    _folder(connection, source_id, **_failed("refused", 2, fails=1))


def _one_broken_look(connection: Connection, source_id: int) -> None:
    _folder(connection, source_id, **_failed("connection_lost", 0, fails=1, last_ok=1))


def _read(connection: Connection, source_id: int) -> None:
    _folder(connection, source_id, state="live", last_ok_at=_ago(0))


def _no_longer_read(connection: Connection, source_id: int) -> None:
    _folder(connection, source_id, state="live", last_ok_at=_ago(20))


def _nothing(_connection: Connection, _source_id: int) -> None:
    """As it is right after it was added."""


_CASES: tuple[tuple[str, Callable[[Connection, int], None], str, bool, int], ...] = (
    ("generic_form", _nothing, "waiting", False, 0),
    ("generic_form", _works, "works", False, 0),
    ("generic_form", _not_understood, "not_understood", True, 2),
    ("generic_form", _not_authentic, "not_authentic", True, 1),
    ("generic_form", _silent, "silent", True, 0),
    ("generic_form", _expired, "refuses", True, 0),
    ("generic_form", _paused, "paused", False, 0),
    ("generic_form", _uninstalled, "unusable", True, 0),
    ("imap", _nothing, "unchecked", False, 0),
    ("imap", _refuses, "refuses", True, 0),
    ("imap", _unreachable, "unreachable", True, 0),
    ("imap", _one_broken_look, "works", False, 0),
    ("imap", _read, "works", False, 0),
    ("imap", _no_longer_read, "not_read", True, 0),
    ("imap", _put_off, "put_off", True, 1),
)


@pytest.fixture
def made(engine: Engine, config: HubConfig) -> list[int]:
    """One source of each case, by id, in the order of `_CASES`."""
    ids = []
    with engine.begin() as connection:
        for connector, arrange, _, _, _ in _CASES:
            settings = BOX if connector == "imap" else {}
            source_id = add_source(connection, HUB, config, connector, arrange.__name__, settings).id
            arrange(connection, source_id)
            ids.append(source_id)
    return ids


def _states(engine: Engine, config: HubConfig) -> list[SourceState]:
    with engine.connect() as connection:
        return source_states(connection, config, _ago(0))


def test_each_state_is_told_with_its_trouble_and_its_count(engine: Engine, config: HubConfig, made: list[int]) -> None:
    found = {one.source_id: one for one in _states(engine, config)}
    told = [(found[one].code, found[one].in_trouble, found[one].count) for one in made]
    assert told == [(code, trouble, count) for _, _, code, trouble, count in _CASES]
    by_code = {found[one].code: found[one] for one in made}
    assert by_code["silent"].words.startswith("Silent for 3 h (usually 20 min)")
    refuses = by_code["refuses"]
    assert refuses.since is not None
    assert refuses.words.startswith(f"Refuses since {refuses.since:%Y-%m-%d %H:%M} UTC. In words.")


def test_every_door_says_the_same_of_every_source(engine: Engine, config: HubConfig, made: list[int]) -> None:
    expected = {str(one.source_id): one.code for one in _states(engine, config)}
    with engine.begin() as connection:
        token = add_token(connection, HUB, "ops", "Tests")[1]
        report = health_report(connection, config, _ago(0))
    client = Client(create_application(config))
    head = {"Authorization": f"Bearer {token}"}
    listed = client.get("/api/v1/sources", headers=head).json["items"]
    assert {one["id"]: one["status"]["code"] for one in listed} == expected
    queues = client.get("/api/v1/queues", headers=head).json["sources"]
    assert {one["source"]["id"]: one["status"]["code"] for one in queues} == expected
    assert {str(one.source_id): one.code for one in report.sources} == expected
    environment = {
        "LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url, "LEADHUB_BROKER_URL": config.broker_url,
        "LEADHUB_SECRET_KEY": config.secret_key,
    }  # fmt: skip
    said = json.loads(CliRunner().invoke(main, ["source", "list", "--json"], env=environment).stdout)["items"]
    assert {one["id"]: one["status"]["code"] for one in said} == expected
    bad = {one.source_id for one in report.sources if one.tone == "bad" and one.code != "refuses"}
    assert bad == {one.facts["source_id"] for one in report.findings if one.code in ("mailbox_broken", "source_unusable")} - {
        made[9]
    }
    lines = [one for one in examine(config) if one.name in ("mailbox", "source")]
    assert [one.state for one in lines if one.message.startswith("_put_off")] == ["hint"]
    assert [one.facts["name"] for one in report.findings if one.code == "mailbox_put_off"] == ["_put_off"]
    assert {one.state for one in lines if one.message.startswith(("_unreachable", "_refuses", "_no_longer_read"))} == {"bad"}


@pytest.fixture
def server(config: HubConfig) -> Iterator[ScriptedImap]:
    server = ScriptedImap({})
    (config.home / DEMO_MAILBOX).write_text(f"127.0.0.1 {server.port}")  # or the guard would refuse this machine
    yield server
    server.close()


@pytest.mark.parametrize(
    "login, code, state", [("OK in", None, "works"), ("NO [AUTHENTICATIONFAILED] no", "auth_failed", "refuses")]
)
def test_check_is_told_and_stays_the_state_until_it_is_read(
    engine: Engine, config: HubConfig, server: ScriptedImap, login: str, code: str | None, state: str
) -> None:
    server.login = login
    with engine.begin() as connection:
        token = add_token(connection, HUB, "admin", "Tests")[1]
    settings = {"host": "127.0.0.1", "port": server.port, "user": "u@example.com", "password": "secret", "security": "plain"}
    client = Client(create_application(config))
    answer = client.post(
        "/api/v1/sources",
        headers={"Authorization": f"Bearer {token}"},
        json={"connector": "imap", "name": "Box", "settings": settings},
    )
    assert answer.status_code == 201
    assert (answer.json["check"]["ok"], (answer.json["check"]["error"] or {}).get("code")) == (code is None, code)
    assert answer.json["status"]["code"] == state
    assert bool(answer.json["check"]["advice"]) == (code is not None)
    changed = client.patch(
        f"/api/v1/sources/{answer.json['id']}", headers={"Authorization": f"Bearer {token}"},
        json={"settings": {"password": "another"}},
    )  # fmt: skip
    assert changed.json["check"]["ok"] == (code is None)
    assert not re.search(r"""b['"]|another|secret""", answer.text + changed.text.replace('"secret"', ""))


def test_check_ends_although_the_server_never_speaks(
    engine: Engine, config: HubConfig, server: ScriptedImap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.mailbox.source_check._SECONDS", 0.3)
    server.silent = True
    settings = {"host": "127.0.0.1", "port": server.port, "user": "u", "password": "p", "security": "plain"}
    with engine.begin() as connection:
        source_id = add_source(connection, HUB, config, "imap", "Box", settings).id
        loaded = load_source(connection, config, source_id).settings
    result = check_source(loaded, config)
    assert result is not None
    assert result.failure is not None
    assert result.failure.code == "timeout"
    with engine.begin() as connection:
        note_check(connection, source_id, loaded, result, _ago(0))
    [state] = _states(engine, config)
    assert (state.code, state.since is not None) == ("unreachable", True)
