"""A stored secret never follows a changed destination, for any connector that sends one, by the API and the console alike."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import World

from connectors.kit import registry
from ingest.sources.secrets import destinations_of
from ingest.sources.sources import load_source

SECRET = "hunter2-of-the-hub"
#: Settings of each connector that sends a secret, and another value of each setting that says where to.
SOURCES: dict[str, dict[str, Any]] = {
    "imap": {"host": "imap.example.com", "port": 993, "user": "sales@example.com", "password": SECRET, "security": "tls"},
    "meta": {"app_secret": SECRET, "page_token": SECRET, "api_url": "https://graph.example.com/v23.0"},
    "linkedin": {"client_secret": SECRET, "access_token": SECRET, "api_url": "https://api.example.com/rest"},
}
OTHERWISE: dict[str, dict[str, Any]] = {
    "imap": {"host": "imap.evil.example", "port": 143, "user": "other@example.com", "security": "plain"},
    "meta": {"api_url": "http://graph.example.com/v23.0"},
    "linkedin": {"api_url": "https://evil.example/rest"},
}
CASES = [(connector, setting) for connector, others in OTHERWISE.items() for setting in others]


def add(world: World, connector: str) -> str:
    made = world.ask("POST", "/sources", json={"connector": connector, "name": "S", "settings": SOURCES[connector]})
    assert made.status_code == 201, made.json
    return str(made.json["id"])


def stored(world: World, source_id: str) -> dict[str, Any]:
    with world.engine.connect() as connection:
        return load_source(connection, world.config, int(source_id)).settings.model_dump(mode="json")


def test_every_connector_that_sends_a_secret_is_tried_here() -> None:
    sending = {
        name: set().union(*found.values()) for name in registry.discover() if (found := destinations_of(registry.get(name)))
    }
    assert sending == {name: set(others) for name, others in OTHERWISE.items()}


@pytest.mark.parametrize("connector, setting", CASES)
def test_secret_is_asked_for_again_when_its_destination_changes(world: World, connector: str, setting: str) -> None:
    source_id = add(world, connector)
    before = stored(world, source_id)
    [secret] = [name for name, where in destinations_of(registry.get(connector)).items() if setting in where]
    change = {setting: OTHERWISE[connector][setting]}
    for given in (change, change | {secret: ""}):
        refused = world.ask("PATCH", f"/sources/{source_id}", "ops", json={"name": "New name", "settings": given})
        assert (refused.status_code, refused.json["code"]) == (422, "secret_needed_again")
        assert [error["path"] for error in refused.json["errors"]] == [secret]
        assert setting in refused.json["errors"][0]["message"]
        assert SECRET not in refused.get_data(as_text=True)
    assert stored(world, source_id) == before
    assert world.value("SELECT name FROM source WHERE id = :id", id=source_id) == "S", "all or nothing"
    changed = world.ask("PATCH", f"/sources/{source_id}", "ops", json={"settings": change | {secret: "typed-again"}})
    assert changed.status_code == 200
    after = stored(world, source_id)
    assert (after[setting], after[secret]) == (change[setting], "typed-again")


def test_secret_is_asked_for_again_when_its_destination_goes_back_to_the_default(world: World) -> None:
    source_id = add(world, "meta")
    default = registry.get("meta").config_model.model_fields["api_url"].default
    answer = world.ask("PATCH", f"/sources/{source_id}", "ops", json={"settings": {"api_url": default}})
    assert answer.json["code"] == "secret_needed_again"


def test_other_settings_change_and_the_same_destination_stays_without_the_secret(world: World) -> None:
    source_id = add(world, "imap")
    same = {"host": "imap.example.com", "port": "993", "security": "tls", "folder": "INBOX/Site", "password": ""}
    assert world.ask("PATCH", f"/sources/{source_id}", "ops", json={"settings": same}).status_code == 200
    assert (stored(world, source_id)["folder"], stored(world, source_id)["password"]) == ("INBOX/Site", SECRET)
