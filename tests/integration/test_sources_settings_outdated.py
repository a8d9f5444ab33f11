"""Settings that no longer fit their connector, and settings that name nothing on earth."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import Invalid
from ingest.sources.sources import add_source, change_settings


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def test_event_needs_attention_in_words_when_its_sources_settings_no_longer_fit(desk: Desk) -> None:
    uid = desk.form(name="A", phone="+79213334455")
    desk.connection.execute("UPDATE source SET config = '{\"gone\": 1}' WHERE id = %s", (desk.form_source,))
    desk.drain()
    event = desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("needs_attention", "settings_outdated")
    assert "gone" in event["error"]["message"]


@pytest.mark.parametrize("settings", [{"timezone": "Mars"}, {"region": "Russia"}])
def test_source_is_refused_when_its_zone_or_region_does_not_exist(desk: Desk, settings: dict[str, str]) -> None:
    with desk.engine.begin() as connection, pytest.raises(Invalid):
        add_source(connection, HUB, desk.config, "generic_form", "x", settings)


def test_mailbox_keeps_its_account_once_mail_was_listed(desk: Desk) -> None:
    settings = {"host": "imap.example.com", "user": "sales@hub.example", "password": "x"}
    with desk.engine.begin() as connection:
        source = add_source(connection, HUB, desk.config, "imap", "Sales", settings).id
        change_settings(
            connection, HUB, desk.config, source, {"user": "info@hub.example", "password": "x"}
        )  # nothing was read yet
    desk.connection.execute("INSERT INTO mailbox_folder (source_id, name) VALUES (%s, 'INBOX')", (source,))
    desk.connection.execute("INSERT INTO mail_ref (folder_id, uidvalidity, uid) SELECT id, 1, 1 FROM mailbox_folder")
    with desk.engine.begin() as connection:
        change_settings(connection, HUB, desk.config, source, {"password": "new", "port": "1993"})
        with pytest.raises(Invalid) as refused:
            change_settings(connection, HUB, desk.config, source, {"user": "other@hub.example"})
    assert refused.value.data["fields"] == ["user"]
