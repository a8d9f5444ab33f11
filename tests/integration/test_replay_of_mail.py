"""A mail that was taken for a robot's and is none, on replay: its thread knows its contact from then on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.processing.replay import Selection, replay
from ingest.sources.sources import add_source

RAW = (
    b"From: Ivan <ivan@example.com>\r\nTo: sales@hub.example\r\nSubject: Door\r\nMessage-ID: <m1@example.com>\r\n"
    b"Date: Thu, 15 Jan 2026 10:00:00 +0300\r\nAuto-Submitted: auto-replied\r\n\r\nHow much?\r\n"
)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def test_message_knows_its_contact_and_lead_when_a_replay_makes_an_inquiry_of_it(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        settings: dict[str, Any] = {"host": "imap.example.com", "user": "sales@hub.example", "password": "x"}
        mailbox = add_source(connection, HUB, desk.config, "imap", "Sales", settings).id
    uid = desk.post(mailbox, "mail", RAW)
    desk.drain()
    assert desk.event(uid)["outcome"] == "auto"
    desk.rows("UPDATE inbound_event SET body = %s RETURNING id", RAW.replace(b"Auto-Submitted: auto-replied\r\n", b""))
    replay(desk.engine, HUB, desk.config, Selection(uids=(uid,)), dry_run=False)
    desk.drain()
    assert desk.event(uid)["outcome"] == "created"
    assert desk.rows("SELECT contact_id, lead_id FROM mail_message") == desk.rows("SELECT contact_id, id AS lead_id FROM lead")
