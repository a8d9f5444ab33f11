"""A whole hub saved and brought back on a server of its own choice: what is in it, what it refuses, who stays erased."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import servers
from desk import Desk
from sqlalchemy import Engine, text

from crm_core.access import HUB, Principal
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.database import connect, make_engine
from crm_core.base.errors import Conflict, HubError, Invalid, Misconfigured
from ingest.erasure import erasure_log
from ingest.erasure.erase import Person, erase, erase_address
from ingest.files.store import path_of
from ingest.journal.ledger import LedgerRow, ledger
from ingest.monitoring.audit_sealing import SET_ASIDE, noted, seal_audit, verify_audit
from ingest.sources.sources import SOURCE_PAUSED, add_source, load_source
from leadhub import settings
from leadhub.backup import manifest, tools
from leadhub.backup.restore import Restored, restore
from leadhub.backup.save import save
from leadhub.backup.server import Reached, reached
from leadhub.backup.swap import drop_kept, name_of

ADMIN = Principal("user", 1, "Admin", "admin", None)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
TRACES = ("Уникальн", "9001234567", "unique.ivan", "Барвинок")
PERSON = {
    "name": "Иван Уникальный", "phone": "+7 900 123-45-67", "email": "unique.ivan@example.com", "message": "Слово Барвинок",
}  # fmt: skip


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


@pytest.fixture
def target(tmp_path: Path, postgres_server: servers.RunPostgres) -> Iterator[Target]:
    with postgres_server.fresh_database() as url:
        made = Target(tmp_path / "other", url)
        yield made
        made.drop_kept(postgres_server)


class Target:
    """Another hub on another home, as the command meets it."""

    def __init__(self, home: Path, url: str, key: str = "") -> None:
        home.mkdir(exist_ok=True)
        environment = {"LEADHUB_HOME": str(home), "LEADHUB_DATABASE_URL": url, "LEADHUB_BROKER_URL": "redis://127.0.0.1:1/0"}
        self.read = settings.read(environment | ({"LEADHUB_SECRET_KEY": key} if key else {}), home)
        self.kept: list[str] = []

    def restore(self, directory: Path, *, replaces: bool = False, erasures: tuple[Path, ...] = ()) -> Restored:
        with reached(self.read) as found:
            done = restore(self.read, found, directory, replaces=replaces, erasures=erasures)
        self.kept += [done.kept_as] if done.kept_as else []
        return done

    def drop_kept(self, server: servers.RunPostgres) -> None:
        with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as admin:
            for name in self.kept:
                admin.execute(f'DROP DATABASE IF EXISTS "{name}"')

    @property
    def config(self) -> HubConfig:
        with reached(self.read) as found:
            return found.config

    def settings_of(self, source_id: int) -> Any:
        engine = make_engine(self.config.database_url, "ui", pool_size=1)
        try:
            with engine.connect() as connection:
                return load_source(connection, self.config, source_id).settings
        finally:
            engine.dispose()

    def rows(self, query: str) -> list[dict[str, Any]]:
        engine = make_engine(self.config.database_url, "ui", pool_size=1)
        try:
            with engine.connect() as connection:
                return [dict(row) for row in connection.execute(text(query)).mappings()]
        finally:
            engine.dispose()


def with_file(desk: Desk, email: str, content: bytes) -> str:
    body = (
        f'--e\r\nContent-Disposition: form-data; name="email"\r\n\r\n{email}\r\n--e\r\n'
        'Content-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n'
    ).encode()
    return desk.post(
        desk.form_source, "form", body + content + b"\r\n--e--\r\n", {"content-type": "multipart/form-data; boundary=e"}
    )


def everything(target: Target) -> str:
    tables = [row["tablename"] for row in target.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    rows = [str(row["t"]) for name in tables for row in target.rows(f'SELECT t::text AS t FROM "{name}" t')]
    bodies = [str(row["b"]) for row in target.rows("SELECT encode(body, 'escape') AS b FROM inbound_event")]
    return "\n".join(rows + bodies)


def balanced(target: Target) -> list[LedgerRow]:
    engine = make_engine(target.config.database_url, "ui", pool_size=1)
    try:
        with engine.connect() as connection:
            rows = ledger(connection, "UTC", date(2000, 1, 1), date(2100, 1, 1))
    finally:
        engine.dispose()
    assert all(row.balanced for row in rows)
    return rows


def test_everything_is_there_again_on_another_machine(desk: Desk, tmp_path: Path, target: Target) -> None:
    mailbox = {"host": "imap.example.com", "user": "sales@example.com", "password": "a word that is sealed"}
    with desk.engine.begin() as connection:
        source = add_source(connection, HUB, desk.config, "imap", "Sales", mailbox).id
    with_file(desk, "anna@example.com", PNG)
    desk.form(**PERSON)
    desk.drain()
    waiting = desk.form(name="Vera", email="vera@example.com")
    saved = save(desk.config, tmp_path / "backup")
    assert (saved.events, saved.contacts, saved.files, saved.missing_files) == (3, 2, 1, 0)
    done = target.restore(tmp_path / "backup")
    assert (done.events, done.files, done.missing_files, done.kept_as) == (3, 1, 0, None)
    (row,) = target.rows("SELECT sha256 FROM attachment")
    assert path_of(target.config.home, row["sha256"]).read_bytes() == PNG
    assert target.settings_of(source).password == mailbox["password"]
    assert target.rows("SELECT state FROM inbound_event WHERE uid = '" + waiting + "'") == [{"state": "waiting"}]
    balanced(target)


def test_backup_is_closed_to_everybody_but_its_owner(desk: Desk, tmp_path: Path) -> None:
    with_file(desk, "anna@example.com", PNG)
    desk.drain()
    before = os.umask(0o077)  # as `leadhub backup` does
    with reached(settings.read(
        {"LEADHUB_HOME": str(desk.config.home), "LEADHUB_DATABASE_URL": desk.config.database_url,
         "LEADHUB_BROKER_URL": "redis://127.0.0.1:1/0", "LEADHUB_SECRET_KEY": desk.config.secret_key}, tmp_path)) as found:  # fmt: skip
        save(found.config, tmp_path / "backup")
    os.umask(before)
    modes = {stat.S_IMODE(place.stat().st_mode) for place in (tmp_path / "backup", *(tmp_path / "backup").rglob("*"))}
    assert modes == {0o700, 0o600}


def test_persons_erased_after_the_backup_stay_erased(desk: Desk, tmp_path: Path, target: Target) -> None:
    with_file(desk, PERSON["email"], PNG)
    desk.form(**PERSON)
    desk.form(name="Пётр", phone="+7 900 765-43-21", message="Другой человек")
    desk.drain()
    late = desk.form(**PERSON | {"message": "Ещё Барвинок"})  # becomes an inquiry only after the backup
    saved = save(desk.config, tmp_path / "backup")
    desk.drain()
    contact = desk.one("SELECT root_id FROM contact WHERE name = 'Иван Уникальный' ORDER BY id LIMIT 1")
    erase(desk.engine, desk.config, ADMIN, contact, "letter", datetime.now(UTC))
    log = desk.config.home / erasure_log.FILE
    assert [trace for trace in (*TRACES, "unique") if trace in log.read_text()] == []
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    done = target.restore(tmp_path / "backup", erasures=(log,))
    assert (done.erasures_repeated, done.events) == (1, saved.events)
    left = everything(target)
    assert [trace for trace in TRACES if trace in left] == []
    assert "Другой человек" in left
    assert target.rows(f"SELECT state, outcome, reason FROM inbound_event WHERE uid = '{late}'") == [
        {"state": "done", "outcome": "dismissed", "reason": {"code": "erased", "erased": True}}
    ]
    assert list((target.config.home / "files").rglob("*")) == [] or not [
        place for place in (target.config.home / "files").rglob("*") if place.is_file()
    ]
    balanced(target)
    # A second restore on this home knows the erasure by itself, and a backup made after it needs no repeating.
    assert target.restore(tmp_path / "backup", replaces=True).erasures_repeated == 1
    save(target.config, tmp_path / "later")
    assert target.restore(tmp_path / "later", replaces=True).erasures_repeated == 0


def test_events_of_nobody_and_calls_stay_empty_and_contacts_of_that_number_stay(
    desk: Desk, tmp_path: Path, target: Target
) -> None:
    broken = b'{"event": "newCall", "from": "unique.ivan@example.com", '
    uid = desk.post(desk.call_source, "call", broken, {"content-type": "application/json"})
    desk.call("newCall", "c1", "+79001234567")
    desk.form(name="Пётр", phone=PERSON["phone"])
    desk.drain()
    assert desk.event(uid)["state"] == "needs_attention"
    save(desk.config, tmp_path / "backup")
    erase_address(desk.engine, desk.config, ADMIN, Person(email=PERSON["email"]), "letter", datetime.now(UTC))
    erase_address(desk.engine, desk.config, ADMIN, Person(phone=PERSON["phone"]), "letter", datetime.now(UTC))
    done = target.restore(tmp_path / "backup", erasures=(desk.config.home / erasure_log.FILE,))
    assert done.erasures_repeated == 2
    assert "unique.ivan" not in everything(target)
    assert target.rows("SELECT name, erased_at FROM contact") == [{"name": "Пётр", "erased_at": None}]


def test_nothing_is_touched_when_a_byte_is_wrong_or_the_hub_has_data(desk: Desk, tmp_path: Path, target: Target) -> None:
    desk.form(**PERSON)
    desk.drain()
    save(desk.config, tmp_path / "backup")
    own = Target(desk.config.home, desk.config.database_url, desk.config.secret_key)
    with pytest.raises(Conflict, match="--replace"):
        own.restore(tmp_path / "backup")
    dump = tmp_path / "backup" / manifest.DUMP
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)
    for hub in (own, target):
        with pytest.raises(Conflict, match="damaged"):
            hub.restore(tmp_path / "backup", replaces=True)
    assert desk.one("SELECT name FROM contact") == PERSON["name"]
    assert target.rows("SELECT count(*) AS n FROM contact") == [{"n": 0}]


def test_what_was_stays_when_reading_back_fails_in_the_middle(desk: Desk, tmp_path: Path, target: Target) -> None:
    desk.form(**PERSON)
    desk.drain()
    save(desk.config, tmp_path / "backup")
    told = json.loads((tmp_path / "backup" / manifest.FILE).read_text())
    told["rows"]["lead"] += 1  # as if rows had been lost on the way
    (tmp_path / "backup" / manifest.FILE).write_text(json.dumps(told))
    own = Target(desk.config.home, desk.config.database_url, desk.config.secret_key)
    with pytest.raises(Conflict, match="Nothing was changed"):
        own.restore(tmp_path / "backup", replaces=True)
    assert desk.one("SELECT count(*) FROM contact") == 1
    name = name_of(desk.config.database_url)
    assert desk.one("SELECT count(*) FROM pg_database WHERE datname LIKE %s", f"{name}%") == 1


def test_present_state_is_kept_under_another_name_when_it_is_replaced(desk: Desk, tmp_path: Path, target: Target) -> None:
    desk.form(**PERSON)
    desk.drain()
    save(desk.config, tmp_path / "first")
    target.restore(tmp_path / "first")
    done = target.restore(tmp_path / "first", replaces=True)
    assert done.kept_as is not None
    assert done.kept_as.startswith(f"{name_of(target.config.database_url)}_before_")
    there = f"SELECT datallowconn FROM pg_database WHERE datname = '{done.kept_as}'"
    assert target.rows(there) == [{"datallowconn": False}]
    with reached(target.read) as found:
        with pytest.raises(Invalid, match=done.kept_as):
            drop_kept(found, name_of(found.config.database_url))
        drop_kept(found, done.kept_as)
    assert target.rows(there) == []


def test_key_is_asked_for_when_it_is_not_in_the_backup(desk: Desk, tmp_path: Path, target: Target) -> None:
    save(desk.config, tmp_path / "backup", with_key=False)
    assert not (tmp_path / "backup" / manifest.KEY).exists()
    with pytest.raises(Misconfigured, match="secret_key"):
        target.restore(tmp_path / "backup")
    (target.read.home / "secret_key").write_text(desk.config.secret_key)
    target.restore(tmp_path / "backup")


def test_other_key_of_the_environment_is_refused_before_anything_happens(
    desk: Desk, tmp_path: Path, database_url: str, target: Target
) -> None:
    save(desk.config, tmp_path / "backup")
    other = Target(tmp_path / "third", target.config.database_url, "another-key-" + "1" * 32)
    with pytest.raises(Misconfigured, match="LEADHUB_SECRET_KEY is another key"):
        other.restore(tmp_path / "backup")


def test_erasure_is_refused_when_it_could_not_be_repeated(desk: Desk, tmp_path: Path) -> None:
    desk.form(**PERSON)
    desk.drain()
    (desk.config.home / erasure_log.FILE).mkdir()  # nobody can append to that
    with pytest.raises(HubError, match="Nothing was erased"):
        erase(desk.engine, desk.config, ADMIN, desk.one("SELECT root_id FROM contact"), "letter", datetime.now(UTC))
    assert desk.one("SELECT name FROM contact") == PERSON["name"]


def test_lines_that_broke_off_spoil_no_other(tmp_path: Path) -> None:
    line = erasure_log.ErasureLine("1", "2026-01-01T00:00:00Z", "k", ("a",), ("b",))
    log = tmp_path / erasure_log.FILE
    erasure_log.append(log, [line])
    with log.open("ab") as file:
        file.write(b'{"id": "2", "at": "2026')
    erasure_log.append(log, [replace(line, id="3")])
    assert [one.id for one in erasure_log.read(log)] == ["1", "3"]


def test_directory_is_left_alone_when_something_is_in_it(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("x")
    with pytest.raises(Invalid, match="not empty"):
        save(desk.config, tmp_path / "full")
    with pytest.raises(Invalid, match="no whole backup"):
        manifest.read(tmp_path / "full")


def test_half_a_backup_is_never_left_and_never_taken_for_a_whole_one(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        save(desk.config, tmp_path / "backup")
    assert not [place for place in tmp_path.iterdir() if "backup" in place.name]


def test_tool_that_is_too_old_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"PostgreSQL 99.*postgresql-client-99"):
        tools.find("pg_dump", 99)


def test_role_that_may_not_make_databases_is_told_what_it_lacks(
    desk: Desk, tmp_path: Path, postgres_server: servers.RunPostgres
) -> None:
    save(desk.config, tmp_path / "backup")
    with psycopg.connect(postgres_server.url("postgres", "postgres"), autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS poor_leadhub")
        admin.execute("CREATE ROLE poor_leadhub LOGIN")
        admin.execute("CREATE DATABASE poor_hub OWNER poor_leadhub")
        try:
            poor = Target(tmp_path / "poor", postgres_server.url("poor_hub", "poor_leadhub"))
            with pytest.raises(Misconfigured, match="ALTER ROLE poor_leadhub CREATEDB"):
                poor.restore(tmp_path / "backup")
            admin.execute("ALTER ROLE poor_leadhub CREATEDB")
            assert poor.restore(tmp_path / "backup").kept_as is None
        finally:
            admin.execute("DROP DATABASE poor_hub WITH (FORCE)")
            admin.execute("DROP ROLE poor_leadhub")


def test_chain_of_the_audit_holds_after_a_restore_of_an_earlier_day(desk: Desk, tmp_path: Path, target: Target) -> None:
    def seal(config: HubConfig) -> None:
        engine = make_engine(config.database_url, "worker", pool_size=1)
        with engine.begin() as connection:
            history.record(connection, ADMIN, SOURCE_PAUSED, 1)
        engine.dispose()
        with connect(config.database_url, "worker") as line:
            seal_audit(line, config.home, datetime.now(UTC))

    seal(desk.config)
    save(desk.config, tmp_path / "backup")
    target.restore(tmp_path / "backup")
    for _ in range(3):
        seal(target.config)
    assert noted(target.config.home)[-1].position > 1
    target.restore(tmp_path / "backup", replaces=True)
    with connect(target.config.database_url, "worker") as line:
        assert verify_audit(line, target.config.home, datetime.now(UTC)).broken is None
    assert (target.config.home / SET_ASIDE).exists()


def test_access_that_was_withdrawn_since_stays_withdrawn(desk: Desk, tmp_path: Path, target: Target) -> None:
    def change(*statements: str) -> None:
        with psycopg.connect(target.config.database_url) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    desk.rows(
        "INSERT INTO app_user (login, role, password_hash) VALUES ('gone@example.com', 'admin', 'old'), ('stays@example.com',"
        " 'ops', 'old') RETURNING id"
    )
    desk.rows(
        "INSERT INTO api_token (digest, name, role) VALUES ('one', 'Reports', 'admin'), ('two', 'Site', 'ops') RETURNING id"
    )
    desk.rows(
        "INSERT INTO user_session (digest, user_id, method, last_seen_at, expires_at)"
        " SELECT 'cookie', min(id), 'password', now(), now() + interval '1 day' FROM app_user RETURNING id"
    )
    save(desk.config, tmp_path / "backup")
    done = target.restore(tmp_path / "backup")
    assert (done.users_as_now, done.tokens_revoked) == (0, 0)
    assert target.rows("SELECT count(*) AS n FROM user_session") == [{"n": 0}]
    change(
        "UPDATE app_user SET active = false, role = 'readonly', password_hash = 'new' WHERE login = 'gone@example.com'",
        "UPDATE api_token SET revoked_at = now() WHERE digest = 'one'",
    )
    done = target.restore(tmp_path / "backup", replaces=True)
    assert (done.users_as_now, done.tokens_revoked) == (1, 1)
    assert target.rows("SELECT active, role, password_hash FROM app_user WHERE login = 'gone@example.com'") == [
        {"active": False, "role": "readonly", "password_hash": "new"}
    ]
    assert target.rows("SELECT name FROM api_token WHERE revoked_at IS NULL") == [{"name": "Site"}]


def test_room_for_the_hub_is_left_on_its_disk(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="another disk"):
        save(replace(desk.config, disk_floor_mb=1_000_000), tmp_path / "backup")


def test_new_hub_that_was_only_started_counts_as_empty(desk: Desk, tmp_path: Path, target: Target) -> None:
    from ingest.sources.bootstrap import first_run

    save(desk.config, tmp_path / "backup")
    first_run(target.config)
    target.restore(tmp_path / "backup")
    with reached(target.read) as found:
        assert isinstance(found, Reached)
