"""Every address of another service after its alias was taken away, or its source's address replaced, or its source paused:
what arrives is kept, waits for a person or for the source, and becomes a lead when he takes it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from door_client import Door, call, open_door
from principals import OPERATOR

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.processing.process import Processor
from ingest.processing.replay import Selection, replay
from ingest.sources.aliases import add_alias, remove_alias
from ingest.sources.sources import rotate_token, set_state
from webhooks.entrance.challenge import Guard

KEY = "0123abcd-0000-4000-8000-00000000abcd"
FORM = {"content-type": "application/x-www-form-urlencoded"}
PERSON = "name=Anna&phone=%2B79123456701"
#: Alias, path with the id in it, and what of the body names the id.
PLACES = [
    ("formspree:xyzabcde", "/f/{}", ""), ("basin:0123456789ab", "/f/{}", ""), ("getform:abcd-efgh", "/f/{}", ""),
    ("formsubmit:info@example.com", "/{}", ""), ("formsubmit:info@example.com", "/ajax/{}", ""),
    ("formspree:info@example.com", "/{}", ""), (f"web3forms:{KEY}", "/submit", "access_key={}&"),
    ("hubspot:123/abcd-ef01", "/submissions/v3/integration/submit/{}", ""),
    ("roistat:abc1", "/api/proxy/1.0/leads/add", "key={}&"), ("calltouch:77", "/calls-service/RestAPI/requests/{}/register/", ""),
]  # fmt: skip


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config) as opened:
        yield opened


def _sent(door: Door, path: str, body: str) -> int:
    return call(door.entrance, "POST", path, (body + PERSON).encode(), headers=FORM).status


def _drain(config: HubConfig) -> None:
    processor = Processor(config)
    try:
        processor.drain("form", budget_seconds=60)
    finally:
        processor.close()


def _outcome(door: Door) -> list[tuple[str, str | None, str | None]]:
    return [(row["state"], row["outcome"], (row["error"] or {}).get("code")) for row in door.rows()]


@pytest.mark.parametrize("alias, path, field", PLACES)
def test_inquiry_waits_for_a_person_when_the_alias_was_taken_away(door: Door, alias: str, path: str, field: str) -> None:
    name = alias.partition(":")[2]
    source = door.add().id
    with door.engine.begin() as connection:
        add_alias(connection, HUB, door.config, source, alias)
        remove_alias(connection, HUB, door.config, source, alias)
    assert _sent(door, path.format(name), field.format(name)) == 200
    _drain(door.config)
    assert _outcome(door) == [("needs_attention", None, "unclaimed")]
    replay(door.engine, OPERATOR, door.config, Selection(state="needs_attention"), False)
    _drain(door.config)
    assert _outcome(door) == [("done", "created", None)]


@pytest.mark.parametrize(
    "path, field",
    [place[1:] for place in PLACES if place[1] not in ("/{}", "/submissions/v3/integration/submit/{}")],
)
def test_inquiry_waits_for_a_person_when_the_token_in_the_ids_place_was_replaced(door: Door, path: str, field: str) -> None:
    source = door.add()
    with door.engine.begin() as connection:
        rotate_token(connection, HUB, door.config, source.id)
    assert _sent(door, path.format(source.token), field.format(source.token)) == 200
    _drain(door.config)
    assert _outcome(door) == [("needs_attention", None, "unclaimed")]


@pytest.mark.parametrize("alias, path, field", PLACES)
def test_inquiry_waits_for_its_source_when_that_is_paused(door: Door, alias: str, path: str, field: str) -> None:
    name = alias.partition(":")[2]
    source = door.add().id
    with door.engine.begin() as connection:
        add_alias(connection, HUB, door.config, source, alias)
        set_state(connection, HUB, source, "paused")
    assert _sent(door, path.format(name), field.format(name)) == 200
    _drain(door.config)
    assert _outcome(door) == [("waiting", None, None)]
    with door.engine.begin() as connection:
        set_state(connection, HUB, source, "active")
    _drain(door.config)
    assert _outcome(door) == [("done", "created", None)]


def test_form_still_gets_its_signed_time_when_its_address_was_replaced(door: Door) -> None:
    """Else the page's script would send without it, and what it sends would look like a robot's."""
    source = door.add()
    with door.engine.begin() as connection:
        rotate_token(connection, HUB, door.config, source.id)
    heard = call(Guard(door.config, door.entrance._directory), "GET", f"/c/{source.token}")
    assert (heard.status, "t" in heard.json()) == (200, True)
