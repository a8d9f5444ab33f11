"""`leadhub source alias`: what is added is listed, what is taken is told, what is removed is gone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from crm_core.base.config import HubConfig
from leadhub.cli import main


@pytest.fixture
def environment(config: HubConfig) -> dict[str, str]:
    return {
        "LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url,
        "LEADHUB_BROKER_URL": config.broker_url, "LEADHUB_SECRET_KEY": config.secret_key,
    }  # fmt: skip


def test_alias_is_kept_by_command(environment: dict[str, str]) -> None:
    def run(*arguments: str, status: int = 0) -> Any:
        result = CliRunner().invoke(main, [*arguments, "--json"], env=environment)
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    first, second = (run("source", "add", "generic_form", "--name", name)["id"] for name in ("One", "Two"))
    assert run("source", "alias", "add", first, "https://formspree.io/f/xyzabcde")["alias"] == "formspree:xyzabcde"
    assert [row["alias"] for row in run("source", "alias", "list", first)["items"]] == ["formspree:xyzabcde"]
    taken = run("source", "alias", "add", second, "formspree:xyzabcde", status=1)
    assert taken["error"]["code"] == "alias_taken"
    run("source", "alias", "remove", first, "formspree:xyzabcde")
    assert run("source", "alias", "list", first)["items"] == []
    assert run("source", "alias", "add", second, "formspree:xyzabcde")["alias"] == "formspree:xyzabcde"
