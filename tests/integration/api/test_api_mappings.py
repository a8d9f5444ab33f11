"""A mapping by the API: draft, bench, dry run, publish, what was missed once, rollback, unmapped fields."""

from __future__ import annotations

import pytest
from api_world import World
from werkzeug.test import Client

from connectors.kit.preset.file import BYTES
from ingest.processing.process import drain
from webhooks.wsgi import create_application

FIX = 'fields:\n  phone: {from: ["$.zakaz_kod"]}\n'


@pytest.fixture
def source(world: World) -> str:
    """A form that sends a phone under a name that says nothing."""
    made = world.ask("POST", "/sources", json={"connector": "generic_form", "name": "Landing"}).json
    address = made["url"].partition(world.config.base_url)[2]
    answer = Client(create_application(world.config)).post(address, json={"zakaz_kod": "+7 912 345-67-05, after six"})
    assert answer.status_code == 200
    drain(None, world.config, "form")
    return str(made["id"])


def test_mapping_goes_its_way(world: World, source: str) -> None:
    bench = world.get(f"/sources/{source}/bench").json
    assert (bench["published"], bench["draft"], len(bench["items"])) == (None, None, 1)
    assert bench["items"][0]["arrived"][0]["source"] == "$.zakaz_kod"
    tried = world.ask("POST", f"/sources/{source}/bench/dry-run", json={"text": FIX}).json
    assert (tried["changed"], tried["items"][0]["differs"]) == (1, ["phones", "fields"])
    assert world.get(f"/sources/{source}/mappings").json["items"] == []

    draft = world.ask("POST", f"/sources/{source}/mappings", json={"text": FIX, "note": "odd names"})
    assert (draft.status_code, draft.json["version"], draft.json["state"]) == (201, 1, "draft")
    assert world.get(f"/sources/{source}/bench?limit=5").json["items"][0]["draft"]["inquiries"][0]["phones"]
    published = world.ask("POST", f"/sources/{source}/mappings/1/publish").json
    assert published["state"] == "published"

    wanted = {"filter": {"source": source, "affected": True}}
    dry = world.ask("POST", "/events/replay", json={**wanted, "dry_run": True}).json
    assert (dry["selected"], dry["replayed"]) == (1, 0)
    for _ in range(2):
        assert world.ask("POST", "/events/replay", json=wanted).status_code == 200
    drain(None, world.config, "form")
    assert world.ask("POST", "/events/replay", json=wanted).json["selected"] == 0
    assert len(world.get(f"/leads?source={source}").json["items"]) == 1
    assert world.get(f"/leads?source={source}").json["items"][0]["contact"]["phones"] == ["+79123456705"]

    back = world.ask("POST", f"/sources/{source}/mappings/rollback", json={"version": None}).json
    assert back == {"published": None}
    again = world.ask("POST", f"/sources/{source}/mappings/rollback", json={"version": 1}).json
    assert (again["published"]["version"], again["published"]["text"]) == (2, FIX)
    states = [(one["version"], one["state"]) for one in world.get(f"/sources/{source}/mappings").json["items"]]
    assert states == [(2, "published"), (1, "retired")]


def test_wrong_mapping_is_refused_with_its_line(world: World, source: str) -> None:
    for path in ("mappings", "bench/dry-run"):
        answer = world.ask("POST", f"/sources/{source}/{path}", json={"text": "a: &a [1]\n"})
        assert (answer.status_code, answer.json["code"]) == (422, "mapping_wrong")
        assert "line 1" in answer.json["detail"]
    assert world.ask("POST", f"/sources/{source}/mappings/1/publish").status_code == 404
    assert world.ask("POST", "/events/replay", json={"filter": {"affected": True}}).status_code == 422
    assert world.ask("POST", f"/sources/{source}/bench/dry-run", json={"text": "", "limit": 101}).status_code == 422


def test_unmapped_fields_are_acknowledged(world: World) -> None:
    source = world.ids["source"]
    [field] = world.get(f"/sources/{source}/fields").json["items"]
    assert (field["field"], field["acknowledged_at"]) == ("colour", None)
    assert world.ask("POST", f"/sources/{source}/fields/acknowledge", json={"field": "another"}).json == {"acknowledged": 0}
    assert world.ask("POST", f"/sources/{source}/fields/acknowledge", json={}).json == {"acknowledged": 1}
    assert world.ask("POST", f"/sources/{source}/fields/acknowledge", json={}).json == {"acknowledged": 0}
    assert world.ask("POST", "/sources/999999/fields/acknowledge", json={}).status_code == 404


def test_what_people_wrote_is_shown_only_to_those_who_may_read_raw_events(world: World, source: str) -> None:
    for role, status in (("head", 403), ("readonly", 403), ("manager", 403), ("ops", 200)):
        assert world.get(f"/sources/{source}/bench", role).status_code == status
    assert world.get(f"/sources/{source}/mappings", "readonly").status_code == 200


def test_mapping_may_be_as_long_as_the_checker_takes_and_no_longer(world: World) -> None:
    """4,000 characters is the limit of other texts; a real mapping with comments has more."""
    path = f"/sources/{world.ids['source']}/mappings"
    longest = "read_names: true\n# " + "x" * (BYTES - 19)
    assert world.ask("POST", path, json={"text": longest}).status_code == 201
    assert world.ask("POST", f"/sources/{world.ids['source']}/bench/dry-run", json={"text": longest}).status_code == 200
    for text in (longest + "x", "# " + "ж" * 40_000):
        refused = world.ask("POST", path, json={"text": text})
        assert refused.status_code == 422
        assert str(BYTES) in refused.get_data(as_text=True)


@pytest.mark.parametrize("text", ["a: 1:30", "1:30", "fields: {name: {const: 1:30}}", "read_names: 0o17", "a: " + "1:59" * 2000])
def test_time_of_yaml_is_text_or_a_sentence_with_its_line(world: World, text: str) -> None:
    answer = world.ask("POST", f"/sources/{world.ids['source']}/mappings", json={"text": text})
    assert answer.status_code in (201, 422)
    assert answer.status_code == 201 or "line 1" in answer.json["detail"]
