"""Sources: added with checked settings and sealed secrets, addressed by tokens that nobody can read from the table."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from principals import OPERATOR
from pydantic import Field
from sqlalchemy import Engine, text

from connectors.kit import Connector, ConnectorConfig, Secret, registry
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import Invalid, Misconfigured, NotFound
from crm_core.parsed import Ignored
from ingest.sources.settings import shown_settings
from ingest.sources.sources import (
    NewSource,
    add_source,
    change_settings,
    list_sources,
    load_source,
    rotate_token,
    set_state,
    source_address,
)


class _Settings(ConnectorConfig):
    host: str
    port: int = Field(993, ge=1, le=65535)
    password: Secret
    signing: Secret = Field("", json_schema_extra={"secret": True, "generate": True})
    folders: list[str] = Field(default_factory=lambda: ["INBOX"])


@pytest.fixture(autouse=True)
def _probe(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Connector("probe", "call", "Probe exchange", lambda request, config: [Ignored("x")], config_model=_Settings)
    real = registry.get
    monkeypatch.setattr(registry, "get", lambda name: probe if name == "probe" else real(name))


def _add(engine: Engine, config: HubConfig, **settings: Any) -> NewSource:
    given = {"host": "pbx.example.com", "password": "pass-word", **settings}
    with engine.begin() as connection:
        return add_source(connection, OPERATOR, config, "probe", " Exchange ", given, ["Example.com", " "])


def test_source_keeps_no_secret_in_the_open(engine: Engine, config: HubConfig) -> None:
    made = _add(engine, config, port="1993", folders="INBOX, Leads")
    assert (made.name, made.connector, made.channel) == ("Exchange", "probe", "call")
    assert made.url == f"{config.base_url}/in/{made.token}"
    assert len(bytes.fromhex(made.token)) == 16
    with engine.connect() as connection:
        stored = str(connection.execute(text("SELECT s, t FROM source s JOIN source_token t ON t.source_id = s.id")).all())
        digest = connection.execute(text("SELECT digest FROM source_token")).scalar_one()
        source = load_source(connection, config, made.id)
    assert "pass-word" not in stored
    assert made.token not in stored
    assert made.secret
    assert made.secret not in stored
    assert bytes(digest) == hashlib.sha256(made.token.encode()).digest()
    assert source.settings.model_dump() == {
        "region": config.region, "timezone": config.timezone, "host": "pbx.example.com", "port": 1993,
        "password": "pass-word", "signing": made.secret, "folders": ["INBOX", "Leads"],
        "lost_days": None, "reopen_days": None, "asleep_days": None, "together_minutes": None, "reissued_days": None,  # the hub's
    }  # fmt: skip
    assert source.allowed_hosts == ("example.com",)
    assert "pass-word" not in repr(source)
    assert shown_settings(source)["password"] not in ("", "pass-word")


@pytest.mark.parametrize(
    "settings, field, why",
    [
        ({"port": "many"}, "port", "integer"),
        ({"port": "0"}, "port", "greater than or equal to 1"),
        ({"hots": "x"}, "hots", "is not a setting"),
        ({"host": None}, "host", "string"),
    ],
)
def test_wrong_setting_is_named_in_words(
    engine: Engine, config: HubConfig, settings: dict[str, Any], field: str, why: str
) -> None:
    with pytest.raises(Invalid) as caught:
        _add(engine, config, **settings)
    assert why in caught.value.data["fields"][field]
    assert field in caught.value.message
    assert "pass-word" not in caught.value.message
    with engine.connect() as connection:
        assert list_sources(connection, config) == []


def test_missing_setting_and_unknown_connector_are_named(engine: Engine, config: HubConfig) -> None:
    with engine.begin() as connection:
        with pytest.raises(Invalid, match="host: is required"):
            add_source(connection, HUB, config, "probe", "X", {"password": "p"})
        with pytest.raises(NotFound, match="generic_form"):
            add_source(connection, HUB, config, "nothing", "X", {})
        with pytest.raises(Invalid, match="name"):
            add_source(connection, HUB, config, "generic_form", " ", {})


def test_list_shows_addresses_and_rotating_replaces_one(engine: Engine, config: HubConfig) -> None:
    made = _add(engine, config)
    with engine.begin() as connection:
        new = rotate_token(connection, HUB, config, made.id)
        set_state(connection, HUB, made.id, "paused")
        [row] = list_sources(connection, config)
        states = connection.execute(text("SELECT state FROM source_token ORDER BY created_at")).scalars().all()
        deeds = connection.execute(text("SELECT action FROM audit_entry ORDER BY id")).scalars().all()
    assert (row.url, row.state, row.last_event_at) == (new, "paused", None)
    assert new != made.url
    assert sorted(states) == ["active", "rotated"]
    assert deeds == ["source.add", "source.rotate", "source.pause"]


def test_connector_that_pulls_has_no_address(engine: Engine, config: HubConfig) -> None:
    with engine.begin() as connection:
        made = add_source(connection, HUB, config, "imap", "Sales", {"host": "mail.example.com", "user": "u", "password": "p"})
        assert source_address(connection, config, made.id) == ""
        with pytest.raises(Invalid):
            rotate_token(connection, HUB, config, made.id)


def test_settings_change_singly_and_an_empty_secret_stays(engine: Engine, config: HubConfig) -> None:
    made = _add(engine, config)
    with engine.begin() as connection:
        changed = change_settings(connection, HUB, config, made.id, {"port": "143", "password": "", "region": "KZ"})
    assert changed.settings.model_dump(include={"port", "password", "region"}) == {
        "port": 143, "password": "pass-word", "region": "KZ",
    }  # fmt: skip
    with engine.begin() as connection:
        changed = change_settings(connection, HUB, config, made.id, {"password": "new"})
        stored = connection.execute(text("SELECT config FROM source")).scalar_one()
    assert changed.settings.model_dump(include={"port", "password", "region", "host"}) == {
        "port": 143, "password": "new", "region": "KZ", "host": "pbx.example.com",
    }  # fmt: skip
    assert "timezone" not in stored  # never named, so the hub's own goes on to apply


def test_secret_does_not_open_with_another_key_or_in_another_source(engine: Engine, config: HubConfig) -> None:
    from dataclasses import replace

    one, two = _add(engine, config), _add(engine, config)
    with engine.begin() as connection:
        with pytest.raises(Misconfigured):
            load_source(connection, replace(config, secret_key="z" * 40), one.id)
        connection.execute(
            text("UPDATE source SET config = (SELECT config FROM source WHERE id = :one) WHERE id = :two"),
            {"one": one.id, "two": two.id},
        )
        with pytest.raises(Misconfigured):
            load_source(connection, config, two.id)


def test_unknown_source_is_not_found(engine: Engine, config: HubConfig) -> None:
    with engine.begin() as connection:
        for ask in (load_source, source_address):
            with pytest.raises(NotFound):
                ask(connection, config, 999)
        with pytest.raises(NotFound):
            rotate_token(connection, HUB, config, 999)
        with pytest.raises(NotFound):
            set_state(connection, HUB, 999, "paused")
        with pytest.raises(Invalid):
            set_state(connection, HUB, 999, "broken")
