"""Servers that refuse, keep silent, slow down or talk nonsense: the right state, words to act on, and no mail lost."""

from __future__ import annotations

import imaplib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import dovecot
import mail_samples
import pytest
from dovecot import Dovecot
from free_ports import own_port
from mailbox_bench import ON_THIS_MACHINE, SMALL, Bench, make_bench
from scripted_imap import ScriptedImap
from sqlalchemy import Engine

from connectors.mail.imap import ImapConfig
from crm_core.base.config import HubConfig
from ingest.http_client.addresses import DEMO_MAILBOX, allowed_here
from ingest.mailbox import check
from ingest.mailbox.failures import Failure
from ingest.mailbox.limits import Limits
from ingest.mailbox.poll import pause_after

MakeBench = Callable[..., Bench]


@pytest.fixture
def bench_on(engine: Engine, config: HubConfig) -> Iterator[MakeBench]:
    made: list[Bench] = []

    def make(settings: dict[str, Any], **more: Any) -> Bench:
        made.append(make_bench(engine, config, settings, **more))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedImap]]:
    made: list[ScriptedImap] = []

    def make(numbers: list[int], **switches: Any) -> ScriptedImap:
        made.append(ScriptedImap({number: mail_samples.plain(number) for number in numbers}, **switches))
        return made[-1]

    yield make
    for server in made:
        server.close()


def settings_of(server: ScriptedImap, **more: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1", "port": server.port, "user": "sales@example.com", "password": "secret", "security": "plain",
        "start": "all", **more,
    }  # fmt: skip


def subjects(numbers: list[int]) -> list[str]:
    return [f"Inquiry {number}" for number in numbers]


def test_two_refusals_of_the_password_make_auth_failed(bench_on: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    bench = bench_on(mail_server.settings(mail_user, password="wrong"))
    assert bench.poll().state == "backoff"
    report = bench.poll()
    assert report.state == "auth_failed"
    folder = bench.folder()
    assert (folder["state"], folder["fails"], folder["last_error"]["code"]) == (
        "auth_failed",
        2,
        "auth_failed",
    )
    assert "password" in folder["last_error"]["message"]
    assert "wrong" not in folder["last_error"]["message"]
    mail_server.append(mail_user, mail_samples.plain(1))
    bench.session.settings = bench.settings.model_copy(update={"password": mail_server.password})
    assert bench.poll().state == "live"
    assert bench.subjects() == subjects([1])
    assert bench.folder()["last_error"] is None


def test_password_beyond_ascii_signs_in_or_is_refused_in_words(
    bench_on: MakeBench, mail_server: Dovecot, mail_user: str, config: HubConfig
) -> None:
    bench = bench_on(mail_server.settings(mail_user, password="пароль"))
    assert bench.poll().failure == Failure("auth_failed", bench.folder()["last_error"]["message"], "auth", pauses=True)
    server = dovecot.start(password="пароль")
    try:
        allowing = replace(config, outbound_allow=ON_THIS_MACHINE)
        assert check(ImapConfig.model_validate(server.settings(mail_user)), allowing, SMALL)[0].ok
    finally:
        server.stop()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificate_must_be_trusted_before_the_password_is_sent(
    bench_on: MakeBench, mail_user: str, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = dovecot.start(tls=True)
    try:
        port = server.tls_port if security == "tls" else server.port
        bench = bench_on(server.settings(mail_user, security=security, port=port))
        report = bench.poll()
        assert (report.state, report.failure and report.failure.code) == ("backoff", "certificate")
        assert "Login: user" not in (server.top / "dovecot.log").read_text()
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        server.append(mail_user, mail_samples.plain(1))
        assert bench.poll().state == "live"
        assert bench.subjects() == subjects([1])
        bench.session.close()
    finally:
        server.stop()


def test_starttls_that_is_not_offered_never_falls_back_to_clear_text(
    bench_on: MakeBench, mail_server: Dovecot, mail_user: str
) -> None:
    report = bench_on(mail_server.settings(mail_user, security="starttls")).poll()
    assert report.state == "backoff"
    assert report.failure is not None
    assert mail_server.sessions(mail_user) == []


def test_connection_limit_is_backoff_and_no_fault_of_the_password(bench_on: MakeBench, mail_user: str) -> None:
    server = dovecot.start(connections=1)
    try:
        busy = server.login(mail_user)
        bench = bench_on(server.settings(mail_user))
        for _ in range(3):
            report = bench.poll()
            assert report.state == "backoff"
        assert bench.folder()["last_error"]["code"] == "limit"
        busy.logout()
        assert bench.poll().state == "live"
        bench.session.close()
    finally:
        server.stop()


def test_refused_port_is_told_with_host_and_port(bench_on: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    port = own_port()
    bench = bench_on(mail_server.settings(mail_user, port=port))
    report = bench.poll()
    assert (report.state, report.failure and report.failure.code) == ("backoff", "refused")
    assert f"127.0.0.1:{port}" in bench.folder()["last_error"]["message"]


def test_silent_server_is_given_up_within_the_limit(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    server = scripted([1], silent=True)
    bench = bench_on(settings_of(server), limits=replace(SMALL, read_seconds=0.3, connect_seconds=0.3))
    report = bench.poll()
    assert (report.state, report.failure and report.failure.code) == ("backoff", "timeout")
    server.silent = False
    bench.session.limits = SMALL  # what it may take now is no matter of the test
    assert bench.poll().state == "live"
    assert bench.subjects() == subjects([1])


def test_session_that_was_killed_is_replaced_without_a_failure(bench_on: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    bench = bench_on(mail_server.settings(mail_user))
    bench.poll()
    assert mail_server.signal_sessions(mail_user) == 1
    mail_server.append(mail_user, mail_samples.plain(1))
    assert bench.poll().state == "live"
    assert bench.folder()["fails"] == 0
    assert bench.subjects() == subjects([1])


def test_missing_folder_is_a_state_after_three_polls(bench_on: MakeBench, mail_server: Dovecot, mail_user: str) -> None:
    bench = bench_on(mail_server.settings(mail_user, folder="Nowhere"))
    assert [bench.poll().state for _ in range(3)] == ["backoff", "backoff", "folder_missing"]
    assert "Nowhere" in bench.folder()["last_error"]["message"]


@pytest.mark.parametrize("asked_for", [{}, {"allow_private_host": True}], ids=["plain", "as earlier versions allowed"])
def test_private_host_is_refused_whatever_the_source_says(
    bench_on: MakeBench, config: HubConfig, mail_server: Dovecot, mail_user: str, asked_for: dict[str, Any]
) -> None:
    settings = mail_server.settings(mail_user, **asked_for)
    bench = bench_on(settings, allowed=lambda: allowed_here(config))
    report = bench.poll()
    assert (report.state, report.failure and report.failure.code) == ("stopped", "host_private")
    assert "LEADHUB_OUTBOUND_ALLOW" in bench.folder()["last_error"]["message"]
    last = check(ImapConfig.model_validate(settings), config, SMALL)[-1]
    assert (last.ok, last.code) == (False, "host_private")
    assert mail_server.sessions(mail_user) == []


def test_demo_mailbox_is_reached_at_its_own_port_and_while_it_runs(
    bench_on: MakeBench, config: HubConfig, mail_server: Dovecot, mail_user: str
) -> None:
    note = config.home / DEMO_MAILBOX
    bench = bench_on(mail_server.settings(mail_user), allowed=lambda: allowed_here(config))
    for told, state in ((f"127.0.0.1 {mail_server.port + 1}", "stopped"), (f"127.0.0.1 {mail_server.port}", "live")):
        note.write_text(told)
        assert bench.poll().state == state
    bench.session.close()
    note.unlink()
    assert bench.poll().state == "stopped"


def test_throttling_waits_as_long_as_the_server_asks(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    server = scripted([1, 2], uidnext=3, fetch_error="NO Request is throttled. Suggested Backoff Time: 299961 milliseconds")
    bench = bench_on(settings_of(server))
    report = bench.poll()
    assert (report.state, report.failure and report.failure.code) == ("backoff", "throttled")
    assert report.pause_seconds == pytest.approx(299.961)
    assert sum("BODY" in command for command in server.commands) == 1, "smaller batches would only ask more often"
    assert [ref["attempts"] for ref in bench.refs()] == [0, 0]
    server.fetch_error = ""
    bench.poll()
    assert bench.subjects() == subjects([1, 2])


def test_mails_come_in_when_the_server_names_no_uidnext(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    server = scripted([3, 9, 40], uidnext=None)
    bench = bench_on(settings_of(server))
    bench.poll()
    server.mails[41] = mail_samples.plain(41)
    bench.poll()
    bench.poll()
    assert bench.subjects() == subjects([3, 9, 40, 41])


def test_mails_come_in_when_the_server_names_no_uidvalidity(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    bench = bench_on(settings_of(scripted([1, 2], uidvalidity=None, uidnext=3)))
    bench.poll()
    bench.poll()
    assert bench.subjects() == subjects([1, 2])
    assert bench.folder()["uidvalidity"] == 0


def test_no_mail_is_lost_when_search_answers_unsorted(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    numbers = list(range(1, 31))
    bench = bench_on(settings_of(scripted(numbers, uidnext=31, unsorted=True)))
    bench.poll()
    assert bench.subjects() == subjects(numbers)


def test_rows_without_a_uid_are_not_taken_for_another_mail(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    # Sequence numbers 1, 2 are no UIDs here; taken for such, mail 3 would be stored as mail 2.
    server = scripted([2, 3], uidnext=4, without_uid=True)
    bench = bench_on(settings_of(server))
    bench.poll()
    assert bench.events() == []
    assert [(ref["uid"], ref["status"], ref["attempts"]) for ref in bench.refs()] == [
        (2, "seen", 1),
        (3, "seen", 1),
    ]
    server.without_uid = False
    bench.poll()
    assert [(ref["uid"], ref["status"]) for ref in bench.refs()] == [(2, "fetched"), (3, "fetched")]
    assert bench.subjects() == subjects([2, 3])


def test_row_left_out_of_one_answer_is_asked_for_again(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    bench = bench_on(settings_of(scripted([1, 2, 3], uidnext=4, hidden_once=True)))
    report = bench.poll()
    assert report.taken is not None
    assert (report.taken.stored, report.taken.gone) == (3, 0)
    assert sorted(bench.subjects()) == subjects([1, 2, 3])


def test_mail_that_breaks_every_fetch_is_quarantined_and_its_neighbours_come_in(
    bench_on: MakeBench, scripted: Callable[..., ScriptedImap]
) -> None:
    server = scripted([1, 2, 3, 4, 5], uidnext=6, drop_at={3})
    bench = bench_on(settings_of(server))
    bench.poll()
    assert sorted(bench.subjects()) == subjects([1, 2, 4, 5])
    for _ in range(SMALL.attempts):
        assert bench.poll().state == "live"
    quarantined = [ref for ref in bench.refs() if ref["status"] == "quarantined"]
    assert [ref["uid"] for ref in quarantined] == [3]
    event = next(event for event in bench.events() if event["id"] == quarantined[0]["event_id"])
    assert event["headers"]["x-imap-quarantined"] == "connection_lost"
    assert b"Subject: Inquiry 3" in bytes(event["body"])
    assert len(bench.events()) == 5


def test_numbers_far_apart_are_crossed_in_windows(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    numbers = [1, 4_999, 5_000, 5_001, 123_456, 420_000]
    server = scripted(numbers, uidnext=420_100)
    bench = bench_on(settings_of(server), limits=Limits())
    bench.poll()
    assert bench.subjects() == subjects(numbers)
    assert bench.folder()["last_uid"] == 420_099
    searches = [command for command in server.commands if command.startswith("UID SEARCH")]
    bench.poll()
    assert [c for c in server.commands if c.startswith("UID SEARCH")] == searches, "nothing new costs no search"


#: web.de, GMX and others number so: a search in windows of 5,000 walked such a gap with 300,000 commands.
FAR = 743_024_218


@pytest.mark.parametrize("apart", [1, 7_000, 30_000_000])
def test_mails_numbered_from_hundreds_of_millions_take_few_commands(
    bench_on: MakeBench, scripted: Callable[..., ScriptedImap], apart: int
) -> None:
    numbers = [FAR + n * apart for n in range(5)]
    server = scripted(numbers, uidnext=numbers[-1] + 1)
    bench = bench_on(settings_of(server), limits=Limits())
    bench.poll()
    assert bench.subjects() == subjects(numbers)
    assert len(server.commands) <= 40
    # Numbered anew, and looked through again: the gap costs no more there.
    del server.commands[:]
    server.uidvalidity = 8
    bench.poll()
    bench.database.execute("UPDATE mailbox_folder SET next_sweep_at = now()")
    bench.poll()
    assert len(server.commands) <= 80
    assert bench.folder()["missed"] == 0
    server.mails[numbers[-1] + 200_000_000] = mail_samples.plain(77)
    server.uidnext = numbers[-1] + 200_000_001
    bench.poll()
    assert bench.subjects()[-1] == "Inquiry 77"


def test_gap_is_crossed_when_thousands_of_mails_lie_apart(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    numbers = [1, 2, *range(FAR, FAR + 300 * 9_000, 9_000)]
    server = scripted(numbers, uidnext=numbers[-1] + 5)
    bench = bench_on(settings_of(server), limits=replace(Limits(), window_uids=50))
    bench.poll()
    assert bench.subjects() == subjects(numbers)
    searches = [command for command in server.commands if command.startswith("UID SEARCH")]
    assert len(searches) <= 2 * (302 // 50 + 4), "listing and sweep"


def test_gap_is_crossed_when_mails_are_expunged_meanwhile(
    bench_on: MakeBench, scripted: Callable[..., ScriptedImap], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sequence numbers shift under the search; they choose the windows only, so nothing slips through."""
    numbers = [1, *range(FAR, FAR + 120 * 9_000, 9_000)]
    server = scripted(numbers, uidnext=numbers[-1] + 1)
    bench = bench_on(settings_of(server), limits=replace(Limits(), window_uids=10))
    ask = type(bench.session)._uid_at
    gone: list[int] = []

    def shrinking(session: Any, sequence: int) -> int | None:
        uid = ask(session, sequence)
        if len(gone) < 20:
            gone.append(min(server.mails))
            del server.mails[gone[-1]]
        return uid

    monkeypatch.setattr(type(bench.session), "_uid_at", shrinking)
    bench.poll()
    listed = {ref["uid"] for ref in bench.refs()}
    assert set(server.mails) <= listed


@pytest.mark.parametrize("date", ['"45-May-2026 10:00:00 +0300"', '"31-Feb-2026 10:00:00 +9900"', '"soon"', "NIL", '""', "("])
def test_mail_with_an_unreadable_date_comes_in_and_holds_nobody_up(
    bench_on: MakeBench, scripted: Callable[..., ScriptedImap], date: str
) -> None:
    server = scripted([1, 2, 3, 4, 5], uidnext=6, dates={3: date})
    bench = bench_on(settings_of(server))
    assert bench.poll().state == "live"
    assert sorted(bench.subjects()) == subjects([1, 2, 3, 4, 5])
    assert [ref["uid"] for ref in bench.refs() if ref["internaldate"] is None] == [3]
    bench.database.execute("UPDATE mailbox_folder SET next_sweep_at = now()")
    assert bench.poll().state == "live"


@pytest.mark.parametrize("answer", ["NO [SERVERBUG] Internal error", "BAD Cannot parse message", "NO No such message", ""])
def test_mail_of_which_the_server_cannot_tell_comes_in_and_holds_nobody_up(
    bench_on: MakeBench, scripted: Callable[..., ScriptedImap], answer: str
) -> None:
    """An item of Exchange that is hurt: the answer for all is an error, or the connection ends in the middle of it."""
    numbers = list(range(1, 13))
    server = scripted(numbers, uidnext=13, untold={3: answer, 8: answer})
    bench = bench_on(settings_of(server))
    assert bench.poll().state == "live"
    assert sorted(bench.subjects()) == sorted(subjects(numbers))
    assert [ref["uid"] for ref in bench.refs() if ref["size"] is None] == [3, 8]
    server.uidvalidity = 8  # the same at a resync
    assert bench.poll().state == "live"
    assert len([ref for ref in bench.refs() if ref["uidvalidity"] == 8]) == len(numbers)


def test_mail_over_which_the_server_stumbles_holds_nobody_up(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    server = scripted([1, 2, 3], uidnext=4, unreadable={2: "NO [SERVERBUG] Internal error"})
    bench = bench_on(settings_of(server))
    for _ in range(SMALL.attempts):
        assert bench.poll().state == "live"
    assert {ref["uid"]: ref["status"] for ref in bench.refs()} == {1: "fetched", 2: "quarantined", 3: "fetched"}


def test_server_that_tells_of_no_mail_at_all_is_no_matter_of_single_mails(
    bench_on: MakeBench, scripted: Callable[..., ScriptedImap]
) -> None:
    numbers = list(range(1, 40))
    server = scripted(numbers, uidnext=40, untold=dict.fromkeys(numbers, ""))
    bench = bench_on(settings_of(server), limits=replace(SMALL, metadata_failures=10))
    assert bench.poll().state == "backoff"
    assert server.sessions <= 12
    server.untold.clear()
    assert bench.poll().state == "live"
    assert sorted(bench.subjects()) == sorted(subjects(numbers))


def test_bug_that_a_mailbox_meets_is_its_state_and_its_next_poll_goes_on(
    bench_on: MakeBench, scripted: Callable[..., ScriptedImap], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted([1, 2], uidnext=3)
    bench = bench_on(settings_of(server))
    with monkeypatch.context() as patched:
        patched.setattr(type(bench.session), "highest_uid", lambda _session, _seen: 1 // 0)
        for fails in (1, 2):
            report = bench.poll()
            assert (report.state, bench.folder()["last_error"]["code"], bench.folder()["fails"]) == (
                "backoff",
                "poll_broke",
                fails,
            )
    assert "ZeroDivisionError" in bench.folder()["last_error"]["message"]
    assert bench.poll().state == "live"
    assert bench.subjects() == subjects([1, 2])


def test_gap_of_a_real_server_is_crossed_at_the_first_poll_in_the_sweep_and_at_a_resync(
    bench_on: MakeBench, mail_server: Dovecot, mail_user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.append(mail_user, mail_samples.plain(1))
    mail_server.doveadm("mailbox", "update", "-u", mail_user, "--min-next-uid", str(FAR), "INBOX")
    mail_server.append_many(mail_user, [mail_samples.plain(number) for number in (2, 3, 4, 5)])
    bench = bench_on(mail_server.settings(mail_user), limits=Limits())
    asked: list[str] = []
    command = imaplib.IMAP4._command  # type: ignore[attr-defined]

    def counted(client: Any, name: str, *arguments: Any) -> Any:
        asked.append(name)
        return command(client, name, *arguments)

    monkeypatch.setattr(imaplib.IMAP4, "_command", counted)
    assert bench.poll().state == "live"
    assert bench.subjects() == subjects([1, 2, 3, 4, 5])
    assert [ref["uid"] for ref in bench.refs()] == [1, FAR, FAR + 1, FAR + 2, FAR + 3]
    assert len(asked) <= 100
    del asked[:]
    bench.database.execute("UPDATE mailbox_folder SET next_sweep_at = now()")
    assert (bench.poll().state, bench.folder()["missed"]) == ("live", 0)
    assert len(asked) <= 100
    del asked[:]
    mail_server.doveadm("mailbox", "update", "-u", mail_user, "--uid-validity", "777", "INBOX")
    assert bench.poll().state == "live"
    assert len(asked) <= 100
    assert len([ref for ref in bench.refs() if ref["uidvalidity"] == 777]) == 5


def test_server_without_partial_fetches_is_read_whole(bench_on: MakeBench, scripted: Callable[..., ScriptedImap]) -> None:
    server = scripted([1, 2, 3], uidnext=4, partial=False)
    large = mail_samples.plain(2) + b"x" * SMALL.raw_bytes
    server.mails[2] = large
    bench = bench_on(settings_of(server))
    assert bench.poll().state == "live"
    assert sorted(bench.subjects()) == subjects([1, 2, 3])
    assert {ref["uid"]: ref["status"] for ref in bench.refs()} == {1: "fetched", 2: "oversize", 3: "fetched"}


def test_session_that_hangs_in_the_middle_is_given_up_and_its_mails_come_in_later(
    bench_on: MakeBench, mail_server: Dovecot, mail_user: str
) -> None:
    mail_server.append_many(mail_user, [mail_samples.plain(number) for number in (1, 2, 3)])
    bench = bench_on(mail_server.settings(mail_user), limits=replace(SMALL, read_seconds=3.0))
    bench.session.examine()
    stopped = mail_server.sessions(mail_user)
    mail_server.signal_sessions(mail_user, signal.SIGSTOP)
    try:
        assert bench.poll().state == "live", "a kept connection that hangs is replaced by a new one"
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGKILL)
    assert bench.subjects() == subjects([1, 2, 3])


def test_failure_of_one_mailbox_doubles_its_pause_up_to_the_longest() -> None:
    limits = Limits()
    failure = Failure("refused", "", "backoff")
    pauses = [pause_after(failure, "backoff", fails, limits, 1.0) for fails in (0, 1, 2, 5, 9, 60)]
    assert pauses == [5.0, 10.0, 20.0, 160.0, 1800.0, 1800.0]
    assert pause_after(failure, "backoff", 0, limits, 0.8) == 4.0
    assert pause_after(failure, "auth_failed", 0, limits, 1.0) == 1800.0


def test_check_names_folders_counts_and_the_newest_subject(mail_server: Dovecot, mail_user: str, config: HubConfig) -> None:
    mail_server.append_many(mail_user, [mail_samples.plain(1), mail_samples.plain(2, subject="=?utf-8?b?0KbQtdC90LA=?=")])
    settings = ImapConfig.model_validate(mail_server.settings(mail_user))
    found = check(settings, replace(config, outbound_allow=ON_THIS_MACHINE), SMALL)
    assert [(one.name, one.ok) for one in found] == [(name, True) for name in ("connect", "folders", "folder", "mails", "newest")]
    text = " ".join(one.message for one in found)
    assert "INBOX" in text
    assert "Sent" in text
    assert "2 mails" in text
    assert "Цена" in text


@pytest.mark.parametrize(
    "change,name,word",
    [
        ({"password": "wrong"}, "connect", "password"),
        ({"folder": "Nowhere"}, "folder", "Nowhere"),
        ({"security": "tls"}, "connect", "TLS"),
        ({"host": "no-such-host.invalid"}, "connect", "not known"),
    ],
)
def test_check_ends_with_what_is_wrong(
    mail_server: Dovecot, mail_user: str, config: HubConfig, change: dict[str, Any], name: str, word: str
) -> None:
    settings = ImapConfig.model_validate(mail_server.settings(mail_user, **change))
    last = check(settings, replace(config, outbound_allow=ON_THIS_MACHINE), SMALL)[-1]
    assert (last.name, last.ok) == (name, False)
    assert word in last.message


def test_port_that_speaks_another_protocol_is_a_failure_in_words(bench_on: MakeBench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        bench = bench_on(
            {"host": "127.0.0.1", "port": listener.getsockname()[1], "user": "a", "password": "b", "security": "plain"}
        )  # fmt: skip
        report = bench.poll()
        thread.join()
    assert report.state == "backoff"
    assert report.failure is not None
