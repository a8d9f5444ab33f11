"""Erasing reaches the events that belong to nobody: set aside, unreadable, rejected, tests, automatic mail."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from desk import Desk
from principals import OPERATOR, user
from sqlalchemy import Engine, text

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, Invalid, NotFound
from ingest.erasure import erase as erasure
from ingest.erasure import unlinked_events
from ingest.erasure.erase import Person, erase, erase_address, preview
from ingest.journal.ledger import LedgerRow, ledger
from ingest.processing.replay import Selection, replay
from ingest.quarantine.quarantine import Pick, release

ADMIN = Principal("user", 1, "Admin", "admin", None)
NOW = datetime.now(UTC)
PHONE, EMAIL = "+7 912 345-67-01", "ivan@example.com"
TRACES = ("9123456701", "912 345-67-01", "912) 345", "ivan@example", "ivan%40example", "Уникальн")


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def person(desk: Desk) -> int:
    desk.form(name="Иван Уникальный", phone=PHONE, email=EMAIL, message="hello")
    desk.drain()
    return int(desk.one("SELECT root_id FROM contact"))


def spam(desk: Desk, **fields: str) -> str:
    return desk.form(_gotcha="filled", **fields)


def everything(desk: Desk) -> str:
    with desk.engine.connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        rows = [str(row) for name in tables for row in connection.execute(text(f'SELECT t::text FROM "{name}" t'))]
        bodies = connection.scalars(text("SELECT encode(body, 'escape') FROM inbound_event")).all()
    return "\n".join(rows + list(bodies))


def counted(desk: Desk) -> list[LedgerRow]:
    with desk.engine.connect() as connection:
        rows = ledger(connection, "UTC", date(2000, 1, 1), date(2100, 1, 1))
    assert all(row.balanced for row in rows)
    return rows


def is_empty(desk: Desk, uid: str) -> bool:
    event = desk.event(uid)
    return bytes(event["body"]) == b"" and event["headers"] == {} and event["query"] == "" and event["erased_at"] is not None


def by_phone(desk: Desk, **more: Any) -> erasure.Emptied:
    return erase_address(desk.engine, desk.config, ADMIN, Person(phone="8 912 345 67 01"), "letter", NOW, **more)


def test_contact_when_events_of_nobody_name_him_takes_them_along(desk: Desk) -> None:
    contact = person(desk)
    mine = [
        spam(desk, name="Иван Уникальный", phone="8 (912) 345-67-01"),
        spam(desk, name="Bot", comment="write to IVAN@example.com"),
        desk.post(
            desk.call_source, "call", b'{"event": "nonsense", "from": "89123456701"}', {"content-type": "application/json"}
        ),
        desk.post(desk.form_source, "form", b"", {"referer": f"https://shop.example/?m={quote(EMAIL)}"}),
    ]
    other = spam(desk, name="Peter", phone="+7 912 345-67-02", email="peter@example.org")
    desk.drain()
    before = counted(desk)
    seen = preview(desk.engine, desk.config, ADMIN, Person(contact))
    assert sorted(one.uid for one in seen.found) == sorted(mine)
    assert (seen.count, seen.searched, seen.next) == (4, 5, None)
    assert [is_empty(desk, uid) for uid in mine] == [False] * 4
    done = erase(desk.engine, desk.config, ADMIN, contact, "letter", NOW)
    assert (done.strays, done.on_their_way) == (4, 0)
    assert [is_empty(desk, uid) for uid in mine] == [True] * 4
    assert not is_empty(desk, other)
    left = everything(desk)
    assert [trace for trace in TRACES if trace in left] == []
    assert sum(row.received for row in counted(desk)) == sum(row.received for row in before)


@pytest.mark.parametrize(
    "body, headers",
    [
        (b"tel=%2B7%20912%20345-67-01&_gotcha=x", {"content-type": "application/x-www-form-urlencoded"}),
        (b'{"data": {"note": "\\u002b7 912 345 67 01", "_gotcha": "x"}}', {"content-type": "application/json"}),
        (b'{"payload": "{\\"contact\\": \\"8-912-345-67-01\\"}", "_gotcha": "x"}', {"content-type": "application/json"}),
        (orjson.dumps({"blob": base64.b64encode(b"call 89123456701 now").decode(), "_gotcha": "x"}), {}),
        (orjson.dumps({"number": 79123456701, "_gotcha": "x"}), {}),
        (gzip.compress(b"phone=89123456701&_gotcha=x"), {"content-encoding": "gzip"}),
        ("телефон=89123456701&имя=Иван&_gotcha=x".encode("cp1251"), {"content-type": "application/x-www-form-urlencoded"}),
        (
            b'--b\r\nContent-Disposition: form-data; name="cv"; filename="cv.txt"\r\n\r\n8 912 345 67 01\r\n--b--\r\n',
            {"content-type": "multipart/form-data; boundary=b"},
        ),
        ("_gotcha=x&t=89123456701".encode("utf-16"), {"content-type": "text/plain; charset=utf-16"}),
    ],
    ids=["percent", "json_escapes", "json_in_json", "base64", "json_number", "gzip", "cp1251", "text_file", "utf16"],
)  # fmt: skip
def test_number_when_it_stands_in_an_event_somehow_is_found(desk: Desk, body: bytes, headers: dict[str, str]) -> None:
    uid = desk.post(desk.form_source, "form", body, headers)
    # Whatever the workers would make of it: here it is an event that nobody could attribute.
    desk.rows("UPDATE inbound_event SET state = 'done', outcome = 'ignored' WHERE uid = %s RETURNING id", uid)
    assert by_phone(desk).events == 1
    assert is_empty(desk, uid)


def test_address_alone_when_nobody_is_known_empties_what_names_it(desk: Desk) -> None:
    uid = spam(desk, email="Ivan@Example.com")
    desk.drain()
    done = erase_address(desk.engine, desk.config, ADMIN, Person(email=EMAIL), "letter", NOW)
    assert (done.events, done.contacts) == (1, ())
    assert is_empty(desk, uid)
    assert desk.event(uid)["outcome"] == "spam"
    (entry,) = desk.rows("SELECT actor, subject, data FROM audit_entry WHERE action = 'events.erase'")
    assert (entry["actor"], entry["data"]["why"], entry["data"]["events"]) == ("user:1", "letter", 1)
    assert EMAIL not in str(entry["data"])
    assert len(entry["data"]["digests"][0]) == 64
    counted(desk)


def test_address_alone_when_a_contact_uses_it_names_him_and_leaves_him(desk: Desk) -> None:
    contact = person(desk)
    uid = spam(desk, phone=PHONE)
    desk.drain()
    assert preview(desk.engine, desk.config, ADMIN, Person(phone=PHONE)).contacts == (contact,)
    done = by_phone(desk)
    assert (done.events, done.contacts) == (1, (contact,))
    assert is_empty(desk, uid)
    assert desk.one("SELECT name FROM contact") == "Иван Уникальный"


def test_held_event_when_it_is_emptied_is_dismissed(desk: Desk) -> None:
    uid = desk.post(desk.form_source, "form", b"", {"referer": "https://shop.example/?tel=%2B79123456701"})
    desk.drain()
    assert desk.event(uid)["state"] == "needs_attention"
    assert by_phone(desk).events == 1
    event = desk.event(uid)
    assert (event["state"], event["outcome"], event["reason"]) == ("done", "dismissed", {"code": "erased", "erased": True})
    counted(desk)
    with pytest.raises(Conflict):
        replay(desk.engine, OPERATOR, desk.config, Selection(uids=(uid,)), dry_run=False)
    assert desk.event(uid) == event


def test_call_that_only_rang_when_nobody_is_known_is_emptied(desk: Desk) -> None:
    uid = desk.call("newCall", "c1", "+79123456701")
    desk.drain()
    assert (desk.one("SELECT remote FROM call"), desk.event(uid)["contact_id"]) == ("+79123456701", None)
    done = by_phone(desk)
    assert (done.events, done.calls) == (1, 1)
    assert "9123456701" not in everything(desk)


def test_call_of_a_colleague_under_the_same_number_stays(desk: Desk) -> None:
    uid = desk.call("newCall", "c1", "+79123456701")
    desk.call("hangup", "c1", "+79123456701", cause="cancel")
    desk.drain()
    assert desk.event(uid)["contact_id"] is None
    assert by_phone(desk).events == 0
    assert not is_empty(desk, uid)


def test_number_when_others_use_it_too_is_not_searched_for_one_of_them(desk: Desk) -> None:
    first = person(desk)
    desk.form(name="Пётр Другой", phone=PHONE, email="peter@example.org", message="me too")
    desk.drain()
    uid = spam(desk, phone=PHONE, name="Пётр Другой")
    desk.drain()
    erase(desk.engine, desk.config, ADMIN, first, "letter", NOW)
    assert not is_empty(desk, uid)


def test_event_when_it_was_released_meanwhile_is_not_emptied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = spam(desk, name="Ivan", phone=PHONE)
    desk.drain()
    looked = erasure.search

    def then_released(*arguments: Any) -> unlinked_events.Search:
        found = looked(*arguments)
        with desk.engine.begin() as connection:
            assert release(connection, user(1), Pick((uid,)), NOW) == 1
        return found

    monkeypatch.setattr(erasure, "search", then_released)
    done = by_phone(desk)
    assert (done.events, done.on_their_way) == (0, 1)
    desk.drain()
    assert desk.event(uid)["outcome"] == "created"


def test_event_when_it_is_on_its_way_is_told_and_left(desk: Desk) -> None:
    uid = desk.form(name="Ivan", phone=PHONE)
    done = by_phone(desk)
    assert (done.events, done.on_their_way) == (0, 1)
    desk.drain()
    assert desk.event(uid)["outcome"] == "created"


def test_event_when_it_cannot_be_looked_through_is_counted_and_named(desk: Desk) -> None:
    binary = desk.post(desk.form_source, "form", bytes(range(256)) * 4, {"content-type": "application/octet-stream"})
    picture = (
        b'--b\r\nContent-Disposition: form-data; name="_gotcha"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name="p";'
        b' filename="p.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\x00\x00\xff\xfe\r\n--b--\r\n'
    )
    filed = desk.post(desk.form_source, "form", picture, {"content-type": "multipart/form-data; boundary=b"})
    desk.drain()
    desk.rows("UPDATE inbound_event SET contact_id = NULL, lead_id = NULL RETURNING id")
    seen = preview(desk.engine, desk.config, ADMIN, Person(phone=PHONE))
    assert seen.count == 0
    assert {one.uid: one.why for one in seen.passed_over} == {binary: "binary", filed: "files"}
    assert seen.unsearched == {"binary": 1, "files": 1}
    assert by_phone(desk).unsearched == {"binary": 1, "files": 1}


def test_encrypted_mail_when_nothing_can_be_read_is_named(desk: Desk) -> None:
    body = (
        b"From: Shop <robot@example.org>\r\nContent-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\n"
        b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n--b--\r\n"
    )
    uid = desk.post(desk.form_source, "mail", body)
    desk.rows("UPDATE inbound_event SET state = 'done', outcome = 'auto' WHERE uid = %s RETURNING id", uid)
    seen = preview(desk.engine, desk.config, ADMIN, Person(phone=PHONE))
    assert seen.passed_over == [unlinked_events.PassedOver(uid, "encrypted")]


def test_search_when_the_journal_is_long_goes_on_where_it_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = person(desk)
    uids = [spam(desk, phone=PHONE, n=str(n)) for n in range(7)]
    desk.drain()
    monkeypatch.setattr(unlinked_events, "_PAGE", 3)
    after, seen = 0, 0
    for _ in range(3):
        with pytest.raises(Conflict) as stopped:
            erase(desk.engine, desk.config, ADMIN, contact, "letter", NOW, after=after, seconds=0)
        after, seen = int(stopped.value.data["cursor"]), seen + stopped.value.data["events"]
        if seen == 7:
            break
        assert desk.one("SELECT erased_at FROM contact") is None
    assert [is_empty(desk, uid) for uid in uids] == [True] * 7
    done = erase(desk.engine, desk.config, ADMIN, contact, "letter", NOW, after=after)
    assert done.strays == 0
    assert desk.one("SELECT erased_at FROM contact") is not None


def test_provider_key_when_it_names_the_person_goes_too(desk: Desk) -> None:
    uid = spam(desk, phone=PHONE)
    keyed = desk.form(key="lead-79123456701", _gotcha="x", name="Ivan")
    desk.drain()
    assert by_phone(desk).events == 2
    assert is_empty(desk, uid)
    assert desk.event(keyed)["provider_key"] is None


@pytest.mark.parametrize(
    "who, error",
    [
        (Person(), Invalid), (Person(1, phone=PHONE), Invalid), (Person(phone="call me"), Invalid),
        (Person(email="nobody"), Invalid), (Person(99), NotFound),
    ],
)  # fmt: skip
def test_person_when_he_cannot_be_told_is_refused(desk: Desk, who: Person, error: type[Exception]) -> None:
    with pytest.raises(error):
        preview(desk.engine, desk.config, ADMIN, who)


def test_search_when_most_events_have_a_contact_does_not_read_those(desk: Desk) -> None:
    person(desk)
    with desk.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(
            connection.scalars(
                text("EXPLAIN " + unlinked_events._IDS.format(which=unlinked_events.UNLINKED_AND_DONE)),
                {"after": 0, "limit": 200},
            )
        )
    assert "ix_inbound_event_of_nobody" in plan
