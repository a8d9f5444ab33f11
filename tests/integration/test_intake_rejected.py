"""Events whose signature is wrong: kept, visible, replayable, and never in the genuine one's place."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.processing.replay import Selection, replay
from ingest.sources.sources import add_source, change_settings

# The published example of Zadarma's signature: facts of docs/connectors.md, secret and fields belong together.
_FIELDS = {
    "event": "NOTIFY_END", "caller_id": "79001234567", "called_did": "74951112233",
    "call_start": "2026-01-15 10:20:30", "pbx_call_id": "in_0a1b2c3d", "internal": "101", "duration": "0",
    "disposition": "no answer", "status_code": "19", "is_recorded": "0",
}  # fmt: skip
_SIGNATURE = "N2QxYjEwYzViOGNiNjk1OWE3ZmQwYWViNDM3ZThlNzJjNzkxZWU1MA=="
_SECRET = "8a8e91d214fb728889c7"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def exchange(desk: Desk, secret: str) -> int:
    with desk.engine.begin() as connection:
        return add_source(connection, HUB, desk.config, "zadarma", "Zadarma", {"secret": secret}).id


def post(desk: Desk, source: int, signature: str = _SIGNATURE) -> str:
    headers = {"content-type": "application/x-www-form-urlencoded", "signature": signature}
    return desk.post(source, "call", urlencode(_FIELDS).encode(), headers, "NOTIFY_END|in_0a1b2c3d")


def test_genuine_missed_call_becomes_a_lead(desk: Desk) -> None:
    uid = post(desk, exchange(desk, _SECRET))
    desk.drain()
    assert desk.event(uid)["outcome"] == "created"
    assert desk.one("SELECT remote FROM call") == "+79001234567"


def test_forged_event_is_kept_and_gives_its_key_to_the_genuine_one(desk: Desk) -> None:
    source = exchange(desk, _SECRET)
    forged = post(desk, source, "Zm9yZ2Vk")
    desk.drain()
    event = desk.event(forged)
    assert (event["state"], event["outcome"], event["provider_key"]) == ("rejected", None, None)
    assert (event["reason"], event["rejected_key"]) == ({}, "NOTIFY_END|in_0a1b2c3d")
    genuine = post(desk, source)
    desk.drain()
    assert genuine != forged
    assert desk.event(genuine)["outcome"] == "created"


def test_rejected_events_become_leads_when_the_secret_was_corrected(desk: Desk) -> None:
    source = exchange(desk, "mistyped")
    uid = post(desk, source)
    desk.drain()
    assert desk.event(uid)["state"] == "rejected"
    with desk.engine.begin() as connection:
        change_settings(connection, HUB, desk.config, source, {"secret": _SECRET})
    dry = replay(desk.engine, HUB, desk.config, Selection(state="rejected"), True)
    assert dry.after == {"created": 1}
    replay(desk.engine, HUB, desk.config, Selection(state="rejected"), False)
    desk.drain()
    assert desk.event(uid)["outcome"] == "created"


def test_senders_next_try_is_known_when_the_rejected_one_became_a_lead(desk: Desk) -> None:
    source = exchange(desk, "mistyped")
    uid = post(desk, source)
    desk.drain()
    with desk.engine.begin() as connection:
        change_settings(connection, HUB, desk.config, source, {"secret": _SECRET})
    replay(desk.engine, HUB, desk.config, Selection(state="rejected"), False)
    desk.drain()
    assert post(desk, source) == uid
    event = desk.event(uid)
    assert (event["outcome"], event["provider_key"], event["redeliveries"]) == ("created", "NOTIFY_END|in_0a1b2c3d", 1)


def test_key_stays_with_the_genuine_one_when_both_are_read_at_last(desk: Desk) -> None:
    source = exchange(desk, "mistyped")
    first = post(desk, source)
    desk.drain()
    with desk.engine.begin() as connection:
        change_settings(connection, HUB, desk.config, source, {"secret": _SECRET})
    second = post(desk, source)
    desk.drain()
    replay(desk.engine, HUB, desk.config, Selection(state="rejected"), False)
    desk.drain()
    assert (desk.event(first)["provider_key"], desk.event(second)["provider_key"]) == (None, "NOTIFY_END|in_0a1b2c3d")
    assert desk.one("SELECT count(*) FROM lead") == 1
