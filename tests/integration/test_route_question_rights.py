"""The question during a call names a person, so only an exchange's own, living address may ask it; what a page shows may not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from factories.contact import make_contact
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.people.commands import add_owner
from ingest.sources.aliases import add_alias
from ingest.sources.sources import add_source, rotate_token, set_state
from webhooks.entrance import pbx_routing

CALLER = "+79123456701"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[FlaskClient]:
    """A client of the exchange's, and a firm that knows one person: Ivan, who belongs to Olga, at 101."""
    with engine.begin() as connection:
        owner = add_owner(connection, HUB, "Olga Sale", extension="101")
        make_contact(connection, "Ivan Petrov", owner, phone=CALLER, id=900)
    app = Flask(__name__)
    app.register_blueprint(pbx_routing.blueprint(config))
    with app.test_client() as client:
        yield client


def _asked(desk: FlaskClient, token: str) -> tuple[int, dict[str, Any]]:
    """The answer once the first connection is made, which may take longer than an answer may on a busy machine."""
    deadline = time.monotonic() + 30
    while True:
        answer = desk.get(f"/route/{token}", query_string={"caller": CALLER})
        if answer.get_json()["reason"] not in ("took_too_long", "busy"):
            return answer.status_code, answer.get_json()
        assert time.monotonic() < deadline


def test_exchange_learns_who_calls_also_while_its_source_is_paused(desk: FlaskClient, engine: Engine, config: HubConfig) -> None:
    with engine.begin() as connection:
        source = add_source(connection, HUB, config, "generic_call", "Exchange", {})
        set_state(connection, HUB, source.id, "paused")
    status, told = _asked(desk, source.token)
    assert (status, told["contact"], told["targets"]) == (200, {"id": "900", "name": "Ivan Petrov"}, ["101"])


def test_address_of_a_form_names_nobody_when_somebody_tries_a_number_on_it(
    desk: FlaskClient, engine: Engine, config: HubConfig
) -> None:
    with engine.begin() as connection:
        source = add_source(connection, HUB, config, "generic_form", "Site", {})
        add_alias(connection, HUB, config, source.id, "formspree:xyzabcde")
    for token in (source.token, "formspree:xyzabcde"):  # both stand in the site's public page
        status, told = _asked(desk, token)
        assert (status, told) == (
            404,
            {"contact": None, "owner": None, "targets": [], "reason": "unknown_address"},
        )


def test_alias_of_an_exchange_names_nobody_because_it_is_no_key(desk: FlaskClient, engine: Engine, config: HubConfig) -> None:
    with engine.begin() as connection:
        source = add_source(connection, HUB, config, "generic_call", "Exchange", {})
        add_alias(connection, HUB, config, source.id, "calltouch:12345")
    assert _asked(desk, "calltouch:12345")[0] == 404


def test_replaced_address_rings_the_pool_and_names_nobody(desk: FlaskClient, engine: Engine, config: HubConfig) -> None:
    with engine.begin() as connection:
        source = add_source(connection, HUB, config, "generic_call", "Exchange", {})
        rotate_token(connection, HUB, config, source.id)
    status, told = _asked(desk, source.token)
    assert (status, told) == (
        200,
        {"contact": None, "owner": None, "targets": ["101"], "reason": "address_replaced"},
    )
