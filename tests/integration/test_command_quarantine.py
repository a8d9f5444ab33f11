"""`leadhub quarantine` and `leadhub alerts` on a real database: words, JSON, exit status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from desk import Desk
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from ingest.alerts.alerts import raise_alert
from leadhub.cli import main
from leadhub.operator import operator


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


@pytest.fixture
def run(config: HubConfig) -> Callable[..., Result]:
    environment = {
        "LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url,
        "LEADHUB_BROKER_URL": config.broker_url, "LEADHUB_SECRET_KEY": config.secret_key,
    }  # fmt: skip
    return lambda *arguments: CliRunner().invoke(main, arguments, env=environment)


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_quarantine_when_listed_released_and_confirmed(desk: Desk, run: Callable[..., Result]) -> None:
    first = desk.form(name="Inna", phone="+79123456701", _gotcha="x")
    second = desk.form(name="Vera", phone="+79123456702", _gotcha="x")
    desk.drain("form")
    assert [item["id"] for item in answer(run("quarantine", "list", "--json"))["items"]] == [second, first]
    said = run("quarantine", "list").stdout
    assert "honeypot" in said
    assert "Inna" in said
    assert answer(run("quarantine", "release", first, "--json")) == {"events": 1}
    again = run("quarantine", "release", first, "--json")
    assert (again.exit_code, json.loads(again.stdout)["error"]["code"]) == (1, "nothing_to_judge")
    assert answer(run("quarantine", "confirm", "--source", str(desk.form_source), "--since", "2020-01-01", "--json")) == {
        "events": 1
    }
    desk.drain("form")
    assert desk.event(first)["outcome"] == "created"
    assert desk.event(second)["verdict"]["by"] == operator().actor
    assert [item["id"] for item in answer(run("quarantine", "list", "--shelf", "confirmed", "--json"))["items"]] == [second]


@pytest.mark.parametrize("deed", ["release", "confirm"])
def test_quarantine_fails_in_words_when_none_of_those_named_is_there(desk: Desk, run: Callable[..., Result], deed: str) -> None:
    nobody = run("quarantine", deed, "nope")
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert "none of these is set aside" in nobody.stderr
    kept = desk.form(name="Vera", phone="+79123456702", _gotcha="x")
    desk.drain("form")
    assert answer(run("quarantine", deed, kept, "nope", "--json")) == {"events": 1}
    assert run("quarantine", deed, "--source", str(desk.form_source), "--until", "2020-01-01").exit_code == 0


def test_quarantine_when_nothing_is_named_is_wrong_usage(desk: Desk, run: Callable[..., Result]) -> None:
    assert run("quarantine", "release").exit_code == 2
    assert run("quarantine", "release", "--alert", "999").exit_code == 1
    assert run("quarantine", "list", "--shelf", "attic").exit_code == 2


def test_alerts_when_listed_and_resolved(desk: Desk, run: Callable[..., Result]) -> None:
    with desk.engine.begin() as connection:
        raise_alert(connection, desk.form_source, "new_field", "budget")
    assert "budget" in run("alerts").stdout
    (alert,) = answer(run("alerts", "--json"))["items"]
    assert answer(run("alerts", "--resolve", alert["id"], "--json"))["resolved_by"] == operator().actor
    assert answer(run("alerts", "--json"))["items"] == []
    assert run("alerts", "--resolve", "999").exit_code == 1
