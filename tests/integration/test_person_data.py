"""What a person is handed of their data: every personal column of every table, raw bodies too, nobody else's, and who asked for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import NotFound
from crm_core.base.personal import personal_columns
from crm_core.erasure.tables import PLACES
from crm_core.models import Base
from ingest.erasure.person_data import PersonData, export_person
from leadhub.cli import main

ADMIN = Principal("user", 1, "Admin", "admin", None)
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def exported(desk: Desk, contact_id: int) -> PersonData:
    with desk.engine.begin() as connection:
        return export_person(connection, ADMIN, contact_id, NOW)


def two_people(desk: Desk) -> int:
    desk.form(name="Иван Петров", phone="+7 900 123-45-67", email="ivan@example.com", message="Сколько стоит крыша?")
    desk.call("newCall", "c1", "+79001234567")
    desk.call("hangup", "c1", "+79001234567", cause="cancel")
    desk.form(name="Anna Other", phone="+7 900 765-43-21", email="anna@example.org", message="A door, please")
    desk.drain()
    return int(desk.one("SELECT id FROM contact WHERE name = 'Иван Петров'"))


def test_export_holds_all_that_is_kept_of_the_person_and_nothing_of_another(desk: Desk) -> None:
    contact = two_people(desk)
    made = exported(desk, contact)
    assert (made.contact_id, made.at) == (contact, NOW)
    tables = made.tables
    assert [row["name"] for row in tables["contact"]] == ["Иван Петров"]
    assert {row["value"] for row in tables["identifier"]} == {"+79001234567", "ivan@example.com"}
    assert [row["message"] for row in tables["lead"]] == ["Сколько стоит крыша?"]
    assert any("%D0%A1%D0%BA%D0%BE%D0%BB%D1%8C%D0%BA%D0%BE" in row["body"] for row in tables["inbound_event"])
    assert [row["remote"] for row in tables["call"]] == ["+79001234567"]
    assert len(tables["inbound_event"]) == 3
    whole = json.dumps(made.tables, ensure_ascii=False)
    assert not any(trace in whole for trace in ("Anna Other", "7654321", "anna@example.org", "A door"))


def test_export_asks_every_table_that_an_erasure_empties(desk: Desk) -> None:
    asked = exported(desk, two_people(desk)).tables
    derived = {name for name, place in PLACES.items() if place.derived}
    assert asked.keys() == personal_columns(Base.metadata).keys() - derived
    for name, columns in personal_columns(Base.metadata).items():
        for row in asked.get(name, ()):
            assert {column.name for column in columns} <= row.keys(), name


def test_export_is_written_down_with_counts_alone(desk: Desk) -> None:
    contact = two_people(desk)
    exported(desk, contact)
    (entry,) = desk.rows("SELECT actor, subject, data FROM audit_entry WHERE action = 'contact.export'")
    assert (entry["actor"], entry["subject"]) == ("user:1", f"contact:{contact}")
    assert entry["data"]["rows"]["inbound_event"] == 3
    assert "9001234567" not in str(entry["data"])


def test_export_says_bytes_that_are_no_text_in_base64(desk: Desk) -> None:
    contact = two_people(desk)
    desk.rows("UPDATE inbound_event SET body = '\\xff00' WHERE contact_id = %s RETURNING id", contact)
    assert {"base64": "/wA="} in [row["body"] for row in exported(desk, contact).tables["inbound_event"]]


def test_export_of_nobody_is_refused_and_not_written_down(desk: Desk) -> None:
    with pytest.raises(NotFound):
        exported(desk, 99)
    assert desk.one("SELECT count(*) FROM audit_entry WHERE action = 'contact.export'") == 0


def test_command_prints_the_same(desk: Desk, config: HubConfig) -> None:
    contact = two_people(desk)
    environment = {
        "LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url,
        "LEADHUB_BROKER_URL": config.broker_url, "LEADHUB_SECRET_KEY": config.secret_key,
    }  # fmt: skip
    done = CliRunner().invoke(main, ("contact", "export", str(contact)), env=environment)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["tables"] == exported(desk, contact).tables
