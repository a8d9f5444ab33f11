"""The bench on real events: what arrived, what was understood, a dry run that leaves nothing behind, the missed leads once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from desk import Desk
from principals import OPERATOR, user
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.errors import Invalid, NotFound
from ingest.mapping.preview import Bench, bench, dry_run
from ingest.mapping.versions import publish, roll_back, save_draft
from ingest.processing.affected import affected
from ingest.processing.replay import Selection, replay

#: What no name says and no value can be taken for.
ODD = {"zakaz_kod": "+7 912 345-67-05, after six please", "zakaz_kto": "Anna Sidorova", "zakaz_chto": "A balcony, glazed"}
FIX = 'fields:\n  name: {from: ["$.zakaz_kto"]}\n  phone: {from: ["$.zakaz_kod"]}\n  message: {from: ["$.zakaz_chto"]}\n'


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def _publish(desk: Desk, text: str) -> None:
    with desk.engine.begin() as connection:
        publish(connection, user(1), desk.form_source, save_draft(connection, user(1), desk.form_source, text))


def _bench(desk: Desk, **more: Any) -> Bench:
    return bench(desk.engine, OPERATOR, desk.config, desk.form_source, **more)


def _send_affected(desk: Desk) -> int:
    """What the button does: the affected events, as they are at this moment."""
    uids = affected(desk.engine, desk.config, desk.form_source)
    if not uids:
        return 0
    return replay(desk.engine, user(1), desk.config, Selection(uids=tuple(uids)), False).replayed


def _counts(desk: Desk) -> tuple[int, int, int, int]:
    return tuple(desk.one(f"SELECT count(*) FROM {table}") for table in ("lead", "touch", "contact", "assignment"))  # type: ignore[return-value]


def test_bench_shows_what_arrived_and_what_it_was_taken_for(desk: Desk) -> None:
    desk.form(**ODD, email="anna@example.com", utm_source="mail", promo="SPRING")
    desk.drain("form")
    [item] = _bench(desk).items
    shown = {one.path: (one.role, one.how, one.value) for one in item.arrived}
    assert shown["email"] == ("email", "name", "anna@example.com")
    assert shown["utm_source"] == ("mark", "name", "mail")
    assert shown["promo"] == ("", "kept", "SPRING")
    assert shown["zakaz_kod"][:2] == ("", "kept")
    [inquiry] = item.understood.inquiries
    assert (inquiry.emails, inquiry.phones, inquiry.name) == (("anna@example.com",), (), "")
    assert (item.draft, item.differs, item.outcome) == (None, (), "created")
    assert {one.source for one in item.arrived} >= {"$.zakaz_kod", "$.promo"}


def test_bench_compares_with_the_draft_or_with_a_text(desk: Desk) -> None:
    desk.form(**ODD)
    desk.drain("form")
    [item] = _bench(desk, text=FIX).items
    assert item.differs == ["name", "phones", "message", "fields"]
    [inquiry] = item.draft.inquiries
    assert (inquiry.name, inquiry.message, inquiry.fields) == ("Anna Sidorova", "A balcony, glazed", {})
    assert {one.path: one.how for one in item.draft_arrived} == dict.fromkeys(ODD, "mapped")
    with desk.engine.begin() as connection:
        save_draft(connection, user(1), desk.form_source, FIX)
    saved = _bench(desk)
    assert (saved.draft, saved.published, saved.items[0].differs) == (1, None, item.differs)
    _publish(desk, FIX)
    [item] = _bench(desk).items
    assert {one.path: (one.role, one.how) for one in item.arrived} == {
        "zakaz_kto": ("name", "mapped"), "zakaz_kod": ("phone", "mapped"), "zakaz_chto": ("message", "mapped"),
    }  # fmt: skip


def test_bench_names_values_found_by_their_look_and_nested_fields(desk: Desk) -> None:
    body = {
        "order": {"who_it_is": "x"},
        "poster": "anna@example.com",
        "list": [{"label": "Какой этаж?", "value": "3"}],
        "name": "Anna",
    }
    desk.post(desk.form_source, "form", orjson.dumps(body), {"content-type": "application/json"})
    desk.drain("form")
    shown = {one.path: one for one in _bench(desk).items[0].arrived}
    assert (shown["poster"].role, shown["poster"].how) == ("email", "value")
    assert shown["order.who_it_is"].source == "$.order.who_it_is"
    floor = next(one for one in shown.values() if one.value == "3")
    assert (floor.label, floor.source) == ("Какой этаж?", "@name:Какой этаж?")


def test_bench_shows_a_file_that_is_only_described(desk: Desk) -> None:
    body = b'{"name": "Anna", "cv": {"url": "https://files.example.com/a.pdf", "filename": "a.pdf"}}'
    desk.post(desk.form_source, "form", body, {"content-type": "application/json"})
    desk.drain()
    [item] = _bench(desk).items
    assert "a.pdf" in [field.value for field in item.arrived]


def test_bench_shows_events_that_cannot_be_read_with_their_problem(desk: Desk) -> None:
    desk.post(desk.form_source, "form", b"\x00\x01\xff\xfe" * 20, {"content-type": "application/octet-stream"})
    desk.drain("form")
    [item] = _bench(desk, text=FIX).items
    assert item.arrived == []
    assert item.understood.problem.code == "not_text"
    assert item.state == "needs_attention"


def test_bench_takes_the_newest_events_of_this_source_only(desk: Desk) -> None:
    desk.call("call_started", "c1", "+79123456705")
    for n in range(5):
        desk.form(name=f"Client {n}")
    desk.drain()
    items = _bench(desk, limit=3).items
    assert [one.understood.inquiries[0].name for one in items] == ["Client 4", "Client 3", "Client 2"]
    with pytest.raises(NotFound):
        bench(desk.engine, OPERATOR, desk.config, 999_999)


def test_dry_run_tells_each_difference_and_leaves_nothing_behind(desk: Desk) -> None:
    desk.form(**ODD)
    desk.form(name="Boris", phone="+7 912 345-67-06")
    desk.drain("form")
    before = _counts(desk), desk.rows("SELECT id, state, outcome, reason, replayed FROM inbound_event ORDER BY id")
    report = dry_run(desk.engine, OPERATOR, desk.config, desk.form_source, FIX)
    assert (_counts(desk), desk.rows("SELECT id, state, outcome, reason, replayed FROM inbound_event ORDER BY id")) == before
    assert (report.events, report.changed, report.before, report.after) == (2, 1, {"created": 2}, {"created": 2})
    [item] = report.items
    assert item.before.inquiries[0].phones == ()
    assert item.after.inquiries[0].name == "Anna Sidorova"
    assert (item.creates_lead, report.leads) == (False, 0)
    assert desk.one("SELECT count(*) FROM source_mapping") == 0
    with pytest.raises(Invalid):
        dry_run(desk.engine, OPERATOR, desk.config, desk.form_source, "fields: [")


def test_dry_run_names_the_leads_that_would_come_and_the_mistakes(desk: Desk) -> None:
    _publish(desk, 'skip_if:\n  - {path: "$.zakaz_kto", exists: true, code: noise}\n')
    for n in range(3):
        desk.form(**{**ODD, "zakaz_kod": f"+7 912 345-60-1{n} after six"})
    desk.drain("form")
    assert _counts(desk)[0] == 0
    report = dry_run(desk.engine, OPERATOR, desk.config, desk.form_source, FIX)
    assert (report.leads, report.before, report.after) == (3, {"ignored": 3}, {"created": 3})
    worse = dry_run(
        desk.engine, OPERATOR, desk.config, desk.form_source, ""
    )  # the connector's own rules: leads, but without a phone
    assert worse.leads == 3
    assert _counts(desk)[0] == 0


def test_waiting_events_are_read_and_not_rehearsed(desk: Desk) -> None:
    desk.form(**ODD)
    report = dry_run(desk.engine, OPERATOR, desk.config, desk.form_source, FIX)
    assert (report.before, report.after, report.leads, report.changed) == ({"waiting": 1}, {"waiting": 1}, 0, 1)


def test_missed_leads_come_once_however_often_it_is_clicked(desk: Desk) -> None:
    _publish(desk, 'skip_if:\n  - {path: "$.zakaz_kto", exists: true, code: noise}\n')
    for n in range(3):
        desk.form(**{**ODD, "zakaz_kod": f"+7 912 345-60-1{n} after six"})
    desk.drain("form")
    assert desk.one("SELECT count(*) FROM inbound_event WHERE outcome = 'ignored'") == 3
    assert affected(desk.engine, desk.config, desk.form_source) == []
    _publish(desk, FIX)
    assert len(affected(desk.engine, desk.config, desk.form_source)) == 3
    assert _send_affected(desk) == 3
    assert _send_affected(desk) == 0  # they are on their way
    desk.drain("form")
    assert _send_affected(desk) == 0  # and now they are what the mapping makes of them
    desk.drain("form")
    assert _counts(desk) == (3, 3, 3, 3)
    assert desk.one("SELECT count(DISTINCT value) FROM identifier WHERE kind = 'phone'") == 3


def test_missing_phone_comes_to_the_same_lead(desk: Desk) -> None:
    desk.form(**ODD)
    desk.drain("form")
    counts = _counts(desk)
    assert desk.one("SELECT count(*) FROM identifier") == 0
    _publish(desk, FIX)
    assert _send_affected(desk) == 1
    desk.drain("form")
    assert _send_affected(desk) == 0
    assert _counts(desk) == counts
    assert desk.one("SELECT value FROM identifier WHERE kind = 'phone'") == "+79123456705"
    assert desk.one("SELECT message FROM lead") == "A balcony, glazed"
    assert desk.one("SELECT fields FROM lead") == {}


def test_unreadable_and_dismissed_events_are_not_affected(desk: Desk) -> None:
    desk.post(desk.form_source, "form", b"\x00\x01\xff\xfe" * 20, {"content-type": "application/octet-stream"})
    desk.form(**ODD)
    desk.drain("form")
    desk.rows("UPDATE inbound_event SET outcome = 'dismissed' WHERE outcome = 'created' RETURNING id")
    _publish(desk, FIX)
    assert affected(desk.engine, desk.config, desk.form_source) == []


def test_going_back_and_sending_again_gives_what_it_was(desk: Desk) -> None:
    desk.form(**ODD)
    desk.drain("form")
    fields = desk.one("SELECT fields FROM lead")
    _publish(desk, FIX)
    _send_affected(desk)
    desk.drain("form")
    with desk.engine.begin() as connection:
        roll_back(connection, user(1), desk.form_source, None)
    assert _send_affected(desk) == 1
    desk.drain("form")
    assert desk.one("SELECT fields FROM lead") == fields
    assert desk.one("SELECT count(*) FROM lead") == 1


def test_nothing_of_it_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    desk.form(**ODD)
    desk.drain("form")
    _bench(desk, text=FIX)
    dry_run(desk.engine, OPERATOR, desk.config, desk.form_source, FIX)
    _publish(desk, FIX)
    _send_affected(desk)
    assert "912" not in caplog.text
    assert "Sidorova" not in caplog.text


def test_bench_of_an_exchange_says_nothing_of_forms(desk: Desk) -> None:
    desk.call("call_started", "c1", "+79123456705")
    desk.drain()
    [item] = bench(desk.engine, OPERATOR, desk.config, desk.call_source).items
    assert item.understood.inquiries == []
    assert dry_run(desk.engine, OPERATOR, desk.config, desk.call_source, "").changed == 0


def test_preset_behind_a_generic_address_is_the_beginning_of_its_mapping(desk: Desk) -> None:
    body = {"tranid": "1:1", "formid": "form7", "Name": "Anna", "zakaz_kod": "+7 912 345-67-05, after six", "COOKIES": "a=1"}
    desk.post(desk.form_source, "form", urlencode(body).encode(), {"content-type": "application/x-www-form-urlencoded"})
    desk.drain("form")
    [item] = _bench(desk).items
    by_path = {one.path: one for one in item.arrived}
    assert "COOKIES" not in by_path  # the preset's own unwrapping opened it
    assert by_path["zakaz_kod"].how == "kept"
