"""The firm of `api_world` with somebody signed in for every role, copied afresh for each request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import door_frame
import pytest
import servers
from api_world import build
from door_frame import Firm, Hub, State
from flask import Flask
from sqlalchemy import text
from werkzeug.test import Client

from crm_core import access
from crm_core.access import HUB, Principal
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from ingest.journal.accept import GroupAcceptor
from ingest.sources.directory import SourceDirectory
from ingest.sources.sources import add_source
from leadhub.operator import operator
from webhooks.app import create_app
from webhooks.console.shell import session as sessions
from webhooks.console.sources import local_entrance
from webhooks.engines import close_engines
from webhooks.entrance.bodies import Bodies
from webhooks.entrance.entrance import Entrance
from workers.wake import Waker

_NOBODY = 9  # a port at which nobody answers


@pytest.fixture(scope="session")
def firm(
    postgres_server: servers.RunPostgres, _brokers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Firm]:
    with postgres_server.fresh_database() as prototype, postgres_server.fresh_database() as copy:
        home = tmp_path_factory.mktemp("home")
        secret = "only-for-tests-" + "0" * 32
        first = HubConfig(home=home, database_url=prototype, broker_url=_brokers["valkey"], secret_key=secret)
        engine = make_engine(prototype, "worker")
        tokens, ids = build(engine, first)
        mailbox = {"host": "127.0.0.1", "port": _NOBODY, "user": "sales@example.com", "password": "x", "security": "plain"}
        with engine.begin() as connection:
            ids["mailbox"] = str(add_source(connection, HUB, first, "imap", "Mailbox", mailbox).id)
            users = {
                who: access.add_user(
                    connection, HUB, f"{who}@example.com", who, role, None,
                    int(ids[owner]) if (owner := {"manager": "anna", "other_manager": "boris"}.get(who)) else None,
                )
                for who, role in door_frame.ROLES.items()
            }  # fmt: skip
            links = {who: access.sign_in_link(connection, user_id, datetime.now(UTC)) for who, user_id in users.items()}
            owners = {
                row.login.partition("@")[0]: row.owner_id
                for row in connection.execute(text("SELECT login, owner_id FROM app_user"))
            }
            token_ids = {who: access.find_token(connection, tokens[who]) for who in door_frame.ROLES}
        signing_in = create_app(first)
        browsers = {who: _signed_in(signing_in, link) for who, link in links.items()}
        close_engines()
        state = door_frame.tables(engine)
        engine.dispose()
        config = HubConfig(home=home, database_url=copy, broker_url=_brokers["valkey"], secret_key=secret)
        app = create_app(config)
        waking = Waker(config)
        local_entrance.share(app, Entrance(config, SourceDirectory(config), GroupAcceptor(config, waking.wake), Bodies()))
        cookies = {}
        for who, client in browsers.items():
            client.application = app
            cookie = client.get_cookie(sessions.cookie_name(config))
            assert cookie is not None
            cookies[who] = cookie.value
        principals: dict[tuple[str, str], Principal] = {}
        for who, role in door_frame.ROLES.items():
            person = Principal("user", users[who], who, role, owners[who])
            principals["domain", who] = principals["console", who] = person
            token = token_ids[who]
            assert token is not None
            principals["api", who] = token
        principals["cli", "admin"] = operator()
        environment = {"LEADHUB_HOME": str(home), "LEADHUB_DATABASE_URL": copy, "LEADHUB_BROKER_URL": _brokers["valkey"],
                       "LEADHUB_SECRET_KEY": secret, "LEADHUB_PUBLIC_URL": f"http://127.0.0.1:{_NOBODY}"}  # fmt: skip
        hub = Hub(config, make_engine(copy, "worker"), app, ids, tokens, principals, browsers, environment)
        yield Firm(postgres_server, prototype.rpartition("/")[2], config, app, hub, state, cookies)
        close_engines()
        hub.engine.dispose()


def _signed_in(app: Flask, link: str) -> Client:
    client = Client(app)

    def token(path: str) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get(path, follow_redirects=True).text)
        assert found is not None, path
        return found[1]

    entered = client.post(f"/console/sign-in/{link}", data={"form_token": token(f"/console/sign-in/{link}")})
    assert entered.status_code == 303
    return client


@pytest.fixture
def fresh(firm: Firm, quick_hashes: None) -> Callable[..., tuple[Hub, State]]:
    return firm.fresh
