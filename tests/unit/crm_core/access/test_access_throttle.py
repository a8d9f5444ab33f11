"""Who waits after wrong passwords, and for how long: on real rows, with the clock in our hands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from crm_core.access import (
    HUB,
    Attempt,
    Principal,
    add_user,
    check_password,
    hash_password,
    passwords,
    throttle,
)
from crm_core.base.errors import TooMany, Transient

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
ATTACKER, OFFICE = "203.0.113.7", "198.51.100.20"


@pytest.fixture
def anna(engine: Engine) -> int:
    with engine.begin() as connection:
        return add_user(connection, HUB, "anna@example.com", "Anna", "head", hash_password(PASSWORD))


def _attempt(
    password: str, network: str = ATTACKER, visitor: str = "v", login: str = "anna@example.com", **more: object
) -> Attempt:
    return Attempt(login, password, network, visitor, **more)  # type: ignore[arg-type]


def _wait(engine: Engine, attempt: Attempt, now: datetime) -> int:
    """Seconds that this try was told to wait; 0 if its password was looked at."""
    try:
        check_password(engine, attempt, now)
    except TooMany as error:
        return int(error.data["seconds"])
    return 0


def _signs_in(engine: Engine, attempt: Attempt, now: datetime) -> bool:
    try:
        return isinstance(check_password(engine, attempt, now), Principal)
    except TooMany:
        return False


def _rows(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM sign_in_bucket")).scalar_one())


@pytest.mark.parametrize("login", ["anna@example.com", "nobody@example.com"])
def test_waits_grow_and_end_whether_there_is_such_a_user_or_not(engine: Engine, anna: int, login: str) -> None:
    now, waits = NOW, []
    for _ in range(12):
        assert _wait(engine, _attempt("wrong", login=login), now) == 0
        wait = _wait(engine, _attempt("wrong", login=login), now)
        waits.append(wait)
        now += timedelta(seconds=wait)
    assert waits[:3] == [0, 1, 2]
    assert waits[-1] == 60
    assert waits == sorted(waits)


def test_the_waits_of_one_network_double_from_a_second_to_a_minute() -> None:
    waits = [throttle.wait_after(failures, throttle.AT_NETWORK).total_seconds() for failures in range(1, 13)]
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_tries_during_a_wait_prolong_nothing_and_the_right_one_gets_in_after_it(engine: Engine, anna: int) -> None:
    for _ in range(3):
        assert _wait(engine, _attempt("wrong"), NOW) == 0
    for _ in range(5):
        assert _wait(engine, _attempt(PASSWORD), NOW) == 1
    assert _signs_in(engine, _attempt(PASSWORD), NOW + timedelta(seconds=1))
    assert _wait(engine, _attempt("wrong"), NOW + timedelta(seconds=1)) == 0  # and all is forgotten


def test_a_known_browser_always_gets_in_while_others_guess(engine: Engine, anna: int) -> None:
    """1.2 tries a second on the account for two minutes, from elsewhere and from the user's own network."""
    let_in = 0
    for tick in range(160):
        now = NOW + timedelta(seconds=tick / 1.2)
        _wait(engine, _attempt(f"guess {tick}", network=OFFICE if tick % 2 else ATTACKER, visitor=f"v{tick}"), now)
        if tick % 10 == 9:
            let_in += _signs_in(engine, _attempt(PASSWORD, network=OFFICE, devices={anna: "known-browser-01"}), now)
    assert let_in == 16


def test_typing_errors_in_a_known_browser_cost_no_wait_and_guessing_there_is_bounded(engine: Engine, anna: int) -> None:
    known = {anna: "stolen-cookie-01"}
    for _ in range(throttle.OF_DEVICE.free):
        assert _wait(engine, _attempt("wrong", devices=known), NOW) == 0
    wait = _wait(engine, _attempt("wrong", devices=known), NOW)
    assert 0 < wait <= throttle.OF_DEVICE.longest_seconds
    assert _signs_in(engine, _attempt(PASSWORD, devices=known), NOW + timedelta(seconds=wait))


def test_a_browser_is_known_to_its_own_user_only(engine: Engine, anna: int) -> None:
    with engine.begin() as connection:
        boris = add_user(connection, HUB, "boris@example.com", "Boris", "head", hash_password(PASSWORD))
    for _ in range(3):
        _wait(engine, _attempt("wrong", devices={boris: "known-browser-01"}), NOW)
    assert _wait(engine, _attempt(PASSWORD, devices={boris: "known-browser-01"}), NOW) == 1


@pytest.mark.parametrize("network", [OFFICE, ATTACKER])
@pytest.mark.parametrize("new_visitor", [True, False])
def test_an_unknown_browser_waits_as_long_as_it_was_told_and_gets_in(
    engine: Engine, anna: int, network: str, new_visitor: bool
) -> None:
    """Others go on guessing meanwhile, also from the same address, with a new cookie each time or with one."""
    told, until, began = None, None, 60
    for second in range(began + 80):
        now = NOW + timedelta(seconds=second)
        _wait(engine, _attempt("guess", visitor=f"v{second}" if new_visitor else "v"), now)
        # And from many networks, so that the account itself is closed.
        _wait(engine, _attempt("guess", network=f"192.0.2.{second}", visitor="o"), now)
        if second >= began and (until is None or now >= until):
            told = _wait(engine, _attempt("typing error" if until is None else PASSWORD, network, "mine"), now)
            if told == 0:
                break
            until = now + timedelta(seconds=told)
    assert told == 0
    assert second - began <= 75  # a minute, and the gap between turns


def test_guessing_one_password_on_many_accounts_closes_the_network(engine: Engine, anna: int) -> None:
    waits = [_wait(engine, _attempt("Spring2026!", login=f"user{n}@example.com"), NOW) for n in range(40)]
    assert waits[: throttle.OF_NETWORK.free] == [0] * throttle.OF_NETWORK.free
    assert all(wait > 0 for wait in waits[throttle.OF_NETWORK.free + 1 :])
    assert _signs_in(engine, _attempt(PASSWORD, network=OFFICE), NOW)


def test_signing_in_with_an_own_account_opens_nothing_for_guesses_on_others(engine: Engine, anna: int) -> None:
    guessed = 0
    for n in range(50):
        guessed += _wait(engine, _attempt("Spring2026!", login=f"user{n}@example.com"), NOW) == 0
        _signs_in(engine, _attempt(PASSWORD), NOW)
    assert guessed <= throttle.OF_NETWORK.free + 1


def test_guesses_at_once_are_counted_one_by_one(engine: Engine, anna: int) -> None:
    looked_at: list[bool] = []

    def guess(number: int) -> None:
        try:
            looked_at.append(_wait(engine, _attempt(f"guess {number}"), NOW) == 0)
        except Transient:
            looked_at.append(False)

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(looked_at) == 8
    assert sum(looked_at) <= 3


def test_turns_collected_beforehand_are_worth_one_guess_in_ten_seconds(engine: Engine, anna: int) -> None:
    for minute in range(9):  # to the longest wait
        now = NOW + timedelta(minutes=minute)
        _wait(engine, _attempt("guess"), now)
    for visitor in range(40):
        assert _wait(engine, _attempt("guess", visitor=f"v{visitor}"), now) > 0
    later = [now + timedelta(seconds=61 + tick / 2) for tick in range(50)]
    guessed = sum(_wait(engine, _attempt("guess", visitor=f"v{tick % 40}"), at) == 0 for tick, at in enumerate(later))
    assert 1 < guessed <= 4


@pytest.fixture
def full_lane() -> Iterator[None]:
    """Others' hashes in all places of the lane."""
    lanes = passwords._lanes()
    for _ in range(passwords._PLACES):
        assert lanes.places["stranger"].acquire(blocking=False)
    yield
    for _ in range(passwords._PLACES):
        lanes.places["stranger"].release()


def test_a_try_that_found_no_place_is_not_counted(engine: Engine, anna: int, full_lane: None) -> None:
    for _ in range(10):
        with pytest.raises(Transient) as busy:
            check_password(engine, _attempt("wrong"), NOW)
        assert busy.value.code == "sign_in_busy"
    with engine.begin() as connection:
        assert connection.execute(text("SELECT max(failures) FROM sign_in_bucket")).scalar_one() == 0


def test_a_known_browser_has_a_lane_of_its_own(engine: Engine, anna: int, full_lane: None) -> None:
    assert _signs_in(engine, _attempt(PASSWORD, devices={anna: "known-browser-01"}), NOW)


def test_the_table_stays_small_however_many_networks_guess(engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_MOST_ROWS", 50)
    monkeypatch.setattr(throttle, "_SWEEP_EVERY", 8)
    for n in range(80):
        _wait(engine, _attempt("guess", network=f"2001:db8:{n:x}::/64", login=f"user{n}@example.com"), NOW)
    assert _rows(engine) <= 50 + 8


def test_what_is_an_hour_old_is_forgotten(engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_SWEEP_EVERY", 1)
    for n in range(20):
        _wait(engine, _attempt("guess", login=f"user{n}@example.com"), NOW)
    assert _signs_in(engine, _attempt(PASSWORD), NOW + timedelta(hours=1, seconds=1))
    assert _rows(engine) <= 2


def test_the_table_names_nobody(engine: Engine, anna: int) -> None:
    for _ in range(4):
        _wait(engine, _attempt("guess"), NOW)
    with engine.begin() as connection:
        kept = str(connection.execute(text("SELECT to_jsonb(b) FROM sign_in_bucket b")).scalars().all())
    assert "anna" not in kept
    assert ATTACKER not in kept


def test_refusals_are_in_the_audit_without_what_was_typed_and_ever_fewer(engine: Engine, anna: int) -> None:
    for minute in range(20):
        _wait(engine, _attempt("my secret"), NOW + timedelta(minutes=minute * 2))
        _wait(engine, _attempt("guess", login="my password by mistake"), NOW + timedelta(minutes=minute * 2))
    with engine.begin() as connection:
        rows = connection.execute(
            text("SELECT subject, data->>'failures', actor FROM audit_entry WHERE action = 'session.refuse' ORDER BY id")
        ).all()
        everything = str(connection.execute(text("SELECT to_jsonb(a) FROM audit_entry a")).scalars().all())
    assert [count for subject, count, _ in rows if subject == f"user:{anna}"] == ["1", "2", "3", "4", "8", "16"]
    assert [count for subject, count, _ in rows if subject == "user:unknown"] == ["1", "2", "3", "4", "8", "16"]
    assert "my" not in everything


def test_nobody_waits_for_a_clock_that_went_back(engine: Engine, anna: int) -> None:
    for _ in range(3):
        _wait(engine, _attempt("guess"), NOW)
    assert _signs_in(engine, _attempt(PASSWORD), NOW - timedelta(hours=1))


@pytest.mark.parametrize("change", ["password_hash = 'another'", "active = false"])
def test_sign_in_that_was_being_checked_is_none_when_the_user_was_changed_meanwhile(
    engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """A hash takes its time, and longer in a queue."""
    real = passwords.fits

    def slow(*given: object) -> bool:
        fits = real(*given)  # type: ignore[arg-type]
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE app_user SET {change} WHERE id = :id"), {"id": anna})
        return fits

    monkeypatch.setattr(passwords, "fits", slow)
    assert not _signs_in(engine, _attempt(PASSWORD), NOW)
