"""`crm_core.base.history`: touch, audit row and outbox rows come together or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from desk import Desk
from factories.contact import make_contact
from sqlalchemy import Connection, Engine, text

from crm_core.access import Principal
from crm_core.base import history
from crm_core.base.config import HubConfig

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ANNA = Principal("user", 7, "Anna", "head")
CHANGED = history.Action("lead.change", touch="stage")
PAUSED = history.Action("source.pause")


def _subscribe(connection: Connection, name: str, *actions: str) -> None:
    connection.execute(
        text("INSERT INTO outbox_subscriber (name, actions) VALUES (:name, :actions)"), {"name": name, "actions": list(actions)}
    )


def _contact(connection: Connection) -> int:
    return make_contact(connection, "Ivan", id=1)


def _rows(connection: Connection, table: str, columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY id"))]


def test_touch_audit_and_outbox_are_written_together(engine: Engine) -> None:
    with engine.begin() as connection:
        contact_id = _contact(connection)
        _subscribe(connection, "crm", "lead.change", "lead.assign")
        _subscribe(connection, "chat", "lead.assign")
        touch = history.Touch(contact_id, NOW, title="Roof", text="Ж", data={"changed": {"stage": 1}})
        touch_id = history.record(connection, ANNA, CHANGED, 5, {"fields": ["stage"]}, touch)
    with engine.begin() as connection:
        assert _rows(connection, "touch", "id, contact_id, lead_id, kind, direction, at, actor, title, text, data") == [
            (touch_id, contact_id, None, "stage", "internal", NOW, "user:7", "Roof", "Ж", {"changed": {"stage": 1}})
        ]
        assert _rows(connection, "audit_entry", "actor, action, subject, data") == [
            ("user:7", "lead.change", "lead:5", {"fields": ["stage"]})
        ]
        subscribed = "(SELECT name FROM outbox_subscriber WHERE id = subscriber_id), actor, action, subject, data, sent_at"
        assert _rows(connection, "outbox_entry", subscribed) == [
            ("crm", "user:7", "lead.change", "lead:5", {"fields": ["stage"]}, None)
        ]


def test_the_outbox_of_a_hub_that_tells_nobody_stays_empty(engine: Engine) -> None:
    with engine.begin() as connection:
        history.record(connection, "cli", PAUSED, 1)
        assert _rows(connection, "outbox_entry", "id") == []
        assert _rows(connection, "audit_entry", "actor, subject, data") == [("cli", "source:1", {})]


def test_nothing_is_written_when_the_transaction_of_the_caller_fails(engine: Engine) -> None:
    with engine.begin() as connection:
        _contact(connection)
        _subscribe(connection, "crm", "lead.change")
    connection = engine.connect()
    history.record(connection, ANNA, CHANGED, 5, None, history.Touch(1, NOW))
    connection.close()  # as an error after it would
    with engine.begin() as connection:
        assert [_rows(connection, table, "id") for table in ("touch", "audit_entry", "outbox_entry")] == [[], [], []]


def test_what_belongs_to_nobody_leaves_no_touch(engine: Engine) -> None:
    with engine.begin() as connection:
        assert history.record(connection, ANNA, CHANGED, 5, None, history.Touch(None, NOW)) is None
        assert _rows(connection, "touch", "id") == []
        assert len(_rows(connection, "audit_entry", "id")) == 1


def test_subscribers_hear_of_what_arrives(config: HubConfig, engine: Engine) -> None:
    """New leads, later inquiries of the same person, and two contacts that turn out to be one; nothing of the person himself."""
    desk = Desk(config, engine)
    with engine.begin() as connection:
        _subscribe(connection, "crm", "lead.create", "lead.touch", "contact.merge")
        _subscribe(connection, "chat", "lead.create")
    desk.form(name="Ivan Petrov", phone="+79123456701", message="Roof")
    desk.form(name="Ivan Petrov", email="ivan@example.com", message="Door")
    desk.drain("form")
    desk.form(name="Ivan Petrov", phone="+79123456701", message="Once more")
    desk.drain("form")
    desk.form(name="Ivan Petrov", phone="+79123456701", email="ivan@example.com", message="Both are me")
    desk.drain("form")
    told = desk.rows(
        "SELECT s.name, e.actor, e.action, e.subject, e.data FROM outbox_entry e JOIN outbox_subscriber s ON s.id = e.subscriber_id"
    )
    leads = [row["id"] for row in desk.rows("SELECT id FROM lead ORDER BY id")]
    assert len(leads) == 2
    assert {(row["name"], row["action"], row["subject"]) for row in told} >= {
        *((name, "lead.create", f"lead:{lead}") for name in ("crm", "chat") for lead in leads),
        ("crm", "lead.touch", f"lead:{leads[0]}"),
    }
    assert [row["subject"] for row in told if row["action"] == "contact.merge"] == [
        f"contact:{desk.one('SELECT winner_id FROM merge_event')}"
    ]
    assert all(row["actor"] == "hub" and row["data"] == {} for row in told)
    assert not any(row["name"] == "chat" and row["action"] != "lead.create" for row in told)
    desk.close()
