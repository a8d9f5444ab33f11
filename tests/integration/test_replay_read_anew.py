"""Replays after a fix: they end, they keep what is, they mix nobody up, and a dry run leaves no trace anywhere."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import redis
from desk import Desk
from principals import OPERATOR, user
from sqlalchemy import Engine, text

from crm_core.access import HUB, Principal
from crm_core.base.config import HubConfig
from ingest.erasure.erase import erase
from ingest.journal.accept import RawEvent, insert_events
from ingest.journal.ledger import ledger
from ingest.mapping.preview import bench, dry_run
from ingest.mapping.versions import publish, save_draft
from ingest.processing.affected import affected
from ingest.processing.replay import Selection, replay
from ingest.sources.settings import check_settings, seal_settings
from ingest.sources.sources import load_source

ADMIN = Principal("user", 1, "Admin", "admin", None)
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded", "user-agent": "Mozilla/5.0", "origin": "https://a.example.com"}
TWO = {"shop": "x", "people": [
    {"who": "Anna", "phone": "+7 900 123-45-01"}, {"who": "Boris", "phone": "+7 900 123-45-02"},
]}  # fmt: skip


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def put(desk: Desk, rules: str) -> None:
    with desk.engine.begin() as connection:
        publish(connection, user(1), desk.form_source, save_draft(connection, user(1), desk.form_source, rules))


def configure(desk: Desk, **settings: Any) -> None:
    with desk.engine.begin() as connection:
        source = load_source(connection, desk.config, desk.form_source)
        stored = seal_settings(desk.config, source.id, check_settings(source.connector, settings))
        connection.execute(
            text("UPDATE source SET config = :config WHERE id = :id"), {"config": orjson.dumps(stored).decode(), "id": source.id}
        )


def again(desk: Desk, **selection: Any) -> None:
    replay(desk.engine, HUB, desk.config, Selection(**selection or {"state": "done"}), dry_run=False)
    desk.drain("form")


def found(desk: Desk) -> list[str]:
    return affected(desk.engine, desk.config, desk.form_source)


def balanced(desk: Desk) -> bool:
    with desk.engine.connect() as connection:
        return all(row.balanced for row in ledger(connection, "UTC", date(2000, 1, 1), date(2100, 1, 1)))


def everything(desk: Desk) -> dict[str, list[str]]:
    """Every row of every table, every key of the broker, every file."""
    tables = [row["tablename"] for row in desk.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    rows = {name: sorted(row["t"] for row in desk.rows(f'SELECT t::text AS t FROM "{name}" t')) for name in tables}
    with redis.Redis.from_url(desk.config.broker_url) as broker:
        rows["broker"] = sorted(str((key, broker.type(key))) for key in broker.keys("leadhub*"))
    rows["files"] = sorted(str(path) for path in desk.config.home.rglob("*"))
    return rows


def test_one_inquiry_that_becomes_two_makes_the_missing_lead_once(desk: Desk) -> None:
    uid = desk.post(desk.form_source, "form", orjson.dumps(TWO), JSON)
    desk.drain("form")
    assert desk.one("SELECT count(*) FROM lead") == 1
    put(desk, "split: $.people\nfields:\n  name: {from: [$.who]}\n")
    for _ in range(2):
        again(desk)
    assert desk.one("SELECT count(*) FROM touch") == 2
    assert desk.one("SELECT count(*) FROM lead") == 2
    assert desk.event(uid)["outcome"] == "created"
    assert balanced(desk)


def test_two_inquiries_that_become_one_stay_accounted_for_and_the_search_ends(desk: Desk) -> None:
    put(desk, "split: $.people\nfields:\n  name: {from: [$.who]}\n")
    uid = desk.post(desk.form_source, "form", orjson.dumps(TWO), JSON)
    desk.drain("form")
    assert desk.one("SELECT count(*) FROM lead") == 2
    put(desk, "fields:\n  company: {from: [$.shop]}\n")
    assert found(desk) == [uid]
    again(desk)
    assert found(desk) == []
    assert (desk.event(uid)["outcome"], desk.event(uid)["state"]) == ("created", "done")
    assert desk.one("SELECT count(*) FROM lead") == 2, "what a seller works on does not vanish"
    assert balanced(desk)


def test_event_keeps_its_lead_when_a_new_mapping_would_have_skipped_it(desk: Desk) -> None:
    uid = desk.form(name="Anna", phone="+7 900 123-45-01", kind="search")
    desk.drain("form")
    lead = desk.one("SELECT id FROM lead")
    put(desk, "skip_if:\n  - {path: $.kind, eq: search, code: a_search}\n")
    again(desk)
    event = desk.event(uid)
    assert (event["outcome"], event["lead_id"], event["reason"]["code"]) == ("created", lead, "a_search")
    assert balanced(desk)
    assert found(desk) == []


def test_only_events_that_a_replay_can_help_are_affected(desk: Desk) -> None:
    desk.form(name="Anna", phone="+7 900 123-45-01")
    desk.drain("form")
    erase(desk.engine, desk.config, ADMIN, desk.one("SELECT root_id FROM contact"), "letter", datetime.now(UTC))
    configure(desk, consent_unknown="hold")
    held = desk.form(name="Boris", phone="+7 900 123-45-02")
    forged = insert_events(desk.door, [
        RawEvent(desk.form_source, "form", b"name=Vera&phone=79001234503", headers=FORM, unclaimed=True)
    ])[0].uid  # fmt: skip
    desk.drain("form")
    assert {desk.event(uid)["error"]["code"] for uid in (held, forged)} == {"consent_unknown", "unclaimed"}
    assert found(desk) == []


def test_people_who_were_taken_for_the_shop_are_not_tied_to_it_for_ever(desk: Desk) -> None:
    """The mapping took the shop's phone for the client's: all inquiries are one contact. The fix must not make it official."""
    put(desk, 'fields:\n  phone: {from: ["$.shop_no"]}\nextra:\n  drop: [client_no]\n')
    for n in range(3):
        desk.form(shop_no="+7 495 111-22-33", client_no=f"+7 900 123-45-0{n}")
    desk.drain("form")
    assert desk.one("SELECT count(*) FROM contact") == 1
    put(desk, 'fields:\n  phone: {from: ["$.client_no"]}\nextra:\n  drop: [shop_no]\n')
    again(desk)
    shop = desk.one("SELECT id FROM contact ORDER BY id LIMIT 1")
    assert [row["value"] for row in desk.rows(
        "SELECT i.value FROM contact_identifier ci JOIN identifier i ON i.id = ci.identifier_id WHERE ci.contact_id = %s", shop
    )] == ["+74951112233"]  # fmt: skip
    desk.form(client_no="+7 900 123-45-02", other="later")
    desk.drain("form")
    assert desk.one("SELECT contact_id FROM touch ORDER BY id DESC LIMIT 1") != shop


def test_phone_that_a_mapping_missed_is_added_to_the_person(desk: Desk) -> None:
    uid = desk.form(name="Anna", zakaz="+7 900 123-45-01 after six")
    desk.drain("form")
    put(desk, 'fields:\n  phone: {from: ["$.zakaz"]}\n')
    again(desk, uids=(uid,))
    assert desk.one("SELECT count(*) FROM contact") == 1
    assert desk.one("SELECT value FROM identifier") == "+79001234501"


def test_erased_submission_is_known_again_when_it_was_read_anew_before(desk: Desk) -> None:
    fields = {"zakaz_kto": "Anna", "zakaz_kod": "+7 900 123-45-01, after six please"}
    desk.form(**fields)
    desk.drain("form")
    put(desk, 'fields:\n  name: {from: ["$.zakaz_kto"]}\n  phone: {from: ["$.zakaz_kod"]}\n')
    again(desk)
    erase(desk.engine, desk.config, ADMIN, desk.one("SELECT root_id FROM contact"), "letter", datetime.now(UTC))
    uid = desk.form(**fields)
    desk.drain("form")
    assert desk.event(uid)["reason"]["code"] == "erased_submission_sent_again"


def test_dry_runs_leave_no_trace_in_tables_broker_or_on_the_disk(desk: Desk) -> None:
    configure(desk, burst_per_minute=2)
    body = (
        b'--e\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n\x89PNG\r\n\x1a\n\r\n--e\r\n'
        b'Content-Disposition: form-data; name="agree"\r\n\r\non\r\n--e--\r\n'
    )
    parsed_items = [
        RawEvent(
            desk.form_source, "form", urlencode({"name": f"Anna {n}", "phone": f"+7900123450{n}", "agree": "on"}).encode(),
            headers=FORM, remote_ip="198.51.100.7",
        )
        for n in range(6)
    ]  # fmt: skip
    parsed_items.append(RawEvent(
        desk.form_source, "form", body, headers=FORM | {"content-type": "multipart/form-data; boundary=e"},
        remote_ip="198.51.100.8",
    ))  # fmt: skip
    insert_events(desk.door, parsed_items)
    desk.rows("UPDATE inbound_event SET state = 'needs_attention' RETURNING id")
    before = everything(desk)
    report = replay(desk.engine, HUB, desk.config, Selection(state="needs_attention"), dry_run=True)
    assert report.after == {"created": 7}
    dry_run(desk.engine, OPERATOR, desk.config, desk.form_source, "fields:\n  company: {from: [$.name]}\n")
    bench(desk.engine, OPERATOR, desk.config, desk.form_source)
    found(desk)
    after = everything(desk)
    looks = set(after.pop("audit_entry")) - set(before.pop("audit_entry"))
    assert len(looks) == 2, "who looked at what people wrote is the one trace that a look leaves"
    assert after == before


def test_large_events_are_looked_at_a_few_at_a_time(desk: Desk) -> None:
    big = b"name=Anna&phone=79001234501&message=" + b"x" * (8 * 1024 * 1024)
    for _ in range(4):
        insert_events(desk.door, [RawEvent(desk.form_source, "form", big, headers=FORM)] * 5)
    desk.rows("UPDATE inbound_event SET state = 'needs_attention' RETURNING id")
    tracemalloc.start()
    try:
        assert len(found(desk)) == 20
        assert tracemalloc.get_traced_memory()[1] < 140 * 1024 * 1024
    finally:
        tracemalloc.stop()
