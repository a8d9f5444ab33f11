"""People and the quarantine: what they see, that a release delivers once, and that a verdict stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from desk import Desk
from principals import user
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, Invalid, NotFound
from ingest.journal.accept import RawEvent, insert_events
from ingest.journal.ledger import ledger
from ingest.processing.replay import Selection, replay
from ingest.quarantine.alerts import open_alerts
from ingest.quarantine.quarantine import (
    Pick,
    QuarantineItem,
    accept_consent,
    confirm,
    count_quarantine,
    list_quarantine,
    of_alert,
    release,
)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def spam(desk: Desk, n: int = 1, **more: str) -> str:
    uid = desk.form(name=f"Anna {n}", phone=f"+7912345670{n}", message="hello", _gotcha="filled", **more)
    desk.drain("form")
    return uid


def shown(desk: Desk, **wanted: Any) -> Sequence[QuarantineItem]:
    with desk.engine.begin() as connection:
        return list_quarantine(connection, desk.config, datetime.now(UTC), **wanted).items


def counts(desk: Desk) -> dict[str, int]:
    with desk.engine.begin() as connection:
        return count_quarantine(connection, datetime.now(UTC))


def let_go(desk: Desk, *uids: str) -> int:
    """How many were released; 0 for the refusal that none is left."""
    try:
        with desk.engine.begin() as connection:
            return release(connection, user(7), Pick(uids), datetime.now(UTC))
    except Conflict:
        return 0


def test_list_when_something_was_set_aside(desk: Desk) -> None:
    uid = spam(desk)
    (item,) = shown(desk)
    assert item.uid == uid
    assert (item.score, item.shelf, item.judged) == (4, "review", None)
    assert item.reasons == [{"code": "honeypot", "points": 4, "detail": "_gotcha"}]
    assert item.preview is not None
    assert (item.preview.name, item.preview.phones, item.preview.message) == (
        "Anna 1",
        ("+79123456701",),
        "hello",
    )
    assert counts(desk) == {"review": 1, "buried": 0, "confirmed": 0}
    assert shown(desk, shelf="buried") == []
    assert shown(desk, source_id=desk.call_source) == []


def test_list_when_it_is_long_is_paged(desk: Desk) -> None:
    uids = [spam(desk, n) for n in range(1, 4)]
    with desk.engine.begin() as connection:
        now = datetime.now(UTC)
        first = list_quarantine(connection, desk.config, now, limit=2)
        second = list_quarantine(connection, desk.config, now, limit=2, after=first.next)
    assert [item.uid for item in (*first.items, *second.items)] == uids[::-1]
    assert second.next is None


def test_list_when_the_score_is_high_buries_it(desk: Desk) -> None:
    spam(desk, note="See https://b.example.top for casino bonus, free spins, viagra and cialis")
    (item,) = shown(desk, shelf="buried")
    assert item.score >= 8
    assert counts(desk) == {"review": 0, "buried": 1, "confirmed": 0}


def test_list_when_the_shelf_is_unknown(desk: Desk) -> None:
    with pytest.raises(Invalid):
        shown(desk, shelf="attic")


def test_release_when_pressed_twice_delivers_once(desk: Desk) -> None:
    uid = spam(desk)
    assert let_go(desk, uid) == 1
    assert let_go(desk, uid) == 0
    desk.drain("form")
    assert let_go(desk, uid) == 0
    desk.drain("form")
    event = desk.event(uid)
    assert (event["state"], event["outcome"]) == ("done", "created")
    assert event["verdict"]["spam"] == "ham"
    assert event["verdict"]["by"] == "user:7"
    (lead,) = desk.rows("SELECT id, spam, owner_id FROM lead")
    assert (event["lead_id"], lead["spam"]["score"]) == (lead["id"], 4)
    assert [reason["code"] for reason in lead["spam"]["reasons"]] == ["honeypot", "released"]
    assert lead["owner_id"] is not None
    assert desk.one("SELECT count(*) FROM touch WHERE kind = 'form'") == 1
    assert desk.one("SELECT count(*) FROM audit_entry WHERE action = 'quarantine.release'") == 1
    assert shown(desk, shelf=None) == []


def test_release_when_two_tabs_and_eight_workers_press_at_once(desk: Desk) -> None:
    uid = spam(desk)
    with ThreadPoolExecutor(8) as pool:
        released = list(pool.map(lambda _: let_go(desk, uid), range(8)))
        list(pool.map(lambda _: desk.drain("form"), range(3)))
    assert sum(released) == 1
    assert desk.one("SELECT count(*) FROM lead") == 1
    assert desk.one("SELECT count(*) FROM contact") == 1


def test_release_when_replayed_later_stays_released(desk: Desk) -> None:
    uid = spam(desk)
    let_go(desk, uid)
    desk.drain("form")
    replay(desk.engine, HUB, desk.config, Selection(uids=(uid,)), dry_run=False)
    desk.drain("form")
    assert desk.event(uid)["outcome"] == "created"
    assert desk.one("SELECT count(*) FROM lead") == 1


def test_confirm_when_pressed_keeps_it_aside_for_ever(desk: Desk) -> None:
    uid = spam(desk)
    with desk.engine.begin() as connection:
        assert confirm(connection, user(7), Pick((uid,)), datetime.now(UTC)) == 1
        with pytest.raises(Conflict, match="still to be judged"):
            confirm(connection, user(8), Pick((uid,)), datetime.now(UTC))
    (item,) = shown(desk, shelf="confirmed")
    assert item.judged is not None
    assert item.judged.by == "user:7"
    assert counts(desk) == {"review": 0, "buried": 0, "confirmed": 1}
    desk.connection.execute("UPDATE source SET config = %s WHERE id = %s", ('{"spam": "off"}', desk.form_source))
    replay(desk.engine, HUB, desk.config, Selection(uids=(uid,)), dry_run=False)
    desk.drain("form")
    event = desk.event(uid)
    assert (event["outcome"], event["reason"]["code"], event["reason"]["score"]) == ("spam", "marked_as_spam", 4)
    assert desk.rows("SELECT 1 FROM lead") == []


def test_confirm_when_it_was_wrong_can_be_released(desk: Desk) -> None:
    uid = spam(desk)
    with desk.engine.begin() as connection:
        confirm(connection, user(7), Pick((uid,)), datetime.now(UTC))
    assert let_go(desk, uid) == 1
    desk.drain("form")
    assert desk.event(uid)["outcome"] == "created"


def test_release_when_nothing_is_named(desk: Desk) -> None:
    with pytest.raises(Invalid), desk.engine.begin() as connection:
        release(connection, user(7), Pick(), datetime.now(UTC))


def test_release_when_the_event_is_no_spam_touches_nothing(desk: Desk) -> None:
    uid = desk.form(name="Anna", phone="+79123456701")
    desk.drain("form")
    assert let_go(desk, uid, "0" * 32) == 0
    assert desk.event(uid)["verdict"] is None


def test_burst_when_released_by_its_alert_delivers_all_of_it(desk: Desk) -> None:
    desk.connection.execute("UPDATE source SET config = %s WHERE id = %s", ('{"burst_per_minute": 5}', desk.form_source))
    headers = {
        "user-agent": "Mozilla/5.0",
        "origin": "https://site.example.com",
        "content-type": "application/x-www-form-urlencoded",
    }
    insert_events(desk.door, [
        RawEvent(desk.form_source, "form", b"name=N%d&phone=%%2B791234567%02d" % (n, n), headers=headers, remote_ip=f"198.51.100.{n}")
        for n in range(1, 21)
    ])  # fmt: skip
    other = spam(desk, 9)
    desk.drain("form")
    with desk.engine.begin() as connection:
        (alert,) = open_alerts(connection)
        assert alert.data["set_aside"] == 15
        assert release(connection, user(7), of_alert(connection, alert.id), datetime.now(UTC)) == 15
        assert open_alerts(connection)[0].data["set_aside"] == 0
        with pytest.raises(NotFound):
            of_alert(connection, 999)
    desk.drain("form")
    assert desk.one("SELECT count(*) FROM lead") == 20
    assert desk.event(other)["outcome"] == "spam"


def test_consent_when_a_person_accepts_it_makes_one_lead(desk: Desk) -> None:
    desk.connection.execute("UPDATE source SET config = %s WHERE id = %s", ('{"consent_unknown": "hold"}', desk.form_source))
    uid = desk.form(name="Anna", phone="+79123456701")
    desk.drain("form")
    assert desk.event(uid)["error"]["code"] == "consent_unknown"
    with desk.engine.begin() as connection:
        assert accept_consent(connection, user(7), [uid], datetime.now(UTC)) == 1
        with pytest.raises(Conflict, match="not held"):
            accept_consent(connection, user(7), [uid], datetime.now(UTC))
    desk.drain("form")
    event = desk.event(uid)
    assert (event["outcome"], event["verdict"]["consent_by"]) == ("created", "user:7")


def test_preview_when_the_raw_bytes_are_large_is_left_out(desk: Desk) -> None:
    spam(desk, message2="x" * 300_000)
    (item,) = shown(desk, shelf=None)
    assert item.preview is None


def test_ledger_when_events_are_set_aside_and_released_balances(desk: Desk) -> None:
    uids = [spam(desk, n) for n in range(1, 4)]
    let_go(desk, uids[0])
    desk.drain("form")
    with desk.engine.begin() as connection:
        today = datetime.now(desk.config.zone).date()
        (row,) = ledger(connection, desk.config.timezone, today, today, by=())
    assert (row.received, row.created, row.spam, row.balanced) == (3, 1, 2, True)
