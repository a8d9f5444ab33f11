"""Every command of `leadhub` on a real database and broker: its words, its JSON, its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, insert, select, text

from crm_core.base.config import HubConfig
from crm_core.sources.models import InboundEvent, Source
from leadhub import docs
from leadhub.cli import COMMANDS, main

Run = Callable[..., Result]


@pytest.fixture
def environment(config: HubConfig) -> dict[str, str]:
    return {
        "LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url,
        "LEADHUB_BROKER_URL": config.broker_url, "LEADHUB_SECRET_KEY": config.secret_key,
        "LEADHUB_PUBLIC_URL": "https://leads.example.com",
    }  # fmt: skip


@pytest.fixture
def run(environment: Mapping[str, str]) -> Run:
    def invoke(*arguments: str, input: str | None = None, **more: str) -> Result:  # noqa: A002 - as click calls it
        result = CliRunner().invoke(main, arguments, input=input, env={**environment, **more})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    """The JSON answer of a command that succeeds."""

    def invoke(*arguments: str, **more: Any) -> Any:
        result = run(*arguments, "--json", **more)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


@pytest.fixture
def event(engine: Engine, ask: Callable[..., Any]) -> str:
    """One event that needs attention, of a generic form; its id."""
    source_id = int(ask("source", "add", "generic_form", "--name", "Site")["id"])
    with engine.begin() as connection:
        uid: str = connection.execute(
            insert(InboundEvent)
            .values(source_id=source_id, channel="form", method="POST", path="", query="", body=b"name=\xff",
                    headers={"content-type": "application/x-www-form-urlencoded"}, state="needs_attention",
                    error={"code": "unreadable", "message": "It cannot be read."}, received_at=datetime.now(UTC))
            .returning(InboundEvent.uid)
        ).scalar_one()  # fmt: skip
    return uid


def test_help_lists_every_command_when_asked(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.output for name in COMMANDS)


def test_every_command_takes_json_when_listed() -> None:
    import click

    for path, command, _ in docs.commands(click.Context(main, info_name="leadhub")):
        assert "--json" in [name for parameter in command.params for name in parameter.opts], path


@pytest.mark.parametrize("arguments", [("nothing",), ("source", "add"), ("owner", "list", "--x"), ("ledger", "--day", "x")])
def test_exit_is_2_when_used_wrongly(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_settings_are_refused_with_status_1_when_impossible(run: Run) -> None:
    result = run("config", "--json", LEADHUB_PORT="x")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "settings_invalid"


def test_config_shows_no_secret_when_printed(run: Run, config: HubConfig) -> None:
    result = run("config")
    assert config.secret_key not in result.output
    assert "LEADHUB_TIMEZONE" in result.output


def test_migrate_changes_nothing_when_current(ask: Callable[..., Any]) -> None:
    assert ask("migrate") == {"migrated": False, "current": True}


def test_source_is_added_listed_paused_and_rotated_when_asked(ask: Callable[..., Any], run: Run) -> None:
    new = ask("source", "add", "generic_form", "--name", "Site", "--host", "www.example.com")
    assert new["url"].startswith("https://leads.example.com/in/")
    assert {"id", "name", "connector", "channel", "url"} <= new.keys()
    assert "secret" not in new
    assert ask("source", "pause", new["id"])["state"] == "paused"
    listed = ask("source", "list")["items"]
    assert [(row["id"], row["url"], row["state"]) for row in listed] == [(new["id"], new["url"], "paused")]
    assert ask("source", "resume", new["id"])["state"] == "active"
    assert ask("source", "rotate", new["id"])["url"] != new["url"]
    assert "Site" in run("source", "list").output


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("source", "add", "no_such", "--name", "x"), 1), (("source", "pause", "99"), 1), (("source", "test", "99"), 1),
        (("source", "add", "generic_form", "--name", "x", "--set", "nonsense=1"), 2),
        (("source", "add", "generic_form", "--name", "x", "--set", "nonsense"), 2),
        (("source", "add", "imap", "--name", "x"), 2), (("events", "show", "unknown"), 1), (("events", "replay"), 2),
        (("events", "replay", "nope"), 1), (("events", "replay", "nope", "--dry-run"), 1),
        (("owner", "absent", "99", "--until", "2999-01-01"), 1), (("user", "link", "nobody"), 1),
    ],
)  # fmt: skip
def test_error_is_one_sentence_when_it_cannot_be_done(run: Run, arguments: tuple[str, ...], status: int) -> None:
    result = run(*arguments)
    assert result.exit_code == status
    assert result.stderr
    assert "Traceback" not in result.output


def test_address_is_tried_and_found_wanting_when_no_web_server_answers(run: Run, ask: Callable[..., Any]) -> None:
    new = ask("source", "add", "generic_form", "--name", "Site")
    result = run("source", "test", new["id"], "--json", LEADHUB_PUBLIC_URL="http://127.0.0.1:9")
    assert result.exit_code == 1
    assert [finding["ok"] for finding in json.loads(result.stdout)["findings"]] == [True, False]


def test_owner_joins_the_default_pool_when_added(ask: Callable[..., Any], engine: Engine) -> None:
    new = ask("owner", "add", "Olga Example", "--extension", "101", "--team", "North", "--weight", "2")
    with engine.connect() as connection:
        weight = connection.scalar(text("SELECT weight FROM pool_member WHERE owner_id = :id"), {"id": int(new["id"])})
    assert weight == 2
    back = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    ask("owner", "absent", new["id"], "--until", f"{back:%Y-%m-%dT%H:%M}")
    row = next(row for row in ask("owner", "list")["items"] if row["id"] == new["id"])
    assert (row["name"], row["extension"], row["team"]) == ("Olga Example", "101", "North")
    assert row["absent_until"]


def test_user_signs_in_by_link_and_password_when_added(ask: Callable[..., Any], engine: Engine, run: Run) -> None:
    new = ask("user", "add", "olga@example.com", "--role", "head", "--password-stdin", input="correct horse battery\n")
    assert new["sign_in_url"].startswith("https://leads.example.com/console/sign-in/")
    assert ask("user", "link", "olga@example.com")["id"] == new["id"]
    from crm_core.access import Attempt, check_password

    assert check_password(engine, Attempt("olga@example.com", "correct horse battery"), datetime.now(UTC)) is not None
    assert run("user", "add", "olga@example.com").exit_code == 1


def test_token_opens_the_api_when_created(ask: Callable[..., Any], engine: Engine) -> None:
    from crm_core.access import find_token

    key = ask("token", "create", "--role", "ops", "--name", "Monitoring")["token"]
    with engine.begin() as connection:
        found = find_token(connection, key)
    assert found is not None
    assert found.role == "ops"


def test_events_are_listed_and_shown_when_there(ask: Callable[..., Any], run: Run, event: str) -> None:
    assert [row["id"] for row in ask("events", "list", "--state", "needs_attention")["items"]] == [event]
    assert ask("events", "list", "--state", "done")["items"] == []
    assert ask("events", "show", event)["state"] == "needs_attention"
    assert run("events", "show", event, "--raw").stdout_bytes == b"name=\xff"
    assert ask("events", "show", event, "--raw")["raw"]["body"] == "name=\ufffd"


def test_replay_changes_nothing_when_dry_and_sends_when_not(ask: Callable[..., Any], engine: Engine, event: str) -> None:
    def state() -> str:
        with engine.connect() as connection:
            return connection.execute(select(InboundEvent.state).where(InboundEvent.uid == event)).scalar_one()

    report = ask("events", "replay", "--state", "needs_attention", "--dry-run")
    assert (report["selected"], report["replayed"], state()) == (1, 0, "needs_attention")
    assert ask("events", "replay", event)["replayed"] == 1
    assert state() == "waiting"


def test_ledger_balances_when_something_needs_attention(ask: Callable[..., Any], run: Run, event: str) -> None:
    answer = ask("ledger")
    assert answer["balanced"] is True
    assert [(row["received"], row["needs_attention"]) for row in answer["items"]] == [(1, 1)]
    assert "Nothing arrived" in run("ledger", "--day", "2001-01-01").output


def test_health_fails_with_reasons_when_no_worker_was_heard(run: Run) -> None:
    result = run("health", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"]


def test_doctor_finds_nothing_bad_when_all_is_there(run: Run) -> None:
    result = run("doctor", "--json")
    findings = json.loads(result.stdout)["findings"]
    assert result.exit_code == 0, findings
    assert {"database", "schema", "broker", "mailboxes", "clock", "disk", "sync"} <= {row["name"] for row in findings}


def test_doctor_names_each_part_when_the_servers_are_away(run: Run) -> None:
    away = {"LEADHUB_DATABASE_URL": "postgresql://x:geheim@127.0.0.1:9/x", "LEADHUB_BROKER_URL": "redis://127.0.0.1:9/0"}
    result = run("doctor", **away)
    assert result.exit_code == 1
    assert result.output.count("BAD") == 5
    assert "geheim" not in result.output


def test_command_says_so_when_the_database_is_away(run: Run) -> None:
    result = run("owner", "list", LEADHUB_DATABASE_URL="postgresql://127.0.0.1:9/x")
    assert result.exit_code == 1
    assert result.stderr.startswith("The database does not answer.")


def test_secret_of_a_source_is_sealed_when_stored(ask: Callable[..., Any], engine: Engine) -> None:
    new = ask(
        "source", "add", "imap", "--name", "Sales", "--set", "host=imap.example.com", "--set", "user=sales",
        "--set", "password=geheim-geheim",
    )  # fmt: skip
    assert "url" not in new or new["url"] == ""
    with engine.connect() as connection:
        stored = connection.execute(select(Source.config).where(Source.id == int(new["id"]))).scalar_one()
    assert "geheim" not in json.dumps(stored)
