"""A third party's connector declares an address of the service it replaces: the web process answers there, and nothing else was edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from door_client import Heard, call

from connectors.kit import registry
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from ingest.sources.aliases import add_alias, examples
from ingest.sources.sources import add_source
from webhooks.entrance import dropins
from webhooks.wsgi import Application, create_application

MODULE = """
from connectors.kit import Connector, OldPath, Replaces, Reply
from crm_core.parsed import Inquiry

CONNECTOR = Connector(
    name="acmeforms", channel="form", title="Acme Forms", parse=lambda request, config: [Inquiry(message="read by acme")],
    reply=lambda request, config: Reply(b"taken by acme"),
    replaces=Replaces(
        paths=(OldPath("/acme/{account}/{form}[.json]"), OldPath("/acme-get/{form}", get=True)), hosts=("forms.acme.test",),
        old_paths=("/{form}",), aliases=("{form}",), id="[a-z0-9-]{4,40}", example="abcd-efgh", any_case=True,
    ),
)
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def hub(config: HubConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """The web process' own callable, switch and all, where a distribution offers the connector."""
    info = tmp_path / "acmeforms-1.0.dist-info"
    info.mkdir()
    (tmp_path / "acmeforms_connector.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acmeforms\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\nacmeforms = acmeforms_connector\n")
    with monkeypatch.context() as patched:
        patched.syspath_prepend(str(tmp_path))
        registry.forget()
        yield create_application(config)
    registry.forget()


def _source(config: HubConfig, connector: str, alias: str) -> int:
    engine = make_engine(config.database_url, "worker")
    try:
        with engine.begin() as connection:
            source = add_source(connection, HUB, config, connector, "Moved", {})
            add_alias(connection, HUB, config, source.id, alias)
            return source.id
    finally:
        engine.dispose()


def _rows(config: HubConfig) -> list[tuple[int, str, bytes]]:
    with psycopg.connect(config.database_url) as connection:
        return connection.execute("SELECT source_id, path, body FROM inbound_event ORDER BY id").fetchall()


def _post(hub: Application, path: str) -> Heard:
    return call(hub, "POST", path, b"name=Anna", headers=FORM)  # type: ignore[arg-type]


@pytest.mark.parametrize("connector", ["acmeforms", "generic_form"])
@pytest.mark.parametrize("alias", ["acmeforms:ABCD-efgh", "https://www.forms.acme.test/ABCD-efgh"])
def test_post_reaches_the_source_when_a_plugin_declares_its_address(
    hub: Application, config: HubConfig, connector: str, alias: str
) -> None:
    source_id = _source(config, connector, alias)
    heard = _post(hub, "/acme/77/Abcd-Efgh")
    assert (heard.status, _rows(config)) == (200, [(source_id, "acmeforms/77/Abcd-Efgh", b"name=Anna")])
    if connector == "acmeforms":
        assert heard.body == b"taken by acme"


def test_get_is_an_inquiry_only_at_the_address_that_says_so(hub: Application, config: HubConfig) -> None:
    source_id = _source(config, "acmeforms", "acmeforms:abcd-efgh")
    call(hub, "GET", "/acme-get/abcd-efgh", query="name=Anna")  # type: ignore[arg-type]
    call(hub, "GET", "/acme/77/abcd-efgh", query="name=Anna")  # type: ignore[arg-type]
    assert [(row[0], row[1]) for row in _rows(config)] == [(source_id, "acmeforms/abcd-efgh")]


def test_unknown_id_is_refused_by_the_entrance_and_not_by_a_page(hub: Application, config: HubConfig) -> None:
    heard = _post(hub, "/acme/77/nobody-here")
    assert (heard.status, heard.json()["error"]["code"], _rows(config)) == (404, "unknown_source", [])
    assert "acmeforms:abcd-efgh" in examples()
    assert dropins.address("https://hub.test", "acmeforms:abcd-efgh") == "https://hub.test/acme/ACCOUNT/abcd-efgh"


def test_address_is_no_longer_answered_when_the_plugin_is_gone(config: HubConfig) -> None:
    assert dropins.read("/acme/77/abcd-efgh", "", b"") == ()
    assert dropins.address("https://hub.test", "acmeforms:abcd-efgh") == ""
