"""Passwords, links and sessions on real rows."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, text

from crm_core.access import (
    Principal,
    add_user,
    check_password,
    end_sessions,
    find_session,
    find_user_id,
    session_epoch,
    set_locale,
    set_password,
    sign_in_link,
    use_sign_in_link,
    users,
)
from crm_core.errors import Conflict, Invalid

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real algorithm with the least work: these tests are about counting, not about heat."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(users, "_hasher", lambda: quick)
    users._nobodys_hash.cache_clear()


def _one(engine: Engine, column: str) -> Any:
    with engine.begin() as connection:
        return connection.execute(text(f"SELECT {column} FROM app_user")).scalar_one()


def _try(engine: Engine, password: str, now: datetime, login: str = "anna@example.com") -> Principal | None:
    with engine.begin() as connection:
        return check_password(connection, login, password, now)


@pytest.fixture
def anna(engine: Engine) -> int:
    with engine.begin() as connection:
        return add_user(connection, " Anna@Example.com ", "Anna", "head", PASSWORD)


def test_a_password_signs_in_whoever_wrote_the_login_in_any_case(engine: Engine, anna: int) -> None:
    expected = Principal("user", anna, "Anna", "head")
    assert _try(engine, PASSWORD, NOW, "ANNA@example.com ") == expected
    assert expected.actor == f"user:{anna}"


def test_a_password_is_kept_as_argon2id_only(engine: Engine, anna: int) -> None:
    assert _one(engine, "password_hash").startswith("$argon2id$")
    assert PASSWORD not in str(_one(engine, "to_jsonb(app_user)"))


@pytest.mark.parametrize("login, password", [
    ("anna@example.com", "wrong"), ("anna@example.com", ""), ("anna@example.com", PASSWORD + " "), ("", PASSWORD),
    ("bob@example.com", PASSWORD), ("anna@example.com\x00", PASSWORD), ("\ud800", "\ud800"), ("anna@example.com", "\x00"),
    ("' OR 1=1 --", PASSWORD), ("anna@example.com", "x" * 100_000),
])  # fmt: skip
def test_a_wrong_login_or_password_signs_nobody_in(engine: Engine, anna: int, login: str, password: str) -> None:
    assert _try(engine, password, NOW, login) is None


def test_an_unknown_login_costs_the_same_hash(engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    quick = users._hasher()

    class Counting:
        def verify(self, stored: str, password: bytes) -> bool:
            verified.append(stored)
            return quick.verify(stored, password)

        def hash(self, password: str) -> str:
            return quick.hash(password)

    monkeypatch.setattr(users, "_hasher", Counting)
    users._nobodys_hash.cache_clear()
    _try(engine, "wrong", NOW)
    _try(engine, "wrong", NOW, "bob@example.com")
    with engine.begin() as connection:
        connection.execute(text("UPDATE app_user SET active = false"))
    _try(engine, PASSWORD, NOW)
    assert len(verified) == 3


def test_wrong_passwords_delay_longer_and_longer_and_never_for_ever(engine: Engine, anna: int) -> None:
    now, waits = NOW, []
    for _ in range(12):
        assert _try(engine, "wrong", now) is None
        until = _one(engine, "locked_until")
        waits.append((until - now).total_seconds() if until else 0)
        now = until or now
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert _try(engine, PASSWORD, now) is not None
    assert (_one(engine, "failed_logins"), _one(engine, "locked_until")) == (0, None)


def test_during_a_delay_even_the_right_password_waits_and_nothing_prolongs_it(engine: Engine, anna: int) -> None:
    for _ in range(3):
        _try(engine, "wrong", NOW)
    until = _one(engine, "locked_until")
    assert _try(engine, PASSWORD, NOW) is None
    assert _try(engine, "wrong", NOW) is None
    assert _one(engine, "locked_until") == until
    assert _try(engine, PASSWORD, until) is not None


def test_guesses_at_once_are_counted_one_by_one(engine: Engine, anna: int) -> None:
    threads = [threading.Thread(target=_try, args=(engine, f"guess {n}", NOW)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _one(engine, "failed_logins") == 3  # the third began a delay; the others were not even compared


def test_a_hash_of_old_parameters_is_renewed_at_sign_in(engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _one(engine, "password_hash")
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(users, "_hasher", lambda: stronger)
    assert _try(engine, PASSWORD, NOW) is not None
    assert _one(engine, "password_hash") != before
    assert _try(engine, PASSWORD, NOW) is not None


def test_a_user_without_password_or_no_longer_active_cannot_use_one(engine: Engine) -> None:
    with engine.begin() as connection:
        add_user(connection, "link@example.com", "", "ops")
    assert _try(engine, "", NOW, "link@example.com") is None
    with engine.begin() as connection:
        user_id = find_user_id(connection, "LINK@example.com")
        assert user_id is not None
        set_password(connection, user_id, PASSWORD)
    assert _try(engine, PASSWORD, NOW, "link@example.com") is not None
    with engine.begin() as connection:
        connection.execute(text("UPDATE app_user SET active = false"))
        assert find_user_id(connection, "link@example.com") is None
    assert _try(engine, PASSWORD, NOW, "link@example.com") is None


def test_users_that_do_not_fit_are_refused(engine: Engine, anna: int) -> None:
    with engine.begin() as connection:
        with pytest.raises(Conflict):
            add_user(connection, "ANNA@example.com", "Anna", "head")
        for login, role, password, owner in (
            ("", "head", None, None), ("a\x00", "head", None, None), ("b", "king", None, None),
            ("b", "head", "short", None), ("b", "head", "x" * 2000, None), ("b", "head", None, 999),
        ):  # fmt: skip
            with pytest.raises(Invalid):
                add_user(connection, login, "B", role, password, owner)
        assert add_user(connection, "b", "B", "manager") > 0  # the transaction is still good


def test_a_link_signs_in_once_and_in_time(engine: Engine, anna: int) -> None:
    with engine.begin() as connection:
        token = sign_in_link(connection, anna, NOW, minutes=5)
        late = sign_in_link(connection, anna, NOW, minutes=5)
        stored = connection.execute(text("SELECT digest FROM sign_in_link")).scalars().all()
        assert token.encode() not in [bytes(digest) for digest in stored]
        assert use_sign_in_link(connection, token, NOW + timedelta(minutes=4)) == Principal("user", anna, "Anna", "head")
        assert use_sign_in_link(connection, token, NOW + timedelta(minutes=4)) is None
        assert use_sign_in_link(connection, late, NOW + timedelta(minutes=5)) is None
        for nonsense in ("", "x", "\x00", "\ud800", token[:-1]):
            assert use_sign_in_link(connection, nonsense, NOW) is None


def test_of_two_clicks_on_a_link_one_gets_in(engine: Engine, anna: int) -> None:
    with engine.begin() as connection:
        token = sign_in_link(connection, anna, NOW)
    got: list[Principal | None] = []

    def click() -> None:
        with engine.begin() as connection:
            got.append(use_sign_in_link(connection, token, NOW))

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([principal for principal in got if principal]) == 1


def test_a_link_of_somebody_who_left_signs_nobody_in(engine: Engine, anna: int) -> None:
    with engine.begin() as connection:
        token = sign_in_link(connection, anna, NOW)
        connection.execute(text("UPDATE app_user SET active = false"))
        assert use_sign_in_link(connection, token, NOW) is None


def test_sessions_end_with_their_epoch_a_new_password_or_the_user(engine: Engine, anna: int) -> None:
    with engine.begin() as connection:
        epoch = session_epoch(connection, anna)
        set_locale(connection, anna, "ru")
        assert find_session(connection, anna, epoch) == Principal("user", anna, "Anna", "head", None, "ru")
        end_sessions(connection, anna)
        assert find_session(connection, anna, epoch) is None
        set_password(connection, anna, PASSWORD)
        assert session_epoch(connection, anna) == epoch + 2
        connection.execute(text("UPDATE app_user SET active = false"))
        assert find_session(connection, anna, epoch + 2) is None
        with pytest.raises(Invalid):
            set_locale(connection, anna, "fr")
