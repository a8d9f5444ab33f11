"""Kills at random moments under mixed load: acknowledged = outcomes, nothing lost, nothing doubled."""

from __future__ import annotations

import random
import threading
import time

import pytest
import redis
from faulthub import FaultHub
from faulttraffic import OperationLog, Senders, mixture, shuffled
from faultverdict import judge

EVENTS = 10_000
PEOPLE = 2_500
RATE = 300.0  # posts a second at most: the load lasts long enough for all kills
KILLS = 24
MOST_PAUSE_SECONDS = 2.4


def _strike(hub: FaultHub, dice: random.Random) -> str:
    victim = dice.choice(("web", "web/", "worker", "worker/", "worker/", "beat", "broker", "flush", "postgres"))
    if victim == "flush":
        try:
            with redis.Redis.from_url(hub.config.broker_url, socket_timeout=2) as client:
                client.flushall()
        except redis.RedisError:
            victim = "flush (broker away)"
    else:
        hub.kill(victim.rstrip("/"), child=victim.endswith("/"))
    return victim


@pytest.mark.timeout(600)  # it shares the machine with other tests
def test_nothing_is_lost_or_doubled_when_everything_is_killed(fault_hub: FaultHub, dice: random.Random) -> None:
    hub = fault_hub
    hub.start("web", "worker", "beat")
    hub.until(hub.working)
    posts = mixture(dice, EVENTS, PEOPLE)
    plan = shuffled(dice, posts)
    log = OperationLog()
    senders = Senders(hub, log)
    struck: list[str] = []
    ended = threading.Event()

    def nemesis() -> None:
        while not ended.wait(dice.uniform(0.3, MOST_PAUSE_SECONDS)) and len(struck) < KILLS:
            struck.append(_strike(hub, dice))

    began = time.monotonic()
    thread = threading.Thread(target=nemesis)
    thread.start()
    try:
        senders.send(plan, RATE)
    finally:
        ended.set()
        thread.join()
    loaded = time.monotonic() - began
    hub.until(hub.postgres_is_up)
    healed = hub.until(lambda: hub.unfinished() == 0, 120)
    print(f"{len(struck)} strikes {struck}, {senders.sent} sends in {loaded:.0f} s, quiet after {healed:.1f} s")
    print(dict(log.answers))
    judge(hub, posts, log)
    assert log.answers["503 without Retry-After"] == 0
    assert len(struck) >= 10
