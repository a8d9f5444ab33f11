"""`leadhub mapping …` on a real hub: try from a file, publish, what was missed comes once, go back, history."""

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

FIX = 'fields:\n  phone: {from: ["$.zakaz_kod"]}\n'
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

    def invoke(*arguments: str, **more: Any) -> Result:
        result = CliRunner().invoke(main, arguments, env=environment, **more)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_mapping_from_a_file_is_tried_published_and_taken_back(desk: Desk, run: Run) -> None:
    source = str(desk.form_source)
    desk.form(zakaz_kod="+7 912 345-67-05, after six")
    desk.drain("form")
    tried = run("mapping", "try", source, "--file", "-", input=FIX)
    assert tried.exit_code == 0
    assert "1 events. Now: 1 created. They would become: 1 created. New leads: 0." in tried.output
    assert "phones" in tried.output
    report = _json(run("mapping", "try", source, "--file", "-", "--json", input=FIX))
    assert (report["changed"], report["items"][0]["differs"]) == (1, ["phones", "fields"])
    assert desk.one("SELECT count(*) FROM source_mapping") == 0

    published = _json(run("mapping", "publish", source, "--file", "-", "--note", "the new form", "--json", input=FIX))
    assert (published["version"], published["state"], published["note"]) == (1, "published", "the new form")
    assert FIX in run("mapping", "show", source).output
    dry = _json(run("events", "replay", "--source", source, "--affected", "--dry-run", "--json"))
    assert (dry["selected"], dry["replayed"]) == (1, 0)
    assert _json(run("events", "replay", "--source", source, "--affected", "--json"))["replayed"] == 1
    desk.drain("form")
    assert _json(run("events", "replay", "--source", source, "--affected", "--json"))["replayed"] == 0
    assert desk.one("SELECT count(*) FROM lead") == 1
    assert desk.one("SELECT value FROM identifier") == "+79123456705"

    assert _json(run("mapping", "rollback", source, "--json")) == {"published": None}
    assert _json(run("mapping", "rollback", source, "--version", "1", "--json")) == {"published": 2}
    history = _json(run("mapping", "history", source, "--json"))["items"]
    assert [(one["version"], one["state"]) for one in history] == [(2, "published"), (1, "retired")]
    assert "RETIRED" not in run("mapping", "history", source).output  # states are words of the contract, not of a terminal


def test_wrong_mapping_names_its_line_and_ends_with_two(desk: Desk, run: Run) -> None:
    source = str(desk.form_source)
    wrong = run("mapping", "publish", source, "--file", "-", input='fields:\n  fone: {from: ["$.a"]}\n')
    assert wrong.exit_code == 2
    assert "line 2" in wrong.output
    assert run("mapping", "publish", source, "--file", "/nowhere/mapping.yaml").exit_code == 2
    none = run("mapping", "try", source, "--json")
    assert (none.exit_code, json.loads(none.stdout)["error"]["code"]) == (1, "no_draft")
    assert run("mapping", "show", "999999").exit_code == 1
    assert "its connector's rules hold" in run("mapping", "show", source).output
    assert run("events", "replay", "--affected").exit_code == 2
    assert desk.one("SELECT count(*) FROM source_mapping") == 0
