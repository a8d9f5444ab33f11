"""What goes into the journal: once, verbatim, with its key, and with nothing secret around it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from door_client import Door, Heard, call, open_door, stand_in

from crm_core.base.config import HubConfig
from crm_core.base.errors import Transient
from ingest.journal.accept import RawEvent, insert_events


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config) as opened:
        yield opened


def _uid(heard: Heard) -> str:
    assert heard.status == 200
    found = heard.json()
    assert found["ok"] is True
    assert found["accepted"] is True
    return str(found["event"])


def test_seventeen_posts_of_one_key_are_one_event_when_sixteen_come_at_once(door: Door) -> None:
    source = door.add()
    barrier = threading.Barrier(16)

    def post(_: int) -> Heard:
        barrier.wait(60)
        return door.post(source, b"phone=1", headers={"Idempotency-Key": '"k-1"'})

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(post, range(16)))
    answers.append(door.post(source, b"phone=1", headers={"Idempotency-Key": '"k-1"'}))

    assert len({(answer.status, answer.body) for answer in answers}) == 1
    [row] = door.rows()
    assert row["uid"] == _uid(answers[0])
    assert row["redeliveries"] == 16
    assert row["body"] == b"phone=1"
    assert door.woken == ["form"]


def test_posts_without_a_key_are_events_of_their_own_when_their_bytes_are_equal(door: Door) -> None:
    source = door.add()
    assert len({_uid(door.post(source, b"same")) for _ in range(5)}) == 5
    assert [row["provider_key"] for row in door.rows()] == [None] * 5


def test_two_processes_with_the_same_keys_do_not_block_each_other(config: HubConfig) -> None:
    with open_door(config) as one, open_door(config) as other:
        source = one.add()
        keys = [f"k{number % 20}" for number in range(200)]

        def post(place: tuple[int, str]) -> str:
            door = (one, other)[place[0] % 2]
            return _uid(door.post(source, place[1].encode(), headers={"Idempotency-Key": place[1]}))

        with ThreadPoolExecutor(16) as threads:
            uids = list(threads.map(post, enumerate(keys)))
        rows = {row["provider_key"]: row for row in one.rows()}
    assert len(rows) == 20
    assert [rows[key]["uid"] for key in keys] == uids
    assert sum(row["redeliveries"] for row in rows.values()) == 180


@pytest.mark.parametrize("second", ["key-1", '"key-1"', ' "key-1" '])
def test_key_is_the_same_when_quoted_or_bare(door: Door, second: str) -> None:
    source = door.add()
    first = _uid(door.post(source, b"a", headers={"Idempotency-Key": "key-1"}))
    assert _uid(door.post(source, b"a", headers={"Idempotency-Key": second})) == first


def test_other_bytes_under_a_senders_key_are_kept_as_an_event_of_their_own(door: Door) -> None:
    source = door.add()
    keyed = {"Idempotency-Key": "k"}
    first = _uid(door.post(source, b"one", headers=keyed))
    other = _uid(door.post(source, b"two", headers=keyed))
    assert other != first
    assert _uid(door.post(source, b"two", headers=keyed)) == other
    assert _uid(door.post(source, b"one", headers=keyed)) == first
    assert [(row["body"], row["redeliveries"]) for row in door.rows()] == [(b"one", 1), (b"two", 1)]


def test_other_bytes_under_one_key_are_counted_once_when_they_come_in_one_group(door: Door) -> None:
    source = door.add()
    group = [
        RawEvent(source.id, "form", body, provider_key="k", key_is_senders=True)
        for body in (b"one", b"two", b"one", b"two", b"three")
    ]
    with psycopg.connect(door.config.database_url, autocommit=True) as connection:
        uids = [receipt.uid for receipt in insert_events(connection, group)]
    assert uids[0] == uids[2]
    assert uids[1] == uids[3]
    assert len(set(uids)) == 3
    assert {bytes(row["body"]): row["redeliveries"] for row in door.rows()} == {b"one": 1, b"two": 1, b"three": 0}


def test_providers_own_id_is_one_event_when_its_body_changes(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, provider_key=lambda request, config: "call-7")
    source = door.add("probe")
    first = _uid(door.post(source, b"try=1"))
    assert _uid(door.post(source, b"try=2", headers={"Idempotency-Key": "ignored"})) == first


def test_key_is_hashed_when_it_is_long_or_cannot_be_stored(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
    source = door.add("probe")
    for key in ("x" * 5_000, "nul\x00", "half \ud83d"):
        uids = {_uid(door.post(source, b"a", headers={"Idempotency-Key": key})) for _ in range(2)}
        assert len(uids) == 1
        wanted = "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        assert door.rows()[-1]["provider_key"] == wanted


def test_key_belongs_to_its_source(door: Door) -> None:
    keyed = {"Idempotency-Key": "k"}
    assert _uid(door.post(door.add(), headers=keyed)) != _uid(door.post(door.add(), headers=keyed))


def test_empty_key_is_no_key(door: Door) -> None:
    source = door.add()
    for key in ("", '""', "  "):
        door.post(source, headers={"Idempotency-Key": key})
    assert len(door.rows()) == 3


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00\xff\xfe", b"a=%00&b=%ED%A0%BD", b'{"a":"\\ud83d","n":NaN}', "Имя=Анна".encode("cp1251"),
     b"x" * 5_000_000, b"&".join(b"f%d=1" % n for n in range(100_000)), b"[" * 200_000],
    ids=["empty", "binary", "nul", "surrogate", "cp1251", "5MB", "fields", "deep"],
)  # fmt: skip
def test_body_is_stored_byte_for_byte_whatever_it_is(door: Door, body: bytes) -> None:
    source = door.add()
    uid = _uid(door.post(source, body, headers={"Content-Type": "application/x-www-form-urlencoded"}))
    [row] = door.rows()
    assert row["uid"] == uid
    assert row["body"] == body
    assert row["state"] == "waiting"


def test_text_around_the_body_is_made_safe_when_it_holds_nul_or_half_a_pair(door: Door) -> None:
    source = door.add()
    heard = door.post(
        source,
        rest="/a\x00b",
        query="q=\x00&s=\ud83d",
        headers={"User-Agent": "bad\x00\ud83d", "X-Ok": "ключ"},
    )
    assert heard.status == 200
    [row] = door.rows()
    assert row["path"] == "a\ufffdb"
    assert row["query"] == "q=\ufffd&s=\ufffd"
    assert row["headers"]["user-agent"] == "bad\ufffd\ufffd"
    assert row["headers"]["x-ok"] == "ключ"


def test_path_is_read_as_utf8_when_the_server_gives_latin1(door: Door) -> None:
    source = door.add()
    door.post(source, rest="/события/summary".encode().decode("latin-1"))
    assert door.rows()[0]["path"] == "события/summary"


def test_headers_are_stored_without_what_opens_doors(door: Door) -> None:
    source = door.add()
    secret = {
        "Authorization": "Bearer s3cret", "Cookie": "sid=s3cret", "Proxy-Authorization": "Basic s3cret",
        "X-Api-Key": "s3cret",
    }  # fmt: skip
    door.post(
        source,
        headers={
            **secret,
            "Signature": "keep-me",
            "X-Leadhub-Verified": "forged",
            "Content-Type": "text/plain",
        },
    )
    [row] = door.rows()
    assert "s3cret" not in str(row["headers"])
    assert set(row["headers"]) >= {"authorization", "cookie", "proxy-authorization", "x-api-key"}
    assert row["headers"]["signature"] == "keep-me"
    assert row["headers"]["content-type"] == "text/plain"
    assert "x-leadhub-verified" not in row["headers"]


def test_group_in_a_transaction_of_somebody_else_is_undone_with_it(door: Door) -> None:
    source = door.add("imap", {"host": "mail.example.com", "user": "u", "password": "p"})
    assert (source.url, source.token) == ("", "")
    parsed_items = [
        RawEvent(source.id, "mail", b"first", provider_key="1:7"),
        RawEvent(source.id, "mail", b"second"),
        RawEvent(source.id, "mail", b"first", provider_key="1:7"),
    ]
    with psycopg.connect(door.config.database_url) as connection:
        connection.execute("BEGIN")
        insert_events(connection, parsed_items)
        connection.rollback()
        assert door.rows() == []
        with connection.transaction():
            receipts = insert_events(connection, parsed_items)
            again = insert_events(connection, parsed_items[:1])
    assert [receipt.redelivery for receipt in receipts] == [False, False, True]
    assert receipts[0].uid == receipts[2].uid == again[0].uid != receipts[1].uid
    rows = door.rows()
    assert [(row["body"], row["redeliveries"]) for row in rows] == [(b"first", 2), (b"second", 0)]
    assert [row["id"] for row in rows] == [receipts[0].event_id, receipts[1].event_id]


def test_nothing_to_insert_is_no_receipt(door: Door) -> None:
    with psycopg.connect(door.config.database_url) as connection:
        assert insert_events(connection, []) == []


def test_event_id_is_a_uuid_of_version_7_and_rises(door: Door) -> None:
    source = door.add()
    uids = [_uid(door.post(source)) for _ in range(3)]
    assert all(len(uid) == 32 and uid[12] == "7" and uid[16] in "89ab" for uid in uids)
    assert [uid[:12] for uid in uids] == sorted(uid[:12] for uid in uids)


def test_redelivery_is_answered_when_the_worker_holds_the_row(door: Door) -> None:
    source = door.add()
    keyed: dict[str, Any] = {"headers": {"Idempotency-Key": "k"}}
    first = _uid(door.post(source, **keyed))
    with psycopg.connect(door.config.database_url) as worker, ThreadPoolExecutor(4) as threads:
        worker.execute("SELECT 1 FROM inbound_event FOR UPDATE")
        again = threads.submit(door.post, source, **keyed)
        neighbours = [threads.submit(door.post, source, b"n%d" % number) for number in range(3)]
        assert _uid(again.result(60)) == first
        assert len({_uid(neighbour.result(60)) for neighbour in neighbours}) == 3
        worker.rollback()
    door.post(source)  # the next batch counts what could not be counted before
    door.acceptor.close()
    assert door.rows()[0]["redeliveries"] == 1


def test_other_bytes_are_kept_when_the_worker_holds_the_row_of_their_key(door: Door) -> None:
    source = door.add()
    keyed = {"Idempotency-Key": "k"}
    first = _uid(door.post(source, b"one", headers=keyed))
    with psycopg.connect(door.config.database_url) as worker:
        worker.execute("SELECT 1 FROM inbound_event FOR UPDATE")
        other = _uid(door.post(source, b"two", headers=keyed))
        assert _uid(door.post(source, b"two", headers=keyed)) == other
        worker.rollback()
    assert other != first
    assert _uid(door.post(source, b"two", headers=keyed)) == other
    door.acceptor.close()
    assert [(row["body"], row["redeliveries"]) for row in door.rows()] == [(b"one", 0), (b"two", 2)]


def test_row_that_cannot_go_in_takes_no_neighbour_with_it(door: Door) -> None:
    source = door.add()
    with psycopg.connect(door.config.database_url) as connection:
        connection.execute("ALTER TABLE inbound_event ADD CONSTRAINT no_seven CHECK (body <> '7')")

    def accept(number: int) -> str:
        try:
            return door.acceptor.accept(RawEvent(source.id, "form", b"%d" % number)).uid
        except Transient as error:
            return error.code

    with ThreadPoolExecutor(16) as threads:
        told = list(threads.map(accept, range(16)))
    assert told[7] == "database_away"
    assert sorted(told[:7] + told[8:]) == sorted(row["uid"] for row in door.rows())


def test_wake_that_fails_costs_no_answer(config: HubConfig) -> None:
    with open_door(config) as door:
        source = door.add()

        def broken(channel: str) -> None:
            raise OSError("no broker")

        door.acceptor._on_accepted = broken
        assert door.post(source).status == 200
        assert door.post(source).status == 200
        assert len(door.rows()) == 2


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_put_and_patch_are_arrivals_like_post(door: Door, method: str) -> None:
    """CRMs and shops send a contact as a record of theirs; a refusal here was an inquiry that nobody ever saw."""
    source = door.add()
    body = b'{"name":"Anna Example","phone":"+79161234567"}'
    heard = call(door.entrance, method, f"/in/{source.token}", body, {"Content-Type": "application/json"})
    assert _uid(heard) == door.rows()[0]["uid"]
    assert [(row["method"], bytes(row["body"])) for row in door.rows()] == [(method, body)]
    large = call(door.entrance, method, f"/in/{source.token}", b"x" * (door.config.max_body_bytes + 1))
    assert large.status == 413
    assert call(door.entrance, method, "/in/nobody", body).status == 404
    assert len(door.rows()) == 1


def test_other_methods_are_refused_in_words_and_a_page_may_ask_which(door: Door) -> None:
    source = door.add()
    refused = call(door.entrance, "DELETE", f"/in/{source.token}", b"name=Anna")
    assert (refused.status, refused.headers["allow"]) == (405, "POST, PUT, PATCH, OPTIONS, GET, HEAD")
    asked = call(door.entrance, "OPTIONS", f"/in/{source.token}", headers={"Access-Control-Request-Method": "PUT"})
    assert asked.headers["access-control-allow-methods"] == "POST, PUT, PATCH, OPTIONS"
    assert door.rows() == []
