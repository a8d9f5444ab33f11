"""The description, the routes and the answers say the same; and whatever fits the description is never a 500."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from api_world import World
from openapi_spec_validator import validate

from webhooks.api.blueprint import PREFIX, ROUTES
from webhooks.api.route import Route


def _key(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_the_description_is_valid_openapi(still_world: World) -> None:
    document = still_world.get("/openapi.json", None).json
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_route_of_flask_is_described_and_the_other_way_round(still_world: World) -> None:
    document = still_world.get("/openapi.json", None).json
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in still_world.client.application.url_map.iter_rules()
        if rule.rule.startswith(PREFIX)
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert described == served
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_no_query_parameter_is_ever_null(still_world: World) -> None:
    for methods in still_world.get("/openapi.json", None).json["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                assert "null" not in str(parameter["schema"])


@pytest.mark.parametrize("route", [r for r in ROUTES if r.method == "GET" and r.answer], ids=_key)
def test_answers_fit_their_description(still_world: World, route: Route) -> None:
    nouns = {"leads": "lead", "contacts": "contact", "calls": "call", "events": "event", "sources": "source", "routing": "source",
             "owners": "anna", "teams": "team", "pools": "pool", "users": "user", "tokens": "spare_token", "calendars": "calendar", "deadlines": "deadline"}  # fmt: skip
    row_id = still_world.ids.get(nouns.get(route.path.split("/")[1], ""), "")
    needed = {"/search": "?q=Ivan", "/calendars/<id>/year": "?year=2026", "/leads/<id>/why-not": "?owner=1"}.get(route.path, "")
    answer = still_world.get(route.path.replace("<id>", row_id) + needed)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert route.answer is not None
    route.answer.model_validate_json(answer.data)
    # Nothing waits in this firm and nobody quarrelled: test_notifications and test_console_apart have such.
    if "items" in answer.json and route.path not in ("/tray", "/contacts/<id>/excluded-owners"):
        assert answer.json["items"]


def test_the_readable_page_takes_nothing_from_elsewhere(still_world: World) -> None:
    answer = still_world.get("/docs", None)
    assert answer.status_code == 200
    for route in ROUTES:
        assert (PREFIX + route.path).replace("<", "{").replace(">", "}") in answer.text
    assert "<script" not in answer.text
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", answer.text) == []
    links = re.findall(r'href="#([^"]+)"', answer.text)
    assert [link for link in links if f'id="{link}"' not in answer.text] == []
    address = re.findall(r'rel="stylesheet" href="([^"]+)"', answer.text)[0]
    with still_world.client.get(address) as sheet:
        assert (sheet.status_code, sheet.mimetype) == (200, "text/css")
        assert "url(" not in sheet.text


def test_the_type_of_a_problem_leads_to_its_words(still_world: World) -> None:
    page = still_world.get("/docs", None).text
    for path in ("/leads/0", "/leads?x=1"):
        assert f'id="{still_world.get(path).json["type"].rpartition("#")[2]}"' in page


NASTY: list[Any] = [
    "", "0", "-1", "1", "99999999999999999999999", "1.5", "NaN", "null", "true", "\x00", "a\x00", "\ud7ff", "\ufffe", "😀" * 50,
    "' OR 1=1 --", "%", "\\", "{}", "[]", "2026-11-21T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T23:59:60Z", "+7 912 345-67-01",
    "+" * 300, "1" * 300, "a@b", "@", "ivan@example.com", "\u202eabc", "x" * 3000, "open", "done", "none", "day", ",", "2026-11-21",
]  # fmt: skip
NASTY_JSON: list[Any] = [*NASTY, None, True, 0, -1, 2**31, 2**63, 2**64, 1e308, 1.5, [], {}, [None], {"a": {"b": ["\x00"]}}]


@pytest.mark.parametrize("seed", range(4))
def test_nonsense_is_never_a_bug(world: World, seed: int) -> None:
    dice = random.Random(seed)
    row_ids = [*world.ids.values(), "0", "x", "9" * 30, "%00"]
    for _ in range(150):
        route = dice.choice(ROUTES)
        path = re.sub("<[a-z]+>", lambda _: dice.choice(row_ids), route.path)
        fields = [field.alias or name for name, field in route.query.model_fields.items()] or ["x"]
        query = {name: dice.choice(NASTY) for name in dice.sample(fields, dice.randint(0, min(2, len(fields))))}
        options: dict[str, Any] = {"query_string": query}
        if route.body is not None:
            names = list(route.body.model_fields)
            body = {name: dice.choice(NASTY_JSON) for name in dice.sample(names, dice.randint(0, len(names)))}
            sent = body if dice.random() < 0.9 else dice.choice(NASTY_JSON)
            options |= {"data": json.dumps(sent), "content_type": "application/json"}
        answer = world.ask(route.method, path, **options)
        assert answer.status_code < 500, (seed, route.method, path, options, answer.text)
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json"
