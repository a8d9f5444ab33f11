"""The firm of `api_world` behind the real application and a real database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import servers
from api_world import World, build
from factories.calendar import make_calendar, make_day
from factories.rows import insert
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from webhooks.app import create_app
from webhooks.engines import close_engines


@pytest.fixture
def world(config: HubConfig, engine: Engine) -> Iterator[World]:
    """A firm of this test's own, to be changed at will."""
    tokens, ids = build(engine, config)
    yield World(create_app(config).test_client(), config, engine, tokens, ids)
    close_engines()


@pytest.fixture(scope="module")
def still_world(postgres_server: servers.RunPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One firm for all tests of a module that change nothing: a database costs more than such a test."""
    with postgres_server.fresh_database() as url:
        engine = make_engine(url, "worker")
        nowhere = "redis://127.0.0.1:1/0"  # reading needs no broker
        config = HubConfig(
            home=tmp_path_factory.mktemp("home"), database_url=url, broker_url=nowhere, secret_key="only-for-tests-" + "0" * 32
        )
        tokens, ids = build(engine, config)
        with engine.begin() as connection:
            calendar = make_calendar(connection)
            make_day(connection, "2026-04-30", "short")
            insert(connection, "routing_version", key="version", version=1, body="{}", author="hub")
            insert(connection, "absence", owner_id=int(ids["anna"]), until_at="2199-01-01T00:00:00Z")
            deadline = insert(connection, "deadline_policy", breach_minutes=15)
            insert(
                connection, "deadline", lead_id=int(ids["lead"]), policy_id=deadline, started_at="2026-11-20T10:00:00Z",
                look_at="2026-11-20T10:00:00Z", due_at="2026-11-20T10:15:00Z",
            )  # fmt: skip
        yield World(
            create_app(config).test_client(),
            config,
            engine,
            tokens,
            {**ids, "calendar": str(calendar), "deadline": str(deadline)},
        )
        close_engines()
        engine.dispose()
