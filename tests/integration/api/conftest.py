"""The firm of `api_world` behind the real application and a real database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_world import World, build
from sqlalchemy import Engine

from crm_core.config import HubConfig
from webhooks.app import create_app
from webhooks.engines import close_engines


@pytest.fixture
def world(config: HubConfig, engine: Engine) -> Iterator[World]:
    tokens, ids = build(engine, config)
    yield World(create_app(config).test_client(), config, engine, tokens, ids)
    close_engines()
