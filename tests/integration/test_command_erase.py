"""`leadhub erase` and `leadhub contact erase` on a real database: shown first, done then, told what could not be."""

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

PHONE = "+7 912 345-67-01"


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
    return lambda *arguments, **more: CliRunner().invoke(main, arguments, env=environment, **more)


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_erase_when_asked_shows_first_and_empties_then(desk: Desk, run: Callable[..., Result]) -> None:
    uid = desk.form(phone=PHONE, _gotcha="x")
    desk.drain("form")
    seen = answer(run("erase", "--phone", "8 912 345 67 01", "--dry-run", "--json"))
    assert (seen["count"], seen["found"][0]["id"]) == (1, uid)
    stopped = run("erase", "--phone", PHONE, "--why", "letter", input="n\n")
    assert (stopped.exit_code, uid in stopped.output) == (1, True)
    assert bytes(desk.event(uid)["body"]) != b""
    done = answer(run("erase", "--phone", PHONE, "--why", "letter", "--yes", "--json"))
    assert (done["events"], done["unsearched"]) == (1, {})
    assert bytes(desk.event(uid)["body"]) == b""


def test_contact_when_erased_takes_events_of_nobody_along(desk: Desk, run: Callable[..., Result]) -> None:
    desk.form(name="Ivan", phone=PHONE)
    uid = desk.form(comment="call 89123456701", _gotcha="x")
    desk.post(desk.form_source, "form", bytes(range(256)), {"content-type": "application/octet-stream"})
    desk.drain("form")
    desk.rows("UPDATE inbound_event SET contact_id = NULL, lead_id = NULL WHERE octet_length(body) = 256 RETURNING id")
    said = run("contact", "erase", "1", "--dry-run").stdout
    assert uid in said
    assert "1 of" in said
    done = run("contact", "erase", "1", "--why", "letter", "--yes")
    assert done.exit_code == 0
    assert "1 events of nobody" in done.stdout
    assert bytes(desk.event(uid)["body"]) == b""
    assert desk.one("SELECT name FROM contact WHERE id = 1") == ""


@pytest.mark.parametrize(
    "arguments, code",
    [
        (("erase", "--phone", PHONE), "why_missing"), (("erase", "--why", "x", "--yes"), "one_person"),
        (("erase", "--email", "nobody", "--dry-run"), "email_unreadable"), (("contact", "erase", "1", "--yes"), "why_missing"),
    ],
)  # fmt: skip
def test_erase_when_asked_wrongly_says_so(desk: Desk, run: Callable[..., Result], arguments: tuple[str, ...], code: str) -> None:
    refused = run(*arguments, "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (2, code)
