"""The watch over forms on real rows: new fields, missing contacts, vanished fields, silence; read once, a little behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from desk import Desk
from principals import user
from psycopg.rows import dict_row
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.mapping.unmapped_fields import acknowledge, list_fields
from ingest.sources.changes import remove_source
from ingest.sources.states import source_states
from ingest.watch.watch import watch
from workers import tasks
from workers.celery_app import make_app


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def _look(desk: Desk, now: datetime | None = None) -> int:
    """As the task does it, late enough that nothing is too young."""
    with desk.connection.transaction(), desk.connection.cursor() as cursor:
        return watch(cursor, now or datetime.now(UTC) + timedelta(seconds=30), desk.config.zone)


def _send(desk: Desk, count: int, **fields: str) -> None:
    for n in range(count):
        desk.form(form_name="order", name="Anna", message=f"Number {n}", **{k: v.format(n=n) for k, v in fields.items()})
    desk.drain("form")


def _alerts(desk: Desk) -> list[tuple[str, str, bool]]:
    rows = desk.rows("SELECT code, subject, resolved_at IS NULL AS is_open FROM source_alert ORDER BY id")
    return [(row["code"], row["subject"], row["is_open"]) for row in rows]


def _watched(desk: Desk) -> dict[str, Any]:
    return desk.rows("SELECT * FROM source_watch WHERE source_id = %s", desk.form_source)[0]


def test_new_field_of_a_known_form_is_told_once(desk: Desk) -> None:
    _send(desk, 21, email="a{n}@example.com", colour="red")
    assert _look(desk) > 0
    assert _alerts(desk) == []
    _send(desk, 2, email="b{n}@example.com", colour="red", quiz_answer="yes")
    _look(desk)
    assert _alerts(desk) == [("new_field", "order · quiz_answer", True)]
    _send(desk, 1, email="c{n}@example.com", colour="red", quiz_answer="yes")
    _look(desk)
    with desk.engine.begin() as connection:
        fields = list_fields(connection, desk.form_source)
        assert {(one.form, one.field, one.seen) for one in fields} == {
            ("order", "colour", 24),
            ("order", "quiz_answer", 3),
        }
        assert acknowledge(connection, user(1), desk.form_source, "order", "quiz_answer") == 1
        assert acknowledge(connection, user(1), desk.form_source, "order", "quiz_answer") == 0
        assert [one.field for one in list_fields(connection, desk.form_source, fresh=True)] == ["colour"]
    assert _alerts(desk) == [("new_field", "order · quiz_answer", False)]
    assert desk.one("SELECT resolved_by FROM source_alert") == "user:1"


def test_unknown_form_learns_its_fields_without_a_word(desk: Desk) -> None:
    _send(desk, 5, colour="red", quiz_answer="yes")
    _look(desk)
    assert _alerts(desk) == []
    assert desk.one("SELECT count(*) FROM source_field") == 2


def test_names_of_fields_are_kept_and_never_their_values(desk: Desk) -> None:
    _send(desk, 21, secret_wish="nobody may read this")
    _look(desk)
    for table in ("source_field", "source_watch", "source_alert"):
        assert "nobody may read" not in str(desk.rows(f"SELECT * FROM {table}"))
    assert "Anna" not in str(_watched(desk))


def test_share_of_contacts_that_falls_is_told_and_ends_by_itself(desk: Desk) -> None:
    _send(desk, 45, phone="+7 912 345-60-{n:02d}")
    _look(desk)
    _send(desk, 15, q8_telefon2="see below")
    _look(desk)
    assert ("contacts_missing", "order", True) in _alerts(desk)
    data = desk.one("SELECT data FROM source_alert WHERE code = 'contacts_missing'")
    assert (data["usual_percent"], data["now_percent"] < 50) == (100, True)
    _send(desk, 20, phone="+7 912 345-61-{n:02d}")
    _look(desk)
    assert ("contacts_missing", "order", False) in _alerts(desk)


def test_field_that_vanishes_is_told_and_ends_when_it_is_back(desk: Desk) -> None:
    _send(desk, 45, email="a{n}@example.com", size="XL")
    _send(desk, 12, email="b{n}@example.com")
    _look(desk)
    assert _alerts(desk) == [("field_gone", "order · size", True)]
    _send(desk, 1, email="c{n}@example.com", size="S")
    _look(desk)
    assert _alerts(desk) == [("field_gone", "order · size", False)]


def test_each_inquiry_is_read_once_also_by_two_looks_at_once(desk: Desk) -> None:
    _send(desk, 3, colour="red")
    with psycopg.connect(desk.config.database_url, row_factory=dict_row) as other, other.cursor() as cursor:
        later = datetime.now(UTC) + timedelta(seconds=30)
        assert watch(cursor, later, desk.config.zone) > 0  # its transaction is still open
        assert _look(desk) == 0
    _look(desk)
    assert _look(desk) == 0
    assert desk.one("SELECT seen FROM source_field") == 3


def test_what_is_a_moment_old_is_left_for_the_next_look(desk: Desk) -> None:
    _send(desk, 3, colour="red")
    assert _look(desk, datetime.now(UTC)) == 0
    assert _watched(desk)["touch_id"] == 0
    assert _look(desk) > 0
    assert _watched(desk)["touch_id"] > 0


def test_replay_is_not_counted_again(desk: Desk) -> None:
    _send(desk, 3, colour="red")
    _look(desk)
    desk.rows("UPDATE inbound_event SET state = 'waiting', outcome = NULL, replayed = 1 RETURNING id")
    desk.drain("form")
    _look(desk)
    assert desk.one("SELECT seen FROM source_field") == 3


def test_robot_with_invented_names_fills_no_table(desk: Desk) -> None:
    for n in range(3):
        desk.form(form_name="order", **{f"f{n}_{k}": "x" for k in range(60)})
    desk.drain("form")
    _look(desk)
    assert desk.one("SELECT count(*) FROM source_field") == 100


def _old_traffic(desk: Desk, days: int, until: datetime) -> None:
    """Some inquiries a day through the journal and the intake, moved into the past."""
    for n in range(4 * days):
        desk.form(form_name="order", name=f"Client {n}", email=f"old{n}@example.com")
    desk.drain("form")
    for table, column in (("inbound_event", "received_at"), ("touch", "at")):
        desk.rows(
            f"UPDATE {table} t SET {column} = %s - make_interval(hours => (6 * (n - 1))::int) FROM"
            f" (SELECT id, row_number() OVER (ORDER BY id DESC) n FROM {table}"
            f" WHERE {'kind' if table == 'touch' else 'channel'} = 'form') k WHERE k.id = t.id RETURNING t.id",
            until,
        )


def test_silence_is_told_once_and_ended_by_the_next_arrival(desk: Desk) -> None:
    now = datetime.now(UTC)
    _old_traffic(desk, 14, now - timedelta(hours=1))
    _look(desk, now + timedelta(seconds=30))
    assert _alerts(desk) == []
    for minute in range(3 * 24 * 60 // 5):  # the hub is awake all the time
        _look(desk, now + timedelta(minutes=5 * minute))
    assert _alerts(desk) == [("silence", "", True)]
    row = desk.rows("SELECT data, count FROM source_alert")[0]
    assert row["count"] == 1
    assert 30 < row["data"]["hours"] < 60  # four a day: eight were expected
    _send(desk, 1, email="back@example.com")
    desk.rows(
        "UPDATE inbound_event SET received_at = %s WHERE id = (SELECT max(id) FROM inbound_event) RETURNING id",
        now + timedelta(days=3),
    )
    _look(desk, now + timedelta(days=3, seconds=30))
    assert _alerts(desk) == [("silence", "", False)]
    assert desk.one("SELECT resolved_by FROM source_alert") == "hub"


def test_exchange_that_falls_silent_is_told_as_a_form_is(desk: Desk) -> None:
    now = datetime.now(UTC)
    for n in range(56):  # four calls a day for two weeks
        desk.call("newCall", f"c{n}", f"7912345{n:04d}")
        desk.call("hangup", f"c{n}", f"7912345{n:04d}", cause="noAnswer")
    desk.drain("call")
    for table, column, kind in (("inbound_event", "received_at", "channel"), ("touch", "at", "kind")):
        each = 2 if table == "inbound_event" else 1  # events of one call
        desk.rows(
            f"UPDATE {table} t SET {column} = %s - make_interval(hours => (6 * ((n - 1) / {each}))::int) FROM"
            f" (SELECT id, row_number() OVER (ORDER BY id DESC) n FROM {table} WHERE {kind} = 'call') k WHERE k.id = t.id RETURNING t.id",
            now - timedelta(hours=1),
        )
    _look(desk, now + timedelta(seconds=30))
    assert _alerts(desk) == []
    for minute in range(0, 3 * 24 * 60, 9):
        _look(desk, now + timedelta(minutes=minute))
    assert _alerts(desk) == [("silence", "", True)]
    row = desk.rows("SELECT source_id, data FROM source_alert")[0]
    assert row["source_id"] == desk.call_source
    assert row["data"]["usual_seconds"] >= 3600
    with desk.engine.connect() as connection:
        states = {one.source_id: one for one in source_states(connection, desk.config, now + timedelta(days=3))}
    assert states[desk.call_source].code == "silent"
    assert states[desk.call_source].words.startswith("Silent for 3 d (usually ")


def test_silence_while_the_hub_itself_was_away_is_not_the_sites(desk: Desk) -> None:
    now = datetime.now(UTC)
    _old_traffic(desk, 14, now - timedelta(hours=1))
    _look(desk, now)
    _look(desk, now + timedelta(days=5))
    assert _alerts(desk) == []


def test_paused_source_is_never_silent(desk: Desk) -> None:
    now = datetime.now(UTC)
    _old_traffic(desk, 14, now - timedelta(hours=1))
    desk.rows("UPDATE source SET state = 'paused' RETURNING id")
    for minute in range(0, 3 * 24 * 60, 9):
        _look(desk, now + timedelta(minutes=minute))
    assert _alerts(desk) == []


def test_inquiry_that_waits_in_the_journal_is_a_sign_of_life(desk: Desk) -> None:
    now = datetime.now(UTC)
    _old_traffic(desk, 14, now - timedelta(hours=1))
    for minute in range(0, 62 * 60, 9):
        at = now + timedelta(minutes=minute)
        if minute == 30 * 60:
            desk.form(form_name="order", name="Waits")
            desk.rows("UPDATE inbound_event SET received_at = %s WHERE state = 'waiting' RETURNING id", at)
        _look(desk, at)
    assert _alerts(desk) == []
    for minute in range(62 * 60, 90 * 60, 9):  # and after it the silence is counted anew
        _look(desk, now + timedelta(minutes=minute))
    assert _alerts(desk) == [("silence", "", True)]


def test_source_that_was_only_watched_can_be_removed(desk: Desk) -> None:
    _look(desk)
    with desk.engine.begin() as connection:
        remove_source(connection, HUB, desk.form_source)
    assert desk.one("SELECT count(*) FROM source_watch WHERE source_id = %s", desk.form_source) == 0


def test_task_of_the_schedule_looks(desk: Desk) -> None:
    _send(desk, 3, colour="red")
    desk.rows("UPDATE inbound_event SET done_at = done_at - interval '1 minute' RETURNING id")
    app = make_app(desk.config)
    tasks.register(app, desk.config)
    app.tasks["watch"]()
    assert desk.one("SELECT seen FROM source_field") == 3
    app.tasks["watch"]()
    assert desk.one("SELECT seen FROM source_field") == 3
