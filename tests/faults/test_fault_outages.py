"""One server away at a time, while posts go on: what the entrance says meanwhile, and that everything comes through."""

from __future__ import annotations

import random
import signal
import threading
import time

import pytest
import redis
from faulthub import FaultHub
from faulttraffic import OperationLog, Post, Senders, form, ordinary
from faultverdict import judge_journal, stored_posts

# Longer than every timeout and every pause that a role has: five and ten seconds.
HUNG_SECONDS = 15.0
DOWN_SECONDS = 12.0
#: What a provider with a deadline of five seconds may be made to wait.
SLOWEST_SECONDS = 4.0

# Alone on the machine: what is asserted here is a promise in seconds.
pytestmark = pytest.mark.serial

_numbers = iter(range(1_000_000, 10_000_000, 10_000))


def _forms(count: int, *, keyed: bool) -> list[Post]:
    """Forms of as many people, unlike those of any other test of this module."""
    first = next(_numbers)
    people = ordinary(count, first)
    return [form(first + n, person, [person.phone()], f"key-{first + n}" if keyed else None) for n, person in enumerate(people)]


def _sending(hub: FaultHub, posts: list[Post], rate: float) -> tuple[threading.Thread, OperationLog]:
    log = OperationLog()
    thread = threading.Thread(target=Senders(hub, log).send, args=(posts, rate))
    thread.start()
    return thread, log


def _require_all(hub: FaultHub, posts: list[Post], log: OperationLog) -> None:
    stored = {row["body"]: 1 for row in hub.rows("SELECT body FROM inbound_event")}
    assert [post.number for post in posts if post.number in log.acknowledged and post.body not in stored] == []
    ours = hub.rows("SELECT body FROM inbound_event WHERE body = ANY(%s)", [post.body for post in posts])
    assert len(ours) == len({row["body"] for row in ours})


def test_everything_is_done_by_itself_when_the_broker_is_flushed_in_the_middle(
    shared_fault_hub: FaultHub,
) -> None:
    hub = shared_fault_hub
    posts = _forms(2_000, keyed=False)
    thread, log = _sending(hub, posts, 500.0)
    with redis.Redis.from_url(hub.config.broker_url) as client:
        while thread.is_alive():
            time.sleep(0.5)
            client.flushall()
    thread.join()
    assert set(log.answers) == {"200", "acknowledged"}
    hub.until(lambda: hub.unfinished() == 0, 120)
    _require_all(hub, posts, log)
    judge_journal(hub)


@pytest.mark.timeout(300)
def test_every_post_is_answered_in_time_when_the_broker_hangs(shared_fault_hub: FaultHub) -> None:
    hub = shared_fault_hub
    posts = _forms(int(40 * HUNG_SECONDS), keyed=False)
    hub.signal("broker", signal.SIGSTOP)
    try:
        thread, log = _sending(hub, posts, 40.0)
        thread.join(HUNG_SECONDS)
    finally:
        hub.signal("broker", signal.SIGCONT)
    thread.join()
    print(f"slowest answer {log.slowest_seconds:.2f} s")
    assert dict(log.answers) == {"200": len(posts), "acknowledged": len(posts)}
    assert log.slowest_seconds < SLOWEST_SECONDS
    hub.until(lambda: hub.unfinished() == 0, 120)
    _require_all(hub, posts, log)
    judge_journal(hub)


@pytest.mark.timeout(300)
def test_posts_are_told_to_come_back_when_the_database_is_down(shared_fault_hub: FaultHub, dice: random.Random) -> None:
    hub = shared_fault_hub
    posts = _forms(540, keyed=True)
    dice.shuffle(posts)
    thread, log = _sending(hub, posts, 30.0)
    time.sleep(2)
    hub.hold("postgres")
    time.sleep(DOWN_SECONDS)
    answers = dict(log.answers)
    hub.release("postgres")
    thread.join()
    assert set(log.answers) == {"200", "503", "acknowledged"}
    assert answers["503"] > 0
    assert log.slowest_seconds < SLOWEST_SECONDS
    assert len(log.acknowledged) == len(posts)
    hub.until(hub.postgres_is_up)
    hub.until(lambda: hub.unfinished() == 0, 120)
    counts = stored_posts(hub, {post.body: post for post in posts} | _others(hub, posts))
    assert {counts[post.number] for post in posts} == {1}
    judge_journal(hub)


def _others(hub: FaultHub, posts: list[Post]) -> dict[bytes, Post]:
    """What earlier tests of the module left in the journal, under the number -1."""
    ours = {post.body for post in posts}
    rows = hub.rows("SELECT body FROM inbound_event")
    return {body: Post(-1, "form", body, None, ()) for row in rows if (body := bytes(row["body"])) not in ours}
