"""`leadhub audit` on a real database, and that commands leave their rows in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from desk import Desk
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from leadhub.cli import main
from leadhub.doctor import examine
from leadhub.operator import operator

Run = Callable[..., Result]


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


@pytest.fixture
def run(config: HubConfig) -> Run:
    environment = {
        "LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url,
        "LEADHUB_BROKER_URL": config.broker_url, "LEADHUB_SECRET_KEY": config.secret_key,
    }  # fmt: skip
    return lambda *arguments: CliRunner().invoke(main, arguments, env=environment)


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


def test_what_a_command_does_or_shows_stands_in_the_audit(desk: Desk, run: Run) -> None:
    event = desk.form(name="Inna", phone="+79123456701")
    owner = answer(run("owner", "add", "Vera", "--json"))["id"]
    run("owner", "absent", owner, "--until", "2100-01-01")
    assert "Inna" in run("events", "show", event, "--raw").stdout
    assert "Inna" in run("events", "show", event, "--raw", "--json").stdout
    run("events", "show", event)  # no raw data, no row
    rows = answer(run("audit", "list", "--actor", "cli", "--json"))["items"]
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("event.raw", f"event:{event}"), ("event.raw", f"event:{event}"), ("owner.absent", f"owner:{owner}"),
        ("owner.add", f"owner:{owner}"),
    ]  # fmt: skip
    assert {row["actor"] for row in rows} == {operator().actor}  # who typed it, by their account on the machine
    assert answer(run("audit", "list", "--actor", operator().actor, "--json"))["items"] == rows
    assert "event.raw" in run("audit", "list", "--subject", "event").stdout
    assert answer(run("audit", "list", "--subject", "lead", "--json"))["items"] == []


def test_verification_ends_with_1_and_the_place_when_somebody_was_there(desk: Desk, run: Run, config: HubConfig) -> None:
    run("owner", "add", "Vera")
    run("owner", "add", "Anna")
    whole = run("audit", "verify", "--json")
    assert whole.exit_code == 0
    told = answer(whole)
    assert (told["ok"], told["entries"], told["head"]["position"], told["broken"]) == (
        True,
        7,
        7,
        None,
    )  # two sources and three owners too
    assert [finding.state for finding in examine(config) if finding.name == "audit"] == ["ok"]
    desk.connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    desk.connection.execute("UPDATE audit_entry SET subject = 'owner:99' WHERE id = (SELECT max(id) FROM audit_entry)")
    broken = run("audit", "verify", "--json")
    assert broken.exit_code == 1
    assert (answer(broken)["broken"]["code"], answer(broken)["broken"]["position"]) == ("entry_changed", 7)
    assert "BROKEN at position 7" in run("audit", "verify").stdout
    assert [finding.state for finding in examine(config) if finding.name == "audit"] == ["bad"]
