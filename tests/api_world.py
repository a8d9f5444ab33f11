"""A small firm for tests of the API: two managers, their clients and leads, and a token for every role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from factories.contact import make_contact
from factories.lead import make_lead
from factories.rows import insert
from flask.testing import FlaskClient
from principals import OPERATOR
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from crm_core.access import HUB, add_token, add_user
from crm_core.access.models import ROLES
from crm_core.base.config import HubConfig
from crm_core.search import mark
from ingest.sources.aliases import add_alias
from ingest.sources.sources import add_source

JSON = dict[str, Any]


@dataclass
class World:
    client: FlaskClient
    config: HubConfig
    engine: Engine
    tokens: dict[str, str]  # by role; "manager" is Anna's, "other_manager" Boris's, "stray_manager" nobody's
    ids: dict[str, str]

    def ask(self, method: str, path: str, role: str | None = "admin", **options: Any) -> TestResponse:
        headers = dict(options.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        address = path if path.startswith(("/openapi", "/docs", "/api")) else "/api/v1" + path
        return self.client.open(address, method=method, headers=headers, **options)

    def get(self, path: str, role: str | None = "admin", **options: Any) -> TestResponse:
        return self.ask("GET", path, role, **options)

    def rows(self, statement: str, **parameters: Any) -> list[Any]:
        with self.engine.begin() as connection:
            found = connection.execute(text(statement), parameters)
            return list(found.all()) if found.returns_rows else []

    def value(self, statement: str, **parameters: Any) -> Any:
        return self.rows(statement, **parameters)[0][0]


def build(engine: Engine, config: HubConfig) -> tuple[dict[str, str], dict[str, str]]:
    """Fills the database; returns tokens by role and ids by name."""
    with engine.begin() as connection:
        anna = insert(connection, "owner", name="Anna", extension="101")
        boris = insert(connection, "owner", name="Boris", extension="102")
        pool = int(connection.execute(text("SELECT id FROM pool WHERE is_default")).scalar_one())
        for owner in (anna, boris):
            connection.execute(
                text("INSERT INTO pool_member (pool_id, owner_id) VALUES (:pool, :owner)"),
                {"pool": pool, "owner": owner},
            )
        source = add_source(connection, HUB, config, "generic_form", "Site", {}).id
        add_alias(connection, HUB, config, source, "getform:of-the-world")
        ivan = make_contact(connection, "Ivan Petrov", anna, phone="+79123456701", email="Ivan@example.com")
        olga = make_contact(connection, "Olga Orlova", boris, phone="+79123456702", email="olga@example.org")
        lead = make_lead(connection, source, ivan, anna, title="Needs a roof", message="Please call")
        other_lead = make_lead(connection, source, olga, boris, title="Needs a door")
        values = {"source_id": source, "facts": "{}", "phase": "closed", "direction": "in", "outcome": "missed",
                  "started_at": "2026-11-20T09:00:00Z"}  # fmt: skip
        call = insert(connection, "call", call_key="a1", contact_id=ivan, remote="+79123456701", **values)
        other_call = insert(connection, "call", call_key="b1", contact_id=olga, remote="+79123456702", **values)
        due = "2026-11-20T09:05:00Z"
        activity = insert(
            connection, "activity", kind="call_back", contact_id=ivan, lead_id=lead, owner_id=anna, due_at=due, phone="1"
        )
        other_activity = insert(
            connection, "activity", kind="call_back", contact_id=olga, lead_id=other_lead, owner_id=boris, due_at=due, phone="2"
        )
        mention = insert(
            connection, "mention", lead_id=lead, owner_id=boris, author="user:1", text="Asked for you", created_at=due
        )
        insert(connection, "notification", owner_id=anna, kind="lead_given", lead_id=lead, at=due)
        mention_for_anna = insert(
            connection, "mention", lead_id=other_lead, owner_id=anna, author="user:2", text="Yours?", created_at=due
        )
        suggestion = insert(connection, "suggestion", a_id=min(ivan, olga), b_id=max(ivan, olga), why='{"code": "same_name"}')
        merge = insert(
            connection, "merge_event", winner_id=ivan, loser_id=olga, actor="auto", moved="{}", undone_at=due, undone_by="user:1",
            evidence='{"rule": "identifiers_of_one_person"}',
        )  # fmt: skip
        broken = insert(
            connection, "inbound_event", source_id=source, channel="form", body=b"<script>alert(1)</script>",
            state="needs_attention", error='{"code": "bad", "message": "It cannot be read.", "path": null}',
        )  # fmt: skip
        insert(connection, "source_mapping", source_id=source, version=1, text="read_names: true\n", rules='{"read_names": true}')
        connection.execute(
            text("INSERT INTO source_field (source_id, form_id, field, event_id) VALUES (:source, '', 'colour', :event)"),
            {"source": source, "event": broken},
        )
        insert(
            connection, "inbound_event", source_id=source, channel="form", body=b"name=Robot&_gotcha=1", state="done",
            outcome="spam", reason='{"code": "quarantined", "score": 4, "buried": false,'
            ' "reasons": [{"code": "honeypot", "points": 4, "detail": "_gotcha"}]}',
        )  # fmt: skip
        insert(connection, "source_alert", source_id=source, code="new_field", subject="city")
        mark(connection, [ivan, olga])  # as whoever writes a contact does
        team = insert(connection, "team", name="North")
        spare_pool = insert(connection, "pool", name="Spare")
        tokens = {role: add_token(connection, HUB, role, role, anna if role == "manager" else None)[1] for role in ROLES}
        tokens["other_manager"] = add_token(connection, HUB, "manager", "boris", boris)[1]
        tokens["stray_manager"] = add_token(connection, HUB, "manager", "stray")[1]
        user = add_user(connection, HUB, "anna@example.com", "Anna", "manager", None, anna)
        spare_token, _ = add_token(connection, OPERATOR, "readonly", "spare")
        events = dict(
            connection.execute(
                text("SELECT id, uid FROM inbound_event WHERE id IN (:a, :b)"),
                {"a": connection.scalar(text("SELECT event_id FROM lead WHERE id = :id"), {"id": lead}), "b": broken},
            ).all()  # type: ignore[arg-type]
        )
    uids = {("broken_event" if row_id == broken else "event"): uid for row_id, uid in events.items()}
    numbers = {
        "anna": anna, "boris": boris, "pool": pool, "spare_pool": spare_pool, "team": team, "source": source,
        "contact": ivan, "other_contact": olga, "lead": lead, "other_lead": other_lead, "call": call,
        "other_call": other_call, "activity": activity, "other_activity": other_activity, "mention": mention, "mention_for_anna": mention_for_anna,
        "user": user, "spare_token": spare_token, "suggestion": suggestion, "merge": merge,
    }  # fmt: skip
    return tokens, {name: str(number) for name, number in numbers.items()} | uids
