"""Who may sign in while others guess, seen from the page: known browsers, waits that are said, and hashes apart from intake."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from crm_core.access import passwords, throttle
from webhooks.engines import ui_engine

if TYPE_CHECKING:
    from conftest import Hub, Visitor
    from werkzeug.test import TestResponse

PASSWORD = "correct horse battery"
_PATIENCE = 60.0  # seconds for what takes none; a test that hangs fails instead


def _try(visitor: Visitor, password: str, address: str = "203.0.113.7", login: str = "admin@example.com") -> TestResponse:
    fields = {"form_token": visitor.token, "login": login, "password": password}
    return visitor.client.post("/console/sign-in", data=fields, environ_overrides={"REMOTE_ADDR": address})


def _visitor(hub: Hub) -> Visitor:
    visitor = hub.new_visitor()
    visitor.get("/console/sign-in")
    return visitor


def test_known_browser_signs_in_sixteen_times_of_sixteen_while_somebody_guesses(hub: Hub) -> None:
    mine, attacker = _visitor(hub), _visitor(hub)
    assert _try(mine, PASSWORD).status_code == 303
    statuses = []
    for _ in range(16):
        mine.get("/console/leads")
        mine.post("/console/sign-out")  # the browser stays known
        for _ in range(3):
            assert _try(attacker, "guess").status_code in (403, 429)
        mine.get("/console/sign-in")
        statuses.append(_try(mine, PASSWORD).status_code)
    assert statuses == [303] * 16


def test_wait_is_said_with_its_seconds_and_unknown_names_wait_the_same(hub: Hub) -> None:
    pages = []
    for login in ("admin@example.com", "nobody@example.com"):
        visitor = _visitor(hub)
        answers = [_try(visitor, "guess", login=login) for _ in range(12)]
        waits = [answer for answer in answers if answer.status_code == 429]
        assert answers[2].status_code == 403
        assert waits
        for answer in waits:
            assert f"Try again in {answer.headers['Retry-After']} second" in answer.text
            assert 1 <= int(answer.headers["Retry-After"]) <= throttle.AT_NETWORK.longest_seconds
        pages.append([answer.status_code for answer in answers[:3]])
    assert pages[0] == pages[1]


def test_addresses_of_one_ipv6_network_count_as_one(hub: Hub) -> None:
    visitor = _visitor(hub)
    statuses = [_try(visitor, "guess", f"2001:db8:1:2::{n:x}").status_code for n in range(1, 7)]
    assert 429 in statuses
    assert _try(visitor, PASSWORD, "2001:db8:1:3::1").status_code == 303


@pytest.mark.parametrize("cookie", ["nonsense", "W1sxLCJhYWFhYWFhYWFhYWFhYWFhIl1d.forged", ""])
def test_forged_cookie_makes_no_known_browser(hub: Hub, cookie: str) -> None:
    visitor = _visitor(hub)
    visitor.client.set_cookie(f"leadhub_browser_{hub.config.port}", cookie)
    for _ in range(3):
        _try(visitor, "guess")
    assert _try(visitor, PASSWORD).status_code == 429


def test_cookie_of_a_known_browser_opens_nothing_and_names_nobody(hub: Hub) -> None:
    visitor = _visitor(hub)
    answer = _try(visitor, PASSWORD)
    [cookie] = [header for header in answer.headers.getlist("Set-Cookie") if header.startswith("leadhub_browser_")]
    assert "HttpOnly" in cookie
    assert "admin" not in cookie
    other = hub.new_visitor()
    other.client.set_cookie(f"leadhub_browser_{hub.config.port}", cookie.split(";")[0].split("=", 1)[1])
    assert other.get("/console/leads").status_code == 303


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, hub: Hub) -> Iterator[_Held]:
    """Hashes that end when the test says so. The real hub is told through its own pool."""
    held = _Held(hub)
    monkeypatch.setattr(passwords, "_hasher", lambda: held)
    yield held
    held.free.set()


class _Held:
    def __init__(self, hub: Hub) -> None:
        self.hub, self.free, self.started = hub, threading.Event(), threading.Semaphore(0)
        self.running, self.most, self.connections = 0, 0, 0
        self.lock = threading.Lock()
        self.quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

    def hash(self, password: bytes | str) -> str:
        return self.quick.hash(password)

    def check_needs_rehash(self, stored: str) -> bool:
        return False

    def verify(self, stored: str, password: bytes) -> bool:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.started.release()
        assert self.free.wait(_PATIENCE)
        with self.lock:
            self.running -= 1
        return self.quick.verify(stored, password)


def test_forms_are_answered_while_48_sign_ins_wait_for_one_hash(hub: Hub, held: _Held) -> None:
    visitors = [_visitor(hub) for _ in range(48)]
    answers: list[TestResponse] = []
    refused = threading.Semaphore(0)

    def knock(number: int) -> None:
        answer = _try(visitors[number], "guess", f"198.51.100.{number}", f"user{number}@example.com")
        answers.append(answer)
        if answer.status_code == 503:
            refused.release()

    threads = [threading.Thread(target=knock, args=(n,), daemon=True) for n in range(48)]
    for thread in threads:
        thread.start()
    assert held.started.acquire(timeout=_PATIENCE)
    for _ in range(48 - passwords._PLACES):
        assert refused.acquire(timeout=_PATIENCE)  # answered at once, not queued

    # One hash runs, two wait for it; nobody holds a connection meanwhile, and forms come in.
    assert held.running == 1
    assert ui_engine(hub.config).pool.checkedout() == 0  # type: ignore[attr-defined]
    for number in range(5):
        hub.send(b'{"name": "Honest %d", "email": "honest%d@example.com", "message": "hello"}' % (number, number))
    assert hub.rows("SELECT count(*) FROM lead") == [(5,)]

    held.free.set()
    for thread in threads:
        thread.join(_PATIENCE)
    assert held.most == 1
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [403] * passwords._PLACES + [503] * (48 - passwords._PLACES)
    busy = [answer for answer in answers if answer.status_code == 503]
    assert {answer.headers["Retry-After"] for answer in busy} == {"3"}
    assert all("Try again in 3 seconds" in answer.text for answer in busy)


def test_known_browser_is_let_in_while_strangers_fill_their_lane(hub: Hub, held: _Held, monkeypatch: pytest.MonkeyPatch) -> None:
    held.free.set()
    mine = _visitor(hub)
    assert _try(mine, PASSWORD).status_code == 303
    mine.get("/console/leads")
    mine.post("/console/sign-out")
    mine.get("/console/sign-in")
    for _ in range(passwords._PLACES):
        assert passwords._lanes().places["stranger"].acquire(blocking=False)
    try:
        assert _try(_visitor(hub), PASSWORD).status_code == 503
        assert _try(mine, PASSWORD).status_code == 303
    finally:
        for _ in range(passwords._PLACES):
            passwords._lanes().places["stranger"].release()
