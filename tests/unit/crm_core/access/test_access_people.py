"""Passwords and links on real rows."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from principals import OPERATOR
from sqlalchemy import Engine, text

from crm_core.access import (
    HUB,
    Attempt,
    Principal,
    add_user,
    check_password,
    find_user_id,
    hash_password,
    passwords,
    set_password,
    sign_in_link,
    use_sign_in_link,
)
from crm_core.base.errors import Conflict, Invalid

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


def _one(engine: Engine, column: str) -> Any:
    with engine.begin() as connection:
        return connection.execute(text(f"SELECT {column} FROM app_user")).scalar_one()


def _try(engine: Engine, password: str, now: datetime, login: str = "anna@example.com") -> Principal | None:
    return check_password(engine, Attempt(login, password), now)


@pytest.fixture
def anna(engine: Engine) -> int:
    with engine.begin() as connection:
        return add_user(connection, HUB, " Anna@Example.com ", "Anna", "head", hash_password(PASSWORD))


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
    quick = passwords._hasher()

    class Counting:
        def verify(self, stored: str, password: bytes) -> bool:
            verified.append(stored)
            return quick.verify(stored, password)

        def hash(self, password: str) -> str:
            return quick.hash(password)

    monkeypatch.setattr(passwords, "_hasher", Counting)
    passwords._nobodys_hash.cache_clear()
    _try(engine, "wrong", NOW)
    _try(engine, "wrong", NOW, "bob@example.com")
    with engine.begin() as connection:
        connection.execute(text("UPDATE app_user SET active = false"))
    _try(engine, PASSWORD, NOW)
    assert len(verified) == 3


def test_a_hash_of_old_parameters_is_renewed_at_sign_in(engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _one(engine, "password_hash")
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: stronger)
    assert _try(engine, PASSWORD, NOW) is not None
    assert _one(engine, "password_hash") != before
    assert _try(engine, PASSWORD, NOW) is not None


def test_a_user_without_password_or_no_longer_active_cannot_use_one(engine: Engine) -> None:
    with engine.begin() as connection:
        add_user(connection, HUB, "link@example.com", "", "ops")
    assert _try(engine, "", NOW, "link@example.com") is None
    with engine.begin() as connection:
        user_id = find_user_id(connection, "LINK@example.com")
        assert user_id is not None
        set_password(connection, OPERATOR, user_id, hash_password(PASSWORD))
    assert _try(engine, PASSWORD, NOW, "link@example.com") is not None
    with engine.begin() as connection:
        connection.execute(text("UPDATE app_user SET active = false"))
    assert _try(engine, PASSWORD, NOW, "link@example.com") is None


def test_users_that_do_not_fit_are_refused(engine: Engine, anna: int) -> None:
    with engine.begin() as connection:
        with pytest.raises(Conflict):
            add_user(connection, HUB, "ANNA@example.com", "Anna", "head")
        for login, role, password, owner in (
            ("", "head", None, None), ("a\x00", "head", None, None), ("b", "king", None, None),
            ("b", "head", "short", None), ("b", "head", "x" * 2000, None), ("b", "head", None, 999),
        ):  # fmt: skip
            with pytest.raises(Invalid):
                add_user(connection, HUB, login, "B", role, password and hash_password(password), owner)
        assert add_user(connection, HUB, "b", "B", "manager") > 0  # the transaction is still good


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


def test_a_password_longer_than_allowed_is_not_cut_to_the_right_one(engine: Engine) -> None:
    longest = "x" * passwords.MAX_PASSWORD_CHARACTERS
    with engine.begin() as connection:
        add_user(connection, HUB, "anna@example.com", "Anna", "head", hash_password(longest))
    assert _try(engine, longest + "y", NOW) is None
    assert _try(engine, longest, NOW) is not None


def test_a_new_password_ends_the_links_that_were_open(engine: Engine, anna: int) -> None:
    with engine.begin() as connection:
        token = sign_in_link(connection, anna, NOW)
        set_password(connection, OPERATOR, anna, hash_password("another good one"))
        assert use_sign_in_link(connection, token, NOW) is None
