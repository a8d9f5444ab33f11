"""The fixtures themselves: real servers of the versions that we promise, clean for every test."""

from __future__ import annotations

import psycopg
import pytest
import redis
from sqlalchemy import Engine, text

from crm_core.base.config import HubConfig
from crm_core.base.database import schema_is_current


def test_database_is_postgresql_18_and_migrated_when_asked_for(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert connection.info.server_version // 10_000 == 18
    assert schema_is_current(database_url)


@pytest.mark.parametrize("turn", [1, 2])
def test_database_is_empty_when_another_test_wrote_to_its_own(engine: Engine, turn: int) -> None:
    with engine.begin() as connection:
        assert connection.execute(text("SELECT to_regclass('left_behind')")).scalar() is None
        connection.execute(text("CREATE TABLE left_behind ()"))
    assert turn


@pytest.mark.parametrize("turn", [1, 2])
def test_broker_is_clean_when_another_test_wrote_to_it(broker_url: str, turn: int) -> None:
    with redis.Redis.from_url(broker_url) as client:
        assert client.dbsize() == 0
        client.set("left", turn)


def test_each_broker_answers_when_asked_for(each_broker_url: str) -> None:
    with redis.Redis.from_url(each_broker_url) as client:
        assert client.ping()
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_configuration_names_both_servers_when_built(config: HubConfig, database_url: str) -> None:
    assert config.database_url == database_url
    assert config.home.is_dir()
