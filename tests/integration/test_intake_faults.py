"""Faults between reading and taking in: none leaves an event in nobody's hands, none is silent, none stops the others."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from desk import Desk
from principals import user
from sqlalchemy import Engine

from connectors.kit import FetchAnswer, FetchRequest
from crm_core.access import HUB, Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import NotFound
from ingest.alerts.alerts import raise_alert
from ingest.erasure.erase import erase
from ingest.fetch import backfill, fetch
from ingest.fetch.backfill import run_next
from ingest.journal.accept import RawEvent, insert_events
from ingest.mapping.versions import publish, save_draft
from ingest.quarantine.alerts import open_alerts
from ingest.quarantine.quarantine import of_alert
from ingest.screening import screen
from ingest.sources.sources import add_source
from ingest.watch.watch import watch

ADMIN = Principal("user", 1, "Admin", "admin", None)
BROWSER = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "accept-language": "ru",
    "content-type": "application/x-www-form-urlencoded",
}  # fmt: skip


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


class Graph:
    """Answers of the Graph API by path, without a wire; counts what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked = answers, list[str]()

    def ask(self, ask: FetchRequest, limits: Any) -> FetchAnswer:
        form = urlsplit(ask.url).path.split("/")[-2]
        self.asked.append(form)
        status, body = self.answers[form]
        return FetchAnswer(status, {}, json.dumps(body).encode())


def meta(desk: Desk, *forms: str) -> int:
    with desk.engine.begin() as connection:
        settings = {"app_secret": "s", "page_token": "t", "forms": list(forms)}
        return add_source(connection, HUB, desk.config, "meta", "Meta", settings).id


def lead(lead_id: str) -> dict[str, Any]:
    return {"id": lead_id, "field_data": [{"name": "email", "values": [f"a{lead_id}@example.com"]}]}


@pytest.mark.parametrize(
    ("error", "left"),
    [(psycopg.errors.TooManyConnections, ("waiting", "database_busy")), (KeyError, ("needs_attention", "internal_error"))],
)
def test_event_is_not_left_in_work_when_what_it_points_at_cannot_be_put_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[Exception], left: tuple[str, str]
) -> None:
    source_id = meta(desk)
    body = {"object": "page", "entry": [{"id": 1, "changes": [{"field": "leadgen", "value": {"leadgen_id": 5, "form_id": 1}}]}]}
    raw = json.dumps(body).encode()
    signature = hmac.new(b"s", raw, hashlib.sha256).hexdigest()
    uid = desk.post(source_id, "form", raw, {"x-hub-signature-256": f"sha256={signature}"})

    def fails(*_: Any) -> None:
        raise error

    monkeypatch.setattr(fetch, "known_keys", fails)
    desk.drain("form")
    event = desk.event(uid)
    assert (event["state"], event["error"]["code"]) == left


def test_one_form_that_is_gone_does_not_hide_the_leads_of_the_others(desk: Desk) -> None:
    meta(desk, "111", "222")
    gone = (400, {"error": {"code": 100, "message": "no such form"}})
    looked = run_next(desk.config, Graph(**{"111": gone, "222": (200, {"data": [lead("7")]})}))  # type: ignore[arg-type]
    assert looked is not None
    assert looked.error
    assert desk.one("SELECT provider_key FROM inbound_event") == "lead|7"
    assert desk.one("SELECT since IS NULL FROM source_poll"), "nothing is taken for done that was not"


def test_every_form_has_its_turn_when_one_turn_is_too_short_for_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    meta(desk, "111", "222", "333")
    monkeypatch.setattr(backfill, "MOST_PAGES", 1)
    graph = Graph(**dict.fromkeys(("111", "222", "333"), (200, {"data": []})))
    for _ in range(60):
        run_next(desk.config, graph)  # type: ignore[arg-type]
        desk.rows("UPDATE source_poll SET next_at = clock_timestamp() RETURNING 1")
        if set(graph.asked) == {"111", "222", "333"}:
            break
    assert set(graph.asked) == {"111", "222", "333"}


def test_burst_is_told_when_the_first_try_to_tell_it_failed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.rows("UPDATE source SET config = '{\"burst_per_minute\": 2}' WHERE id = %s RETURNING id", desk.form_source)
    tries: list[int] = []
    told = screen.raise_alert

    def fails_once(*given: Any, **named: Any) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise psycopg.errors.LockNotAvailable
        return told(*given, **named)

    monkeypatch.setattr(screen, "raise_alert", fails_once)
    insert_events(desk.door, [
        RawEvent(desk.form_source, "form", f"name=Anna&phone=7900123450{n}".encode(), headers=BROWSER, remote_ip=f"198.51.100.{n}")
        for n in range(6)
    ])  # fmt: skip
    desk.drain("form")
    with desk.engine.connect() as connection:
        assert [alert.code for alert in open_alerts(connection)] == ["burst"]
    assert desk.one("SELECT quarantine_until IS NOT NULL FROM source WHERE id = %s", desk.form_source)


def test_burst_of_long_ago_can_still_be_released(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        raise_alert(connection, desk.form_source, "burst", data={"limit": 2, "since": "2026-01-01T00:00:00+00:00"})
        for n in range(250):
            raise_alert(connection, desk.form_source, "new_field", f"field {n}")
    alert = desk.one("SELECT id FROM source_alert WHERE code = 'burst'")
    with desk.engine.connect() as connection:
        assert of_alert(connection, alert).source_id == desk.form_source
        with pytest.raises(NotFound):
            of_alert(connection, alert + 1)
        with pytest.raises(NotFound):
            of_alert(connection, 10**6)


def look(desk: Desk) -> None:
    with desk.connection.transaction(), desk.connection.cursor() as cursor:
        watch(cursor, datetime.now(UTC) + timedelta(seconds=30), desk.config.zone)


def test_names_of_fields_that_are_people_are_not_kept_in_the_open(desk: Desk) -> None:
    for n in range(21):
        desk.form(form_name="order", name="Anna", message=f"Number {n}", email=f"a{n}@example.com")
    desk.drain("form")
    look(desk)
    desk.form(
        form_name="order +7 900 123-45-67", name="Anna", **{"+7 900 123-45-67": "x", "ivan@example.com": "x", "79001234568": "y"}
    )  # fmt: skip
    desk.form(form_name="order", **{"form_79001": "x", "who[ivan@example.com]": "x", "form_5_2024": "z"})
    desk.drain("form")
    look(desk)
    kept = "\n".join(
        row["t"] for table in ("source_field", "source_alert", "source_watch")
        for row in desk.rows(f"SELECT t::text AS t FROM {table} t")
    )  # fmt: skip
    assert "form_5_2024" in kept
    assert [trace for trace in ("900123456", "900 123", "ivan@") if trace in kept] == []


def test_publishing_waits_for_a_look_without_holding_what_the_look_wants(desk: Desk, engine: Engine) -> None:
    desk.form(name="Anna", colour="red", phone="+7 900 123-45-67")
    desk.drain("form")
    look(desk)

    def change() -> None:
        with engine.begin() as connection:
            version = save_draft(connection, user(1), desk.form_source, "fields:\n  company: {from: [$.colour]}\n")
            publish(connection, user(1), desk.form_source, version)

    with psycopg.connect(desk.config.database_url) as looking:
        looking.execute("SELECT 1 FROM source_watch FOR UPDATE")
        publishing = threading.Thread(target=change)
        publishing.start()
        while publishing.is_alive() and not desk.one(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            time.sleep(0.01)
        assert publishing.is_alive()
        looking.execute("SET lock_timeout = '300ms'")
        assert looking.execute("UPDATE source_field SET seen = seen + 1").rowcount > 0
    publishing.join(20)
    assert desk.one("SELECT count(*) FROM source_field WHERE field = 'colour'") == 0


def test_what_a_call_says_after_its_person_was_erased_brings_nobody_back(desk: Desk, engine: Engine, config: HubConfig) -> None:
    desk.call("newCall", "c1", "+79001234567")
    desk.call("hangup", "c1", "+79001234567", cause="cancel")
    desk.drain("call")
    contact = desk.one("SELECT contact_id FROM call")
    erase(engine, config, ADMIN, contact, "letter", datetime.now(UTC))
    late = desk.call("hangup", "c1", "+79001234567", cause="cancel", note="again")
    desk.drain("call")
    event = desk.event(late)
    assert (event["outcome"], event["reason"]["code"], bytes(event["body"])) == ("ignored", "call_of_an_erased_person", b"")
    assert desk.one("SELECT count(*) FROM contact_identifier WHERE contact_id = %s", contact) == 0
    assert desk.rows("SELECT title, data FROM touch WHERE contact_id = %s AND data::text LIKE '%%9001234567%%'", contact) == []
