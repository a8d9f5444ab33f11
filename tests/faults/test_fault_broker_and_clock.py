"""The broker in any state whatever, and clocks that are set, while forms go on: what is acknowledged becomes an outcome within
seconds, and when the fault ends everything goes on by itself, without one process started anew."""

from __future__ import annotations

import secrets
import signal
import threading
import time
from collections.abc import Callable

import pytest
import redis
from faulthub import FaultHub
from faulttraffic import OperationLog, Post, Senders, form, ordinary
from faultverdict import judge_journal

from workers.jobs import PULL_SECONDS
from workers.wake import MOST_WAITING

# Alone on the machine: what is asserted here is a promise in seconds.
pytestmark = [pytest.mark.serial, pytest.mark.timeout(120)]

RATE = 20.0
#: "Within seconds": two until the silence is noticed, one until the next look, and as many again for a busy machine.
OLDEST_SECONDS = 6.0
QUIET_SECONDS = 30.0
ROLES = ("web", "worker", "beat")

_numbers = iter(range(1_000_000, 10_000_000, 10_000))


def _forms(count: int) -> list[Post]:
    first = next(_numbers)
    return [form(first + n, person, [person.phone()], None) for n, person in enumerate(ordinary(count, first))]


def _client(hub: FaultHub) -> redis.Redis:
    return redis.Redis.from_url(hub.config.broker_url, socket_timeout=5)


def _oldest_seconds(hub: FaultHub) -> float:
    oldest = "SELECT extract(epoch FROM clock_timestamp() - min(received_at))::float8 FROM inbound_event"
    return float(hub.one(f"{oldest} WHERE state IN ('waiting', 'working')") or 0.0)


def _require_going_on(
    hub: FaultHub, begin: Callable[[], object], end: Callable[[], object], seconds: float,
    again: Callable[[], object] = lambda: None, oldest_seconds: float = OLDEST_SECONDS,
) -> None:  # fmt: skip
    """Traffic all the time, the fault in its middle. `again` is done with each look while it lasts."""
    starts = {role: hub.starts(role) for role in ROLES}
    posts, log = _forms(int(RATE * (seconds + 2))), OperationLog()
    thread = threading.Thread(target=Senders(hub, log).send, args=(posts, RATE))
    thread.start()
    oldest = 0.0
    try:
        time.sleep(1)
        begin()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            again()
            oldest = max(oldest, _oldest_seconds(hub))
            time.sleep(0.2)
    finally:
        end()
        hub.rows("DELETE FROM heartbeat WHERE role = 'sweep' RETURNING role")
        heard = hub.until(hub.working, QUIET_SECONDS)
        thread.join()
    quiet = hub.until(lambda: hub.unfinished() == 0, QUIET_SECONDS)
    print(f"oldest {oldest:.1f} s, sweeps heard after {heard:.1f} s, quiet after {quiet:.1f} s, {dict(log.answers)}")
    assert oldest < oldest_seconds
    done = hub.rows("SELECT outcome, body FROM inbound_event WHERE body = ANY(%s)", [post.body for post in posts])
    assert {row["outcome"] for row in done} == {"created"}
    assert {bytes(row["body"]) for row in done} >= {p.body for p in posts if p.number in log.acknowledged}
    assert len(log.acknowledged) > len(posts) * 0.9
    judge_journal(hub)
    assert {role: hub.starts(role) for role in ROLES} == starts


def test_forms_become_leads_when_the_broker_hangs(shared_fault_hub: FaultHub) -> None:
    hub = shared_fault_hub
    # Longer than a socket waits for it twice, so that whatever is acknowledged, sent or asked fails.
    _require_going_on(hub, lambda: hub.signal("broker", signal.SIGSTOP), lambda: hub.signal("broker", signal.SIGCONT), 11.0)


def test_forms_become_leads_when_the_broker_is_full(shared_fault_hub: FaultHub) -> None:
    with _client(shared_fault_hub) as client:
        _require_going_on(
            shared_fault_hub,
            lambda: client.config_set("maxmemory", "100kb"),
            lambda: client.config_set("maxmemory", "256mb"),
            4.0,
        )


def test_forms_become_leads_when_the_broker_is_read_only(shared_fault_hub: FaultHub) -> None:
    with _client(shared_fault_hub) as client:
        _require_going_on(
            shared_fault_hub, lambda: client.replicaof("127.0.0.1", "1"), lambda: client.replicaof("NO", "ONE"), 4.0
        )


def test_forms_become_leads_when_the_broker_cuts_every_connection(shared_fault_hub: FaultHub) -> None:
    def cut() -> None:
        with _client(shared_fault_hub) as client:
            client.client_kill_filter(_type="normal", skipme=True)

    _require_going_on(shared_fault_hub, cut, cut, 4.0, again=cut)


def test_forms_become_leads_when_the_broker_is_away_and_forgets(shared_fault_hub: FaultHub) -> None:
    hub = shared_fault_hub

    def come_back() -> None:
        hub.forget_broker()
        hub.release("broker")

    _require_going_on(hub, lambda: hub.hold("broker"), come_back, 5.0)


def test_forms_become_leads_when_the_broker_is_loading(shared_fault_hub: FaultHub) -> None:
    hub = shared_fault_hub
    with _client(hub) as client:
        for n in range(60):
            client.set(f"ballast:{n}", secrets.token_bytes(2_000))
        client.bgrewriteaof()
        hub.until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], 10)
    # A tenth of a second for each key, and an answer to whoever asks meanwhile.
    slow = ("--key-load-delay", "100000", "--loading-process-events-interval-bytes", "1024")

    def load() -> None:
        hub.command("broker", *slow)
        hub.kill("broker")

    _require_going_on(hub, load, lambda: hub.command("broker"), 6.0)
    with _client(hub) as client:
        assert client.dbsize() >= 60
        client.flushall()


def test_worker_clears_a_full_broker_when_it_starts(shared_fault_hub: FaultHub) -> None:
    """As an earlier version left it: wake-ups of two days, and what it had written down as taken."""
    hub = shared_fault_hub
    hub.hold("worker")
    hub.until(lambda: not hub.children("worker"))
    posts, log = _forms(100), OperationLog()
    with _client(hub) as client:
        hint = b'{"body": "W1sic' + b"x" * 1_000 + b'"}'
        for queue in ("intake.form", "maintenance", "fetch"):
            client.lpush(f"leadhub:{queue}", *[hint] * 4_000)
        client.hset("leadhub:unacked", mapping={str(n): hint for n in range(500)})
        client.config_set("maxmemory", "1mb")
        with pytest.raises(redis.OutOfMemoryError):
            client.set("leadhub:probe", "x")
        Senders(hub, log).send(posts, 200.0)
        assert len(log.acknowledged) == hub.unfinished() == len(posts)
        hub.release("worker")
        quiet = hub.until(lambda: hub.unfinished() == 0, QUIET_SECONDS)
        hub.until(lambda: sum(_lengths(client).values()) < 50, QUIET_SECONDS)
        assert client.exists("leadhub:unacked") == 0
        client.config_set("maxmemory", "256mb")
        hub.rows("DELETE FROM heartbeat WHERE role = 'sweep' RETURNING role")
        heard = hub.until(hub.working, QUIET_SECONDS)
    print(f"quiet after {quiet:.1f} s, sweeps heard after {heard:.1f} s")
    judge_journal(hub)


def test_wake_ups_do_not_grow_when_the_workers_are_away(shared_fault_hub: FaultHub) -> None:
    hub = shared_fault_hub
    hub.hold("worker")
    try:
        hub.until(lambda: not hub.children("worker"))
        Senders(hub, OperationLog()).send(_forms(600), 150.0)
        time.sleep(4)
        with _client(hub) as client:
            lengths = _lengths(client)
        print(lengths)
        # And one for each of five senders (two web processes, beat, mail, a console) that looked at the same moment.
        assert lengths["intake.form"] > 0
        assert max(lengths.values()) <= MOST_WAITING + 5
    finally:
        hub.release("worker")
    hub.until(lambda: hub.unfinished() == 0, QUIET_SECONDS)
    judge_journal(hub)


_AHEAD = """
CREATE FUNCTION ahead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.next_attempt_at := NEW.next_attempt_at + interval '1 hour'; RETURN NEW; END $$;
CREATE TRIGGER ahead BEFORE INSERT ON inbound_event FOR EACH ROW EXECUTE FUNCTION ahead();
UPDATE heartbeat SET at = at + interval '1 hour' RETURNING role
"""


def test_forms_become_leads_when_the_clock_is_set_back_and_forward(shared_fault_hub: FaultHub) -> None:
    """A database's clock cannot be set from here, so rows are put where the other clock would have put them: new ones an hour
    ahead, as before it was set back; leases an hour behind, as after it was set forward."""
    hub, ended = shared_fault_hub, set()
    lease = "UPDATE inbound_event SET next_attempt_at = next_attempt_at - interval '1 hour'"

    def end_leases() -> None:
        rows = hub.rows(f"{lease} WHERE state = 'working' AND id <> ALL(%s) RETURNING id", list(ended))
        ended.update(row["id"] for row in rows)

    def set_right() -> None:
        with hub.connected() as connection:
            connection.execute("DROP FUNCTION ahead CASCADE")

    def set_back() -> None:
        with hub.connected() as connection:
            connection.execute(_AHEAD)

    longest = OLDEST_SECONDS + PULL_SECONDS
    _require_going_on(hub, set_back, set_right, 6.0, again=end_leases, oldest_seconds=longest)


def _lengths(client: redis.Redis) -> dict[str, int]:
    queues = ("intake.form", "intake.call", "intake.mail", "maintenance", "fetch")
    return {queue: int(client.llen(f"leadhub:{queue}")) for queue in queues}
