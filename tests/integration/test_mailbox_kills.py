"""A poller that dies at each step of its poll, and two that want the same folder: every mail exactly once."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator

import mail_samples
import pytest
from dovecot import Dovecot
from mailbox_bench import SMALL, Bench, make_bench, poll_once_in_a_child
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from ingest.mailbox import Session, poll

#: Children are forked from a server that has imported everything once: an import each would cost a second.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["mailbox_bench"])


@pytest.fixture
def bench(engine: Engine, config: HubConfig, mail_server: Dovecot, mail_user: str) -> Iterator[Bench]:
    made = make_bench(engine, config, mail_server.settings(mail_user))
    yield made
    made.close()


def _child(bench: Bench, config: HubConfig, failpoint: str, lease_seconds: float) -> int:
    """Runs one poll elsewhere and returns how it ended; -9 is the failpoint."""
    bench.database.execute(
        "UPDATE mailbox_folder SET next_poll_at = now(), next_sweep_at = now() WHERE source_id = %s",
        (bench.source_id,),
    )
    child = _PROCESSES.Process(
        target=poll_once_in_a_child,
        args=(
            config.database_url,
            bench.source_id,
            lease_seconds,
            bench.settings.model_dump_json(),
            failpoint,
        ),
    )
    child.start()
    child.join(60)
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode


@pytest.mark.parametrize(
    "failpoint",
    ["mailbox.after_lease", "mailbox.after_baseline", "mailbox.in_refs", "mailbox.in_refs:2", "mailbox.after_refs",
     "mailbox.after_refs:2", "mailbox.after_fetch", "mailbox.after_fetch:2", "mailbox.in_store", "mailbox.in_store:2",
     "mailbox.after_store", "mailbox.after_store:3", "mailbox.after_wake", "mailbox.in_sweep", "mailbox.before_finish"],
)  # fmt: skip
def test_every_mail_comes_in_once_when_the_poller_is_killed(
    bench: Bench, config: HubConfig, mail_server: Dovecot, mail_user: str, failpoint: str
) -> None:
    mail_server.append_many(mail_user, [mail_samples.plain(number) for number in range(1, 21)])
    assert _child(bench, config, failpoint, 0.2) == -signal.SIGKILL
    _until_leased_out(bench)
    bench.poll()
    assert bench.subjects() == [f"Inquiry {number}" for number in range(1, 21)]
    assert bench.folder()["missed"] == 0
    assert {ref["status"] for ref in bench.refs()} == {"fetched"}


@pytest.mark.parametrize("failpoint", ["mailbox.in_resync", "mailbox.after_resync"])
def test_every_mail_comes_in_once_when_the_poller_is_killed_in_a_resync(
    bench: Bench, config: HubConfig, mail_server: Dovecot, mail_user: str, failpoint: str
) -> None:
    mail_server.append_many(mail_user, [mail_samples.plain(number) for number in range(1, 6)])
    bench.poll()
    bench.session.drop()
    mail_server.append_many(mail_user, [mail_samples.plain(number) for number in range(6, 9)])
    mail_server.set_uidvalidity(mail_user, 888_001)
    assert _child(bench, config, failpoint, 0.2) == -signal.SIGKILL
    _until_leased_out(bench)
    bench.poll()
    assert sorted(bench.subjects()) == sorted(f"Inquiry {n}" for n in [*range(1, 6), *range(1, 9)])
    assert bench.folder()["epoch"] == 1


def test_second_poller_leaves_a_leased_folder_alone(
    bench: Bench, config: HubConfig, mail_server: Dovecot, mail_user: str
) -> None:
    mail_server.append(mail_user, mail_samples.plain(1))
    assert _child(bench, config, "mailbox.after_refs", 60) == -signal.SIGKILL
    assert not bench.poll().ran
    assert bench.events() == []
    bench.database.execute("UPDATE mailbox_folder SET lease_until = now() - interval '1 second'")
    assert bench.poll().ran
    assert bench.subjects() == ["Inquiry 1"]


def test_mails_come_in_once_when_two_pollers_race(bench: Bench, config: HubConfig, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append_many(mail_user, [mail_samples.plain(number) for number in range(1, 61)])
    start = threading.Barrier(2)

    def race(name: str) -> None:
        session = Session(bench.settings, bench.allowed, SMALL)
        with connect(config.database_url, "worker") as database:
            start.wait()
            for _ in range(15):
                poll(database, session, bench.source_id, owner=name, lease_seconds=0.03)
                database.execute("UPDATE mailbox_folder SET next_poll_at = now()")
                time.sleep(0.02)
        session.close()

    threads = [threading.Thread(target=race, args=(f"racer:{number}",)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _until_leased_out(bench)
    bench.poll()
    assert sorted(bench.subjects()) == sorted(f"Inquiry {number}" for number in range(1, 61))
    assert all(event["redeliveries"] == 0 for event in bench.events())


def test_poller_writes_nothing_when_its_lease_was_taken_over(bench: Bench, mail_server: Dovecot, mail_user: str) -> None:
    mail_server.append_many(mail_user, [mail_samples.plain(number) for number in range(1, 11)])

    def taken_over(_: str) -> None:
        bench.woken.append("mail")
        bench.database.execute("UPDATE mailbox_folder SET lease_token = 'other', lease_until = now() + interval '1 minute'")

    report = poll(bench.database, bench.session, bench.source_id, owner="slow:1", wake=taken_over)
    assert not report.ran
    assert len(bench.events()) == SMALL.batch_mails, "the batch before the take-over stays, the next one is refused"
    assert bench.folder()["lease_token"] == "other"


def _until_leased_out(bench: Bench) -> None:
    """The dead poller's lease must run out by itself, as it would in life."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not bench.rows("SELECT 1 FROM mailbox_folder WHERE lease_until >= now()"):
            return
        time.sleep(0.05)
    raise AssertionError("the lease never ran out")
