"""What clients read must not change by accident: every answer of a whole firm, byte for byte, as it was agreed.

A change that is meant is written down by LEADHUB_WRITE_ANSWERS=1, and the lines that differ are looked through.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import filled_world
from api_world import World

from webhooks.api.blueprint import ROUTES

ANSWERS = Path(__file__).with_name("answers.txt")

NOUNS = {
    "leads": "lead", "contacts": "contact", "calls": "call", "events": "event", "sources": "source", "owners": "anna",
    "teams": "team", "pools": "pool", "users": "user", "tokens": "spare_token", "calendars": "calendar", "deadlines": "deadline", "routing": "source",
}  # fmt: skip
#: What a path cannot be asked without.
NEEDED = {"/search": "?q=Ivan", "/calendars/<id>/year": "?year=2026", "/leads/<id>/why-not": "?owner=2"}
MORE = ("/audit?action=source.bench", "/calls?direction=out", "/events?state=needs_attention", "/quarantine?shelf=confirmed", "/alerts?state=all",
        "/ledger?by=", "/activities?state=done", "/search?q=Olga", "/leads?limit=1", "/calls?limit=1")  # fmt: skip

#: What grows with every table and every deed; others look after them.
UNSTEADY = ("/audit", "/contacts/<id>/export")

#: What another run, or another day, shows otherwise.
VARYING = (
    (re.compile(r'"[0-9a-f]{8}[0-9a-f]{24}"'), '"<uid>"'),
    (re.compile(r"(event:)[0-9a-f]{32}"), r"\1<uid>"),
    (re.compile(r"http://127[^/]+/in/[\w-]+"), "<address>"),
    (re.compile(r'"prefix":"[^"]+"'), '"prefix":"<prefix>"'),
    (re.compile(r'"id":"[0-9]+",("at":"[^"]+","actor")'), r'"id":"<id>",\1'),
    (re.compile(r'"day":"[^"]+"'), '"day":"<day>"'),
    (re.compile(r'"(age_seconds|oldest_waiting_seconds)":[0-9.]+'), r'"\1":<age>'),
    (re.compile(r'"(?!2026-11-20|2199)20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z"'), '"<now>"'),
)


def answers(world: World) -> str:
    filled_world.fill(world)
    paths = [route.path for route in ROUTES if route.method == "GET" and route.answer is not None and route.path not in UNSTEADY]
    lines = []
    for path in (*paths, *MORE):
        row_id = world.ids.get(NOUNS.get(path.split("/")[1], ""), "")
        asked = path.replace("<id>", row_id) + NEEDED.get(path, "")
        told = world.get(asked).text
        for pattern, shown in VARYING:
            told = pattern.sub(shown, told)
        lines.append(f"{path} {told}\n")
    return "".join(lines)


def test_every_answer_is_what_it_was(world: World) -> None:
    told = answers(world)
    if os.environ.get("LEADHUB_WRITE_ANSWERS"):
        ANSWERS.write_text(told, "utf-8")
    assert told.splitlines() == ANSWERS.read_text("utf-8").splitlines()
