"""Callers who were missed and then reached, told in true order to workers that overtake each other: nothing stays open."""

from __future__ import annotations

import contextlib
import json
import os
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
#: LEADHUB_FAULT_CALLERS=2000 for the figure.
_MANY = int(os.environ.get("LEADHUB_FAULT_CALLERS", "300"))


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


@pytest.mark.timeout(900)
def test_no_task_is_wrong_when_all_workers_stop_for_five_seconds_amid_true_order(fault_hub: FaultHub) -> None:
    hub = fault_hub
    hub.start("web", "worker", "beat")
    people = ordinary(_MANY, 9_700_000)
    told = [_missed_then_reached(9_700_000 + 10 * n, person.phone()) for n, person in enumerate(people)]
    # Callers ring beside each other; each one's posts stay in their true order.
    posts = [post for at in range(0, _MANY, 20) for step in zip(*told[at : at + 20], strict=True) for post in step]
    log = OperationLog()
    senders = Senders(hub, log)
    sending = threading.Thread(target=senders.send, args=(posts, 200.0))
    sending.start()
    hub.until(lambda: senders.sent > len(posts) // 2, 300)
    workers = hub.children("worker")
    assert len(workers) >= 2, "both have to stop and to go on beside each other"
    for worker in workers:
        worker.send_signal(signal.SIGSTOP)
    time.sleep(5)
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.send_signal(signal.SIGCONT)
    sending.join()
    hub.until(lambda: hub.unfinished() == 0, 300)
    judge_calls(hub, posts)
    found = hub.rows("SELECT state, missed, tried, result->>'code' AS code, count(*) AS n FROM activity GROUP BY 1, 2, 3, 4")
    assert found == [{"state": "done", "missed": 1, "tried": 0, "code": "got_through", "n": _MANY}]
    leads = hub.rows("SELECT state, touches, split_part(title, ' ', 1) AS title, count(*) AS n FROM lead GROUP BY 1, 2, 3")
    assert leads == [{"state": "open", "touches": 2, "title": "missed", "n": _MANY}]
