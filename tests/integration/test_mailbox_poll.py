"""Polling a real Dovecot: every mail exactly once, whatever people and the server do meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import mail_samples
import pytest
from dovecot import Dovecot
from mailbox_bench import SMALL, Bench, make_bench
from sqlalchemy import Engine

from connectors.kit import Request, registry
from crm_core.base.config import HubConfig
from crm_core.parsed import Message

MakeBench = Callable[..., Bench]


@pytest.fixture
def bench_for(engine: Engine, config: HubConfig, mail_server: Dovecot, mail_user: str) -> Iterator[MakeBench]:
    made: list[Bench] = []

    def make(settings: dict[str, Any] | None = None, **more: Any) -> Bench:
        made.append(make_bench(engine, config, mail_server.settings(mail_user, **(settings or {})), **more))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


def mails(first: int, last: int) -> list[bytes]:
    return [mail_samples.plain(number) for number in range(first, last + 1)]


def subjects(first: int, last: int) -> list[str]:
    return [f"Inquiry {number}" for number in range(first, last + 1)]


def test_thirty_mails_become_thirty_events_once(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append_many(mail_user, mails(1, 30))
    bench = bench_for()
    report = bench.poll()
    assert (report.state, report.listed, report.missed) == ("live", 30, 0)
    bench.poll()
    bench.poll()
    assert bench.subjects() == subjects(1, 30)
    assert {ref["status"] for ref in bench.refs()} == {"fetched"}
    assert [ref["event_id"] for ref in bench.refs()] == [event["id"] for event in bench.events()]
    assert all(event["redeliveries"] == 0 for event in bench.events())
    assert set(bench.woken) == {"mail"}
    folder = bench.folder()
    assert (folder["state"], folder["last_uid"], folder["missed"], folder["fails"]) == ("live", 30, 0, 0)
    assert folder["lease_token"] is None


def test_event_carries_the_raw_mail_and_where_it_was_found(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    raw = mail_samples.plain(1)
    mail_server.append(mail_user, raw, at=1_790_000_000)
    bench = bench_for()
    bench.poll()
    event = bench.events()[0]
    validity = bench.folder()["uidvalidity"]
    assert bytes(event["body"]) == raw
    assert (event["channel"], event["method"], event["path"]) == ("mail", "IMAP", "INBOX")
    assert event["query"] == f"uid=1&uidvalidity={validity}"
    assert event["provider_key"] == f"{validity}:1:INBOX"
    assert event["headers"]["x-imap-internaldate"].startswith("2026-09-21T")
    request = Request(
        event["method"],
        event["path"],
        event["query"],
        event["headers"],
        bytes(event["body"]),
        event["received_at"],
    )
    message = registry.get("imap").parse(request, bench.settings)[0]
    assert isinstance(message, Message)
    assert (message.subject, message.sender and message.sender.email) == ("Inquiry 1", "client1@example.org")


def test_nothing_in_the_mailbox_changes_when_it_is_polled(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append_many(mail_user, mails(1, 3))
    bench_for().poll()
    client = mail_server.login(mail_user)
    client.select("INBOX", readonly=True)
    assert client.search(None, "UNSEEN")[1] == [b"1 2 3"]
    client.logout()


def test_only_new_mail_comes_in_when_start_is_new(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append_many(mail_user, mails(1, 12))
    bench = bench_for({"start": "new"})
    bench.poll()
    assert bench.events() == []
    mail_server.append_many(mail_user, mails(13, 15))
    bench.poll()
    assert bench.subjects() == subjects(13, 15)
    bench.database.execute("UPDATE mailbox_folder SET next_sweep_at = now()")
    assert bench.poll().missed == 0, "the sweep must not bring in what lay there before"
    assert bench.subjects() == subjects(13, 15)


def test_mail_since_a_date_comes_in_when_start_is_a_date(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append_many(mail_user, mails(1, 3), at=time.time() - 90 * 86_400)
    mail_server.append_many(mail_user, mails(4, 6))
    bench = bench_for({"start": time.strftime("%Y-%m-%d", time.gmtime(time.time() - 10 * 86_400))})
    bench.poll()
    assert bench.subjects() == subjects(4, 6)


def test_empty_folder_is_live_and_waits(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    bench = bench_for()
    assert bench.poll().state == "live"
    mail_server.append(mail_user, mail_samples.plain(1))
    bench.poll()
    assert bench.subjects() == subjects(1, 1)


def test_mail_comes_in_when_people_read_move_and_delete(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append_many(mail_user, mails(1, 6))
    bench = bench_for(limits=replace(SMALL, batch_mails=50))
    bench.poll()
    mail_server.append_many(mail_user, mails(7, 12))
    client = mail_server.login(mail_user)
    client.select("INBOX")
    client.uid("STORE", "1:8", "+FLAGS", "(\\Seen)")
    client.uid("STORE", "9", "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.create("Handled")
    client.uid("MOVE", "10", "Handled")
    client.logout()
    bench.poll()
    assert bench.subjects() == [*subjects(1, 8), *subjects(11, 12)]
    client = mail_server.login(mail_user)
    client.select("Handled")
    client.uid("MOVE", "1", "INBOX")  # moved back: a new UID, and a mail that was never seen
    client.logout()
    bench.poll()
    assert bench.subjects() == [*subjects(1, 8), *subjects(11, 12), "Inquiry 10"]


def test_row_is_gone_when_its_mail_is_expunged_before_the_fetch(
    bench_for: MakeBench, mail_server: Dovecot, mail_user: str
) -> None:
    bench = bench_for()
    bench.poll()
    bench.session.drop()
    mail_server.append_many(mail_user, mails(1, 3))
    client = mail_server.login(mail_user)
    client.select("INBOX")
    client.uid("STORE", "2", "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.logout()
    folder = bench.folder()
    bench.database.execute(
        "INSERT INTO mail_ref (folder_id, uidvalidity, uid) VALUES (%s, %s, 2)",
        (folder["id"], folder["uidvalidity"]),
    )
    report = bench.poll()
    assert report.taken is not None
    assert (report.taken.stored, report.taken.gone) == (2, 1)
    assert [(ref["uid"], ref["status"]) for ref in bench.refs()] == [
        (1, "fetched"),
        (2, "gone"),
        (3, "fetched"),
    ]


def test_gaps_in_the_numbers_are_crossed(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append_many(mail_user, mails(1, 40))
    client = mail_server.login(mail_user)
    client.select("INBOX")
    client.uid("STORE", "3:35", "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.logout()
    bench = bench_for()
    bench.poll()
    assert bench.subjects() == [*subjects(1, 2), *subjects(36, 40)]
    assert bench.folder()["last_uid"] == 40


def test_changed_uidvalidity_brings_five_new_mails_and_their_old_ones_are_recognised(
    bench_for: MakeBench, mail_server: Dovecot, mail_user: str
) -> None:
    mail_server.append_many(mail_user, mails(1, 300))
    bench = bench_for(limits=replace(SMALL, window_uids=100, batch_mails=50, metadata_mails=100, batch_bytes=1_000_000))
    bench.poll()
    before = {event["id"] for event in bench.events()}
    first = bench.folder()["uidvalidity"]
    mail_server.append_many(mail_user, mails(301, 305))
    bench.session.drop()
    mail_server.set_uidvalidity(mail_user, 777_001)
    report = bench.poll()
    folder = bench.folder()
    assert (report.state, folder["uidvalidity"], folder["epoch"], folder["last_uid"]) == (
        "live",
        777_001,
        1,
        305,
    )
    assert first != 777_001
    assert [ref["uid"] for ref in bench.refs() if ref["uidvalidity"] == 777_001] == list(range(1, 306))
    parse = registry.get("imap").parse

    def key(event: dict[str, Any]) -> str:
        message = parse(
            Request("IMAP", "", "", event["headers"], bytes(event["body"]), event["received_at"]),
            bench.settings,
        )[0]
        assert isinstance(message, Message)
        return message.dedup_key

    known = {key(event) for event in bench.events() if event["id"] in before}
    again = [event for event in bench.events() if event["id"] not in before]
    assert len(known) == 300
    assert [key(event) in known for event in again].count(False) == 5
    bench.poll()
    assert len(bench.events()) == 605, "the next poll finds nothing more"


def test_waiting_rows_are_listed_again_when_uidvalidity_changes(
    bench_for: MakeBench, mail_server: Dovecot, mail_user: str
) -> None:
    mail_server.append_many(mail_user, mails(1, 4), at=time.time() - 200 * 86_400)
    bench = bench_for()
    bench.poll()
    bench.database.execute("DELETE FROM inbound_event")
    bench.database.execute("UPDATE mail_ref SET status = 'seen', event_id = NULL")
    bench.session.drop()
    mail_server.set_uidvalidity(mail_user, 777_002)
    bench.poll()
    assert bench.subjects() == subjects(1, 4)
    assert [ref["status"] for ref in bench.refs() if ref["uidvalidity"] != 777_002] == ["gone"] * 4


def test_folder_is_stopped_when_uidvalidity_changes_all_day(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append(mail_user, mail_samples.plain(1))
    bench = bench_for()
    bench.poll()
    for value in range(900_001, 900_008):
        bench.session.drop()
        mail_server.set_uidvalidity(mail_user, value)
        report = bench.poll()
    assert report.state == "stopped"
    assert report.failure is not None
    assert report.failure.code == "uidvalidity_unstable"
    assert bench.folder()["epoch"] == SMALL.resyncs_a_day


def test_sweep_finds_a_mail_that_the_cursor_missed_and_counts_it(
    bench_for: MakeBench, mail_server: Dovecot, mail_user: str
) -> None:
    mail_server.append_many(mail_user, mails(1, 10))
    bench = bench_for()
    bench.poll()
    bench.database.execute("DELETE FROM mail_ref WHERE uid = 4")
    bench.database.execute("DELETE FROM inbound_event WHERE provider_key LIKE '%%:4:INBOX'")
    bench.poll()
    assert len(bench.events()) == 9, "not due yet"
    bench.database.execute("UPDATE mailbox_folder SET next_sweep_at = now()")
    assert bench.poll().missed == 1
    assert bench.folder()["missed"] == 1
    assert "Inquiry 4" in bench.subjects()


def test_mail_above_the_limit_is_kept_with_its_beginning(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append_many(mail_user, [mail_samples.plain(1), mail_samples.plain(2, size=60_000), mail_samples.plain(3)])
    bench = bench_for(limits=replace(SMALL, raw_bytes=30_000, oversize_bytes=2_000))
    bench.poll()
    assert [ref["status"] for ref in bench.refs()] == ["fetched", "oversize", "fetched"]
    large = bench.events()[[event["provider_key"].split(":")[1] for event in bench.events()].index("2")]
    assert len(large["body"]) == 2_000
    assert int(large["headers"]["x-imap-oversize"]) > 59_000
    message = registry.get("imap").parse(
        Request("IMAP", "", "", large["headers"], bytes(large["body"]), large["received_at"]), bench.settings
    )[0]
    assert isinstance(message, Message)
    assert message.subject == "Inquiry 2"
    assert "oversize" in message.warnings


def test_folder_with_a_russian_name_is_read(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    client = mail_server.login(mail_user)
    client.create("&BBcEMARPBDIEOgQ4-")  # Заявки in the modified UTF-7 of IMAP
    client.logout()
    mail_server.append(mail_user, mail_samples.plain(1), "&BBcEMARPBDIEOgQ4-")
    bench = bench_for({"folder": "Заявки"})
    bench.poll()
    assert bench.subjects() == subjects(1, 1)
    assert bench.events()[0]["path"] == "Заявки"


def test_bombs_between_ordinary_mails_hold_nothing_up(bench_for: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    bombs = mail_samples.bombs()
    for number, raw in enumerate(bombs.values()):
        mail_server.append_many(mail_user, [mail_samples.plain(number), raw])
    bench = bench_for(limits=replace(SMALL, batch_bytes=8_000_000))
    bench.poll()
    assert len(bench.events()) == 2 * len(bombs)
    parse = registry.get("imap").parse
    for event in bench.events():
        request = Request("IMAP", "INBOX", event["query"], event["headers"], bytes(event["body"]), event["received_at"])
        assert isinstance(parse(request, bench.settings)[0], Message)
