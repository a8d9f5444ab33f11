"""Callers who were missed and then reached, told in true order to workers that overtake each other: nothing stays open."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from faulthub import FaultHub
from faulttraffic import OperationLog, Post, Senders, call, ordinary
from faultverdict import judge_calls

_CALLERS = 150


def _missed_then_reached(number: int, phone: str) -> list[Post]:
    """A call that nobody took, and the next one of the same caller, that 101 took. The exchange tells the times: posts of
    several connections come in as they like."""
    line = {"direction": "in", "from": phone.lstrip("+"), "to": "74951112233"}
    now = datetime.now(UTC)
    first, second, answer = ((now - timedelta(seconds=ago)).isoformat() for ago in (120, 60, 50))
    told = [
        ("newCall", "a", {"started_at": first}), ("hangup", "a", {"cause": "noAnswer"}),
        ("newCall", "b", {"started_at": second}),
        ("answer", "b", {"answeringNumber": "101", "answered_at": answer}), ("hangup", "b", {"cause": "normalClearing"}),
    ]  # fmt: skip
    return [
        Post(number + i, "call", json.dumps({"event": event, "callId": f"{number}{which}", **line, **more}).encode(),
             f"{number}-{i}", (phone,))
        for i, (event, which, more) in enumerate(told)
    ]  # fmt: skip


@pytest.mark.timeout(180)
def test_no_call_back_stays_open_when_workers_are_stopped_and_overtake_each_other(
    shared_fault_hub: FaultHub, dice: random.Random
) -> None:
    hub = shared_fault_hub
    people = ordinary(2 * _CALLERS, 9_500_000)
    posts = [
        post for n, person in enumerate(people[:_CALLERS]) for post in _missed_then_reached(9_500_000 + 10 * n, person.phone())
    ]
    # Beside them others, who are never reached: theirs stay open.
    posts += [post for n, person in enumerate(people[_CALLERS::5]) for post in call(9_800_000 + 10 * n, person, answered=False)]
    log = OperationLog()
    sending = threading.Thread(target=Senders(hub, log).send, args=(posts, 120.0))
    sending.start()
    while sending.is_alive():
        workers = hub.children("worker")
        stopped = dice.choice(workers) if workers else None
        with contextlib.suppress(psutil.NoSuchProcess):
            if stopped is not None:
                stopped.send_signal(signal.SIGSTOP)
                time.sleep(dice.uniform(0.05, 0.6))
                stopped.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    sending.join()
    assert set(log.answers) == {"200", "acknowledged"}
    hub.until(lambda: hub.unfinished() == 0, 60)
    judge_calls(hub, posts)
    reached = hub.rows(
        "SELECT state, missed, result->>'code' AS code, count(*) AS n FROM activity WHERE state <> 'open' GROUP BY 1, 2, 3"
    )
    assert reached == [{"state": "done", "missed": 1, "code": "got_through", "n": _CALLERS}]
