"""Secrets of `leadhub source add` from standard input and files, so that none has to stand on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from ingest.sources.sources import load_source
from leadhub.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(config: HubConfig, engine: Engine) -> Run:
    environment = {
        "LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url,
        "LEADHUB_BROKER_URL": config.broker_url, "LEADHUB_SECRET_KEY": config.secret_key,
    }  # fmt: skip

    def add(connector: str, *settings: str, said: str | None = None) -> Result:
        pairs = [part for setting in settings for part in ("--set", setting)]
        return CliRunner().invoke(
            main, ["source", "add", connector, "--name", "S", *pairs, "--json"], input=said, env=environment
        )

    return add


@pytest.fixture
def stored(config: HubConfig, engine: Engine) -> Callable[[Result], dict[str, Any]]:
    def read(result: Result) -> dict[str, Any]:
        assert result.exit_code == 0, result.output
        with engine.connect() as connection:
            return load_source(connection, config, int(json.loads(result.stdout)["id"])).settings.model_dump()

    return read


def test_secrets_are_read_line_by_line_from_standard_input(run: Run, stored: Callable[[Result], dict[str, Any]]) -> None:
    settings = stored(run("mango", "key=-", "salt=-", said="the-key\n the salt \r\nmore\n"))
    assert (settings["key"], settings["salt"]) == ("the-key", " the salt ")


def test_a_secret_is_read_from_a_file(run: Run, stored: Callable[[Result], dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("пароль=@-\n")
    assert stored(run("zadarma", f"secret=@{file}"))["secret"] == "пароль=@-"


def test_what_is_no_secret_is_taken_as_it_stands(run: Run, stored: Callable[[Result], dict[str, Any]]) -> None:
    assert stored(run("generic_form", "honeypots=@, -"))["honeypots"] == ["@", "-"]
    assert stored(run("telegram", "secret=in-the-open"))["secret"] == "in-the-open"


@pytest.mark.parametrize("setting, said, code", [
    ("secret=-", "", "secret_empty"), ("secret=-", "\n", "secret_empty"), ("secret=@/nowhere/at/all", None, "secret_unreadable"),
    ("secret=@/tmp", None, "secret_unreadable"), ("secret=@/dev/zero", None, "secret_unreadable"), ("secret=@/dev/null", None, "secret_empty"),
    ("hunter2", None, "pair_invalid"), ("=hunter2", None, "pair_invalid"),
])  # fmt: skip
def test_what_cannot_be_read_is_wrong_usage_in_words(run: Run, setting: str, said: str | None, code: str) -> None:
    result = run("zadarma", setting, said=said)
    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (2, code)
    assert "hunter2" not in result.output


def test_a_secret_in_the_open_is_warned_of_where_a_person_reads(config: HubConfig, engine: Engine) -> None:
    environment = {"LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url,
                   "LEADHUB_BROKER_URL": config.broker_url, "LEADHUB_SECRET_KEY": config.secret_key}  # fmt: skip
    result = CliRunner().invoke(main, ["source", "add", "telegram", "--name", "S", "--set", "secret=hunter2"], env=environment)
    assert result.exit_code == 0
    assert "secret=- (standard input)" in result.stderr
    assert "hunter2" not in result.output
