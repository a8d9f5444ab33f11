"""A source's own mapping: drafts, publishing, going back, one published at a time, known to the workers within seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from desk import Desk
from principals import OPERATOR, user
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import Invalid, NotFound
from ingest.mapping.versions import diff, get_version, in_state, list_versions, publish, roll_back, save_draft
from ingest.processing import process
from ingest.processing.process import Processor
from ingest.sources.sources import add_source

PHONE = 'fields:\n  phone: {from: ["$.q7"]}\n'
NAME = 'fields:\n  name: {from: ["$.q8"]}\n'


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def _states(desk: Desk) -> dict[int, str]:
    with desk.engine.begin() as connection:
        return {one.version: one.state for one in list_versions(connection, desk.form_source)}


def _publish(desk: Desk, text: str) -> int:
    with desk.engine.begin() as connection:
        version = save_draft(connection, user(1), desk.form_source, text)
        publish(connection, user(1), desk.form_source, version)
    return version


def test_draft_is_written_anew_until_it_is_published(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        assert save_draft(connection, user(1), desk.form_source, PHONE, "first try") == 1
        assert save_draft(connection, user(2), desk.form_source, NAME, "second try") == 1
        draft = in_state(connection, desk.form_source, "draft")
        assert draft is not None
        assert (draft.text, draft.note, draft.author, draft.rules) == (
            NAME,
            "second try",
            "user:2",
            {"fields": {"name": {"from": ["$.q8"]}}},
        )
        publish(connection, user(2), desk.form_source, 1)
        publish(connection, user(2), desk.form_source, 1)  # a second click
        assert in_state(connection, desk.form_source, "draft") is None
        assert save_draft(connection, user(1), desk.form_source, PHONE) == 2
    assert _states(desk) == {2: "draft", 1: "published"}
    deeds = desk.rows("SELECT actor, action FROM audit_entry WHERE action LIKE 'mapping%%' ORDER BY id")
    assert [(row["actor"], row["action"]) for row in deeds] == [
        ("user:1", "mapping.draft"), ("user:2", "mapping.draft"), ("user:2", "mapping.publish"), ("user:1", "mapping.draft"),
    ]  # fmt: skip


def test_publishing_retires_the_one_before_and_going_back_publishes_its_text_anew(desk: Desk) -> None:
    first, second = _publish(desk, PHONE), _publish(desk, NAME)
    assert _states(desk) == {second: "published", first: "retired"}
    with desk.engine.begin() as connection:
        with pytest.raises(Invalid) as caught:
            publish(connection, user(1), desk.form_source, first)
        assert caught.value.code == "mapping_retired"
        third = roll_back(connection, user(1), desk.form_source, first)
        assert third == 3
        found = get_version(connection, desk.form_source, 3)
        assert (found.text, found.state, found.note) == (PHONE, "published", "= 1")
        assert roll_back(connection, user(1), desk.form_source, 3) == 3  # it is there already
        assert roll_back(connection, user(1), desk.form_source, None) is None
        assert roll_back(connection, user(1), desk.form_source, None) is None
    assert _states(desk) == {3: "retired", 2: "retired", 1: "retired"}


def test_what_is_wrong_is_refused_with_its_line_and_changes_nothing(desk: Desk) -> None:
    laughs = "a: &a [x, x]\nb: &b [*a, *a]\nfields: {}\n"
    bomb = 'fields:\n  name:\n    from: ["$.a"]\n    regex: "(?<=a)b"\n'
    for text, line in ((laughs, 1), (bomb, 4), ("fields:\n  phone: [\n", 3), ('fields:\n  fone: {from: ["$.a"]}\n', 2)):
        with desk.engine.begin() as connection, pytest.raises(Invalid) as caught:
            save_draft(connection, user(1), desk.form_source, text)
        assert caught.value.code == "mapping_wrong"
        assert caught.value.data["line"] == line, text
    for text in ("x" * 70_000, "title: \x00", "reply: {body: hacked}", "event_id: [$.a]"):
        with desk.engine.begin() as connection, pytest.raises(Invalid):
            save_draft(connection, user(1), desk.form_source, text)
    assert _states(desk) == {}


def test_only_a_form_that_takes_one_has_a_mapping(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        with pytest.raises(Invalid) as caught:
            save_draft(connection, user(1), desk.call_source, PHONE)
        assert caught.value.code == "mapping_not_taken"
        with pytest.raises(NotFound):
            save_draft(connection, user(1), 999_999, PHONE)
        with pytest.raises(NotFound):
            publish(connection, user(1), desk.form_source, 5)
        with pytest.raises(NotFound):
            list_versions(connection, 999_999)


def test_worker_reads_by_the_published_one_when_its_settings_are_fresh(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    processor = Processor(desk.config)
    try:
        assert processor.source(desk.form_source).mapping is None
        version = _publish(desk, PHONE)
        assert processor.source(desk.form_source).mapping is None  # kept for some seconds
        monkeypatch.setattr(process, "_SETTINGS_FRESH_SECONDS", 0.0)
        fresh = processor.source(desk.form_source)
        assert (fresh.mapping, fresh.mapping_version) == ({"fields": {"phone": {"from": ["$.q7"]}}}, version)
    finally:
        processor.close()
    uid = desk.form(q7="+7 912 345-67-05 after six", q8="Anna")
    desk.drain("form")
    event = desk.event(uid)
    assert event["reason"]["mapping"] == version
    assert desk.one("SELECT value FROM identifier WHERE kind = 'phone'") == "+79123456705"


def test_one_of_two_who_publish_at_once_is_retired(desk: Desk) -> None:
    _publish(desk, PHONE)
    with desk.engine.begin() as connection:
        save_draft(connection, user(1), desk.form_source, NAME)
    begun, done = threading.Event(), []

    def other() -> None:
        with desk.engine.begin() as connection:
            begun.set()
            done.append(roll_back(connection, user(2), desk.form_source, 1))

    with desk.engine.begin() as connection:
        publish(connection, user(1), desk.form_source, 2)
        thread = threading.Thread(target=other)
        thread.start()
        assert begun.wait(60)
        # Meanwhile the door goes on: its rows refer to the source.
        assert desk.form(name="Anna")
    thread.join(60)
    assert done == [3]
    assert _states(desk) == {3: "published", 2: "retired", 1: "retired"}


def test_published_text_stays_when_the_draft_fails_to_lock(desk: Desk) -> None:
    first = _publish(desk, PHONE)
    with desk.engine.begin() as connection:
        publish(connection, user(1), desk.form_source, first)
        with desk.engine.connect() as second, second.begin():
            second.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
            with pytest.raises(OperationalError):
                save_draft(second, user(2), desk.form_source, NAME)
    assert _states(desk) == {first: "published"}


def test_fields_that_are_mapped_are_no_longer_news(desk: Desk) -> None:
    desk.rows(
        "INSERT INTO source_field (source_id, form_id, field, event_id) VALUES (%s, 'order', 'q7', 1), (%s, 'order', 'x', 1) RETURNING field",
        desk.form_source, desk.form_source,
    )  # fmt: skip
    desk.rows(
        "INSERT INTO source_alert (source_id, code, subject) VALUES (%s, 'new_field', 'order · q7') RETURNING id",
        desk.form_source,
    )
    _publish(desk, PHONE)
    assert [row["field"] for row in desk.rows("SELECT field FROM source_field")] == ["x"]
    assert desk.one("SELECT resolved_at IS NOT NULL FROM source_alert") is True


def test_difference_of_two_texts_is_told_by_line() -> None:
    assert diff(PHONE, PHONE) == []
    assert diff(PHONE, NAME)[-2:] == ['-  phone: {from: ["$.q7"]}', '+  name: {from: ["$.q8"]}']


def test_source_with_a_mapping_of_another_connector_takes_it_too(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        tilda = add_source(connection, HUB, desk.config, "tilda", "Landing", {}).id
        assert save_draft(connection, OPERATOR, tilda, PHONE) == 1


@pytest.mark.parametrize(
    "rules", ['{"fields": {"phone": {"from": ["@nonsense:1"]}}}', '{"unwrap": [{"unknown": 1}]}', '{"fields": []}']
)
def test_rules_that_cannot_be_followed_cost_no_inquiry(desk: Desk, rules: str) -> None:
    """As an update that no longer knows a verb would find them."""
    desk.rows(
        "INSERT INTO source_mapping (source_id, version, state, text, rules) VALUES (%s, 1, 'published', '', %s::jsonb) RETURNING id",
        desk.form_source, rules,
    )  # fmt: skip
    uid = desk.form(name="Anna", phone="+7 912 345-67-05", promo="SPRING")
    desk.drain("form")
    assert desk.event(uid)["outcome"] == "created"
    touch = desk.one("SELECT data FROM touch WHERE kind = 'form'")
    assert touch["warnings"] == ["mapping_failed"]
    assert touch["fields"] == {"promo": "SPRING"}
