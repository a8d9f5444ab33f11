"""A console with one user of every role, some sources and events, and a browser without a screen for each role."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from werkzeug.test import Client, TestResponse

from crm_core import access
from crm_core.access import HUB
from crm_core.access.models import ROLES
from crm_core.base.config import HubConfig
from crm_core.people.commands import add_owner
from ingest.processing.process import drain
from ingest.sources.sources import add_source
from webhooks import engines
from webhooks.wsgi import create_application

PASSWORD = "correct horse battery"


@dataclass
class Visitor:
    """Walks the console with a cookie jar of its own, and copies the form token as a page would send it."""

    client: Client
    token: str = ""

    def get(self, path: str, **options: object) -> TestResponse:
        answer = self.client.get(path, **options)
        found = re.search(rb'name="form_token" value="([0-9a-f]+)"', answer.data)
        self.token = found[1].decode() if found else self.token
        return answer

    def post(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(path, data={"form_token": self.token, **fields})


@dataclass
class Hub:
    config: HubConfig
    engine: Engine
    user_ids: dict[str, int]
    owner_id: int
    source_id: int
    url: str
    new_visitor: Callable[[], Visitor]

    def send(self, body: bytes, content_type: str = "application/json") -> None:
        """Through the entrance and, at once, through the worker's own code."""
        answer = self.new_visitor().client.post(self.url[self.url.index("/in/") :], data=body, content_type=content_type)
        assert answer.status_code == 200
        drain(None, self.config, "form")

    def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def signed_in(self, role: str) -> Visitor:
        """By a link, which costs no password hash."""
        visitor = self.new_visitor()
        with self.engine.begin() as connection:
            token = access.sign_in_link(connection, self.user_ids[role], datetime.now(UTC))
        visitor.get(f"/console/sign-in/{token}")
        assert visitor.post(f"/console/sign-in/{token}").status_code == 303
        visitor.get("/console/owners")
        return visitor


@pytest.fixture
def hub(config: HubConfig, engine: Engine, quick_hashes: None) -> Iterator[Hub]:
    application = create_application(config)
    with engine.begin() as connection:
        owner_id = add_owner(connection, HUB, "Ivan Petrov", extension="101")
        ids = {
            role: access.add_user(connection, HUB, f"{role}@example.com", role.title(), role, access.hash_password(PASSWORD) if role == "admin" else None, owner_id if role == "manager" else None)
            for role in ROLES
        }  # fmt: skip
        source = add_source(connection, HUB, config, "generic_form", "Main site", {})
    yield Hub(config, engine, ids, owner_id, source.id, source.url, lambda: Visitor(Client(application)))
    engines.close_engines()
