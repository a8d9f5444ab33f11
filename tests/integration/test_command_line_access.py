"""`leadhub user …`, `token …` and `owner retire` on a real database: the same rules as on the pages, and no password in clear."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from crm_core import access
from crm_core.base.config import HubConfig
from leadhub.cli import main
from leadhub.operator import operator

PASSWORD = "correct horse battery"
Run = Callable[..., Result]


@pytest.fixture
def run(config: HubConfig, quick_hashes: None) -> Run:
    environment = {
        "LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url,
        "LEADHUB_BROKER_URL": config.broker_url, "LEADHUB_SECRET_KEY": config.secret_key,
    }  # fmt: skip
    return lambda *arguments, stdin=None: CliRunner().invoke(main, [*arguments, "--json"], input=stdin, env=environment)


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    def invoke(*arguments: str, **more: Any) -> Any:
        result = run(*arguments, **more)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


@pytest.fixture
def admin(ask: Callable[..., Any]) -> str:
    made: str = ask("user", "add", "admin@example.com", "--role", "admin")["id"]
    return made


def _signs_in(engine: Engine, login: str, password: str = PASSWORD) -> bool:
    return access.check_password(engine, access.Attempt(login, password), datetime.now(UTC)) is not None


def _session(engine: Engine, user_id: str, secret: str) -> None:
    with engine.begin() as connection:
        access.renew_session(connection, int(user_id), secret, "link", "", datetime.now(UTC))


def _is_open(engine: Engine, secret: str) -> bool:
    with engine.begin() as connection:
        return access.find_session(connection, secret, datetime.now(UTC)) is not None


def test_user_from_the_first_day_to_the_last(ask: Callable[..., Any], engine: Engine, admin: str) -> None:
    olga = ask("user", "add", "olga@example.com", "--name", "Olga", "--role", "head", "--password", "-", stdin=PASSWORD + "\n")
    assert "/console/sign-in/" in olga["sign_in_url"]
    assert _signs_in(engine, "olga@example.com")

    _session(engine, olga["id"], "first")
    assert ask("user", "role", "olga@example.com", "ops")["role"] == "ops"
    assert not _is_open(engine, "first")

    _session(engine, olga["id"], "second")
    assert ask("user", "sign-out", olga["id"])["sessions"] == 0
    assert not _is_open(engine, "second")

    ask("user", "password", "Olga@example.com", "--password", "-", stdin="another good one\n")
    assert not _signs_in(engine, "olga@example.com")
    assert _signs_in(engine, "olga@example.com", "another good one")

    assert ask("user", "disable", "olga@example.com")["active"] is False
    assert not _signs_in(engine, "olga@example.com", "another good one")
    assert [row["login"] for row in ask("user", "list")["items"]] == ["admin@example.com", "olga@example.com"]
    assert ask("user", "enable", "olga@example.com")["active"] is True
    assert _signs_in(engine, "olga@example.com", "another good one")
    with engine.begin() as connection:
        rows = connection.execute(
            text("SELECT action FROM audit_entry WHERE subject = :who AND actor = :me ORDER BY id"),
            {"who": f"user:{olga['id']}", "me": operator().actor},
        ).scalars()
        assert list(rows) == [
            "user.add", "user.link", "user.change", "user.sign_out", "user.password", "user.disable", "user.enable",
        ]  # fmt: skip


#: What is asked, and with which status it is refused.
_REFUSED = (
    (("user", "password", "admin@example.com", "--password", "in clear words"), 2),
    (("user", "add", "x@example.com", "--password", "in clear words"), 2),
    (("user", "password", "admin@example.com"), 2),
    (("user", "password", "admin@example.com", "--password", "-"), 2),  # too short
    (("user", "role", "admin@example.com", "king"), 2),
    (("user", "role", "admin@example.com", "head"), 1),  # the last administrator
    (("user", "disable", "admin@example.com"), 1),
    (("user", "disable", "nobody@example.com"), 1),
    (("user", "link", "999"), 1),
    (("user", "owner", "admin@example.com", "x"), 2),
    (("user", "owner", "admin@example.com", "999"), 2),
    (("token", "revoke", "999"), 1),
    (("token", "create", "--role", "manager", "--name", "x", "--owner", "999"), 2),
    (("token", "create", "--role", "manager", "--name", "x", "--until", "2001-01-01"), 2),
    (("owner", "retire", "999"), 1),
)


def test_what_cannot_be_is_refused_with_the_right_status(run: Run, admin: str) -> None:
    results = {arguments: run(*arguments, stdin="short\n") for arguments, _ in _REFUSED}
    assert {arguments: result.exit_code for arguments, result in results.items()} == dict(_REFUSED)
    assert [result.exception for result in results.values() if not isinstance(result.exception, SystemExit)] == []


def test_token_of_an_owner_is_listed_and_revoked(ask: Callable[..., Any], engine: Engine) -> None:
    owner = ask("owner", "add", "Anna Example")["id"]
    made = ask("token", "create", "--role", "manager", "--name", "Phone app", "--owner", owner, "--until", "2199-12-31")
    with engine.begin() as connection:
        found = access.find_token(connection, made["token"])
    assert found is not None
    assert found.owner_id == int(owner)
    [listed] = ask("token", "list")["items"]
    assert (listed["owner"]["name"], listed["state"], listed["created_by"]["actor"]) == (
        "Anna Example",
        "active",
        operator().actor,
    )
    assert made["token"] not in str(listed)
    assert made["token"].startswith(listed["prefix"])
    assert ask("token", "revoke", made["id"])["state"] == "revoked"
    with engine.begin() as connection:
        assert access.find_token(connection, made["token"]) is None


def test_retired_owner_s_user_and_token_are_out(ask: Callable[..., Any], engine: Engine, run: Run, admin: str) -> None:
    owner = ask("owner", "add", "Anna Example")["id"]
    user = ask("user", "add", "anna@example.com", "--owner", owner, "--password", "-", stdin=PASSWORD + "\n")
    token = ask("token", "create", "--role", "manager", "--name", "App", "--owner", owner)["token"]
    _session(engine, user["id"], "open")
    assert ask("owner", "retire", owner)["active"] is False
    assert not _is_open(engine, "open")
    assert not _signs_in(engine, "anna@example.com")
    with engine.begin() as connection:
        assert access.find_token(connection, token) is None
        assert access.why_not(connection, token) == "revoked"
    assert run("user", "enable", "anna@example.com").exit_code == 1
    assert run("token", "create", "--role", "manager", "--name", "App", "--owner", owner).exit_code == 2
    ask("owner", "activate", owner)
    assert ask("user", "enable", "anna@example.com")["active"] is True
