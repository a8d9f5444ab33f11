"""An exchange asks during a call: the right extension, or the default in time, whatever the database does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.people.commands import add_owner
from ingest.sources.sources import NewSource, add_source
from webhooks.entrance import pbx_routing


@pytest.fixture
def source(engine: Engine, config: HubConfig) -> NewSource:
    with engine.begin() as connection:
        add_owner(connection, HUB, "Olga Sale", extension="101")
        return add_source(connection, HUB, config, "generic_call", "Exchange", {})


@pytest.fixture
def desk(config: HubConfig) -> Iterator[FlaskClient]:
    app = Flask(__name__)
    app.register_blueprint(pbx_routing.blueprint(config))
    with app.test_client() as client:
        yield client


def _settled(desk: FlaskClient, source: NewSource) -> dict[str, object]:
    """The answer once the first connection is made, which may take longer than an answer may on a busy machine."""
    deadline = time.monotonic() + 30
    while True:
        answer = desk.get(f"/route/{source.token}", query_string={"caller": "+7 912 345-67-89"}).get_json()
        if answer["reason"] != "took_too_long":
            return dict(answer)
        assert time.monotonic() < deadline


def test_unknown_caller_rings_the_pool(desk: FlaskClient, source: NewSource) -> None:
    assert _settled(desk, source) == {
        "contact": None,
        "owner": None,
        "targets": ["101"],
        "reason": "unknown_caller",
    }
    for asked in (
        desk.post(f"/route/{source.token}", json={"caller": "+79123456789", "called": "101"}),
        desk.post(f"/route/{source.token}", data={"caller": "+79123456789"}),
        desk.post(f"/route/{source.token}", data=b"\xff\x00nonsense", content_type="application/json"),
        desk.get(f"/route/{source.token}?caller=%00%ED%A0%BD" + "9" * 5000),
    ):
        assert asked.status_code == 200
        assert asked.get_json()["contact"] is None


def test_unknown_address_is_not_found(desk: FlaskClient, source: NewSource) -> None:
    _settled(desk, source)
    assert desk.get("/route/nobody?caller=1").status_code == 404


def test_default_is_answered_when_the_database_is_too_slow(desk: FlaskClient, source: NewSource, config: HubConfig) -> None:
    _settled(desk, source)
    with psycopg.connect(config.database_url) as blocker:
        blocker.execute("LOCK TABLE owner IN ACCESS EXCLUSIVE MODE")
        reasons = set()
        for _ in range(6):
            answer = desk.get(f"/route/{source.token}", query_string={"caller": "+7 912 345-67-89"}).get_json()
            assert answer["targets"] == ["101"]  # what was last known
            reasons.add(answer["reason"])
        assert reasons <= {"took_too_long", "busy", "database_away"}
        blocker.rollback()
    assert _settled_again(desk, source)["reason"] == "unknown_caller"


def _settled_again(desk: FlaskClient, source: NewSource) -> dict[str, object]:
    deadline = time.monotonic() + 30
    while True:
        answer = _settled(desk, source)
        if answer["reason"] not in ("busy", "database_away"):
            return answer
        assert time.monotonic() < deadline
        time.sleep(0.05)
