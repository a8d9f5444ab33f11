"""What is compressed, and what must not be: lengths of compressed answers tell what else stands in them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import brotli
import pytest
import servers
from api_world import World, build
from sqlalchemy import Engine, text
from werkzeug.test import Client, TestResponse

from crm_core import access
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from webhooks import engines
from webhooks.wsgi import create_application

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def world(postgres_server: servers.RunPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One firm for all of them, its administrator signed in."""
    with postgres_server.fresh_database() as url:
        engine = make_engine(url, "worker")
        config = HubConfig(home=tmp_path_factory.mktemp("home"), database_url=url, broker_url="redis://127.0.0.1:1/0",
                           secret_key="only-for-tests-" + "0" * 32)  # fmt: skip
        yield _signed_in(engine, config)
        engines.close_engines()
        engine.dispose()


def _signed_in(engine: Engine, config: HubConfig) -> World:
    tokens, ids = build(engine, config)
    with engine.begin() as connection:
        access.add_user(connection, HUB, "olga@example.com", "Olga Admin", "admin", access.hash_password(PASSWORD))
    client = Client(create_application(config))
    page = client.get("/console/sign-in").text
    token = re.search(r'name="form_token" value="([0-9a-f]+)"', page)[1]  # type: ignore[index]
    signed = client.post("/console/sign-in", data={"form_token": token, "login": "olga@example.com", "password": PASSWORD})
    assert signed.status_code == 303
    return World(client, config, engine, tokens, ids)  # type: ignore[arg-type]


def _get(world: World, path: str, encoding: str = "br, gzip", **headers: str) -> TestResponse:
    return world.client.get(
        path, headers={"Accept-Encoding": encoding} | {name.replace("_", "-"): value for name, value in headers.items()}
    )


def _said(answer: TestResponse) -> bytes:
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress}.get(answer.headers.get("Content-Encoding", ""), bytes)
    return unpack(answer.data)


def _without_token(page: bytes) -> bytes:
    return re.sub(rb'name="form_token" value="[0-9a-f]+"', b"", page)


@pytest.mark.parametrize("path", ["/console/leads", "/docs", "/openapi.json", "/console/static/console.css",
                                  "/console/static/console.js", "/docs/static/docs.css"])  # fmt: skip
@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_page_is_compressed_as_the_client_asks(world: World, path: str, encoding: str) -> None:
    plain, small = _get(world, path, "identity"), _get(world, path, encoding)
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == encoding
    assert "Accept-Encoding" in small.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert len(small.data) == int(small.headers["Content-Length"]) < len(plain.data)
    assert _without_token(_said(small)) == _without_token(plain.data)


def test_list_of_fifty_leads_fits_twelve_kilobytes(world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO lead (contact_id, line, channel, source_id, event_id, event_seq, title, message, owner_id, received_at,"
                 " last_touch_at) SELECT :contact, 'line ' || n, 'form', :source, 1000 + n, 0, md5(n::text) || ' ' || md5('x' || n),"
                 " md5('y' || n), :owner, now() - n * interval '7 minutes', now() FROM generate_series(1, 60) n"),
            {"contact": world.ids["contact"], "source": world.ids["source"], "owner": world.ids["anna"]},
        )  # fmt: skip
    for encoding in ("br", "gzip"):
        answer = _get(world, "/console/leads", encoding)
        assert _said(answer).count(b'class="row-link"') == 50
        assert len(answer.data) <= 12 * 1024


def test_answer_has_an_etag_of_its_encoding(world: World) -> None:
    path = "/console/static/console.css"
    tags = {encoding: _get(world, path, encoding).headers["ETag"] for encoding in ("br", "gzip", "identity")}
    assert len(set(tags.values())) == 3
    for encoding, tag in tags.items():
        assert _get(world, path, encoding, If_None_Match=tag).status_code == 304
    assert _get(world, path, "br", If_None_Match='"other"').status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_page_that_another_site_asked_for_is_not_compressed(world: World, site: str) -> None:
    answer = _get(world, "/console/leads?q=guess", Sec_Fetch_Site=site)
    assert "Content-Encoding" not in answer.headers
    assert "Sec-Fetch-Site" in answer.headers["Vary"]
    assert "Content-Encoding" in _get(world, "/console/leads?q=guess", Sec_Fetch_Site="same-origin").headers


def test_page_that_shows_a_secret_is_not_compressed(world: World) -> None:
    assert "Content-Encoding" not in _get(world, f"/console/sources/{world.ids['source']}").headers
    assert "Content-Encoding" not in _get(world, f"/console/events/{world.ids['event']}").headers
    assert "Content-Encoding" not in _get(world, f"/console/events/{world.ids['event']}/raw").headers


def test_form_token_is_another_in_every_answer_and_each_is_taken(world: World) -> None:
    tokens = {re.search(rb'name="form_token" value="([0-9a-f]+)"', _said(_get(world, "/console/owners")))[1] for _ in range(3)}  # type: ignore[index]
    assert len(tokens) == 3
    for n, token in enumerate(sorted(tokens)):
        answer = world.client.post("/console/owners", data={"form_token": token.decode(), "name": f"Owner {n}"})
        assert answer.status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "0" * 128, "zz", "é" * 128, "0" * 127])
def test_form_token_that_no_page_carried_is_refused(world: World, token: str) -> None:
    assert world.client.post("/console/owners", data={"form_token": token, "name": "Intruder"}).status_code == 403


def test_entrance_answers_as_it_did(world: World) -> None:
    url = _address(world)
    answer = world.client.post(url, data={"name": "Anna", "phone": "+79123456789"}, headers={"Accept-Encoding": "br, gzip"})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


def _address(world: World) -> str:
    found = re.search(rb"/in/[0-9a-f]{32}", _get(world, f"/console/sources/{world.ids['source']}").data)
    assert found
    return found[0].decode()
