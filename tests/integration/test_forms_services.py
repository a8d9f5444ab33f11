"""Form services, ad networks, chats and signed webhooks through the real door: what is answered, kept, merged, refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from desk import Desk
from door_client import Door, Heard, call, open_door
from sqlalchemy import Engine

from connectors.kit import Request, registry
from connectors.kit.tools.samples import samples_of
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.processing.replay import Selection, replay
from ingest.sources.sources import NewSource, change_settings, rotate_token

_JSON = {"content-type": "application/json"}


class Hub:
    """The door in front, the workers' one way through behind it."""

    def __init__(self, door: Door, desk: Desk) -> None:
        self.door, self.desk = door, desk

    def add(self, connector: str, **settings: str) -> NewSource:
        return self.door.add(connector, settings)

    def sample(self, source: NewSource, connector: str, name: str) -> Heard:
        """Posts what a sample of the connector received."""
        return self.post(source, sample(connector, name))

    def post(self, source: NewSource, request: Request) -> Heard:
        return self.door.post(source, request.body, headers=request.headers, query=request.query)

    def json(self, source: NewSource, body: Any, headers: Mapping[str, str] | None = None) -> Heard:
        return self.door.post(source, json.dumps(body).encode(), headers={**_JSON, **(headers or {})})

    def outcomes(self) -> list[str]:
        """Drains the channel; then outcome, or else state, of every event in its order."""
        self.desk.drain("form")
        rows = self.desk.rows("SELECT state, outcome FROM inbound_event ORDER BY id")
        return [row["outcome"] or row["state"] for row in rows]

    def leads(self) -> int:
        return int(self.desk.one("SELECT count(*) FROM lead"))

    def contacts(self) -> int:
        return int(self.desk.one("SELECT count(DISTINCT contact_id) FROM lead"))


@pytest.fixture
def hub(config: HubConfig, engine: Engine) -> Iterator[Hub]:
    desk = Desk(config, engine)
    with open_door(config) as door:
        yield Hub(door, desk)
    desk.close()


def sample(connector: str, name: str) -> Request:
    folder = registry.folder_of(connector)
    assert folder
    return next(s.request for s in samples_of(registry.get(connector), folder) if s.folder.name == name)


# Typeform


def test_typeform_event_written_anew_is_rejected_and_made_a_lead_when_the_secret_is_corrected(
    hub: Hub,
) -> None:
    source = hub.add("typeform", secret="mistyped")
    heard = hub.sample(source, "typeform", "form_response__full")
    assert (heard.status, heard.body) == (200, b"{}")
    assert hub.outcomes() == ["rejected"]
    assert hub.leads() == 0
    with hub.desk.engine.begin() as connection:
        change_settings(connection, HUB, hub.desk.config, source.id, {"secret": "secret"})
    replay(hub.desk.engine, HUB, hub.desk.config, Selection(state="rejected"), False)
    assert hub.outcomes() == ["created"]
    # What was written anew carries a signature over other bytes, whatever the secret.
    hub.sample(source, "typeform", "form_response__written_anew")
    assert hub.outcomes() == ["created", "rejected"]


def test_typeform_is_answered_200_when_its_address_was_replaced(hub: Hub) -> None:
    source = hub.add("typeform", secret="secret")
    with hub.desk.engine.begin() as connection:
        rotate_token(connection, HUB, hub.desk.config, source.id)
    assert hub.sample(source, "typeform", "form_response__full").status == 200
    assert hub.outcomes() == ["needs_attention"]
    assert hub.desk.one("SELECT error->>'code' FROM inbound_event") == "unclaimed"


def test_typeform_draft_makes_no_lead(hub: Hub) -> None:
    hub.sample(hub.add("typeform", secret="secret"), "typeform", "form_response_partial__draft")
    assert hub.outcomes() == ["ignored"]
    assert hub.desk.one("SELECT reason->>'code' FROM inbound_event") == "partial"


def test_typeform_event_gives_one_lead_when_it_comes_eight_times_at_once(hub: Hub) -> None:
    source = hub.add("typeform", secret="secret")
    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(lambda _: hub.sample(source, "typeform", "form_response__full"), range(8)))
    assert [one.status for one in heard] == [200] * 8
    assert hub.outcomes() == ["created"]
    assert hub.desk.one("SELECT redeliveries FROM inbound_event") == 7
    assert hub.leads() == 1


# Google Ads, VK


def test_google_test_lead_ends_as_test(hub: Hub) -> None:
    heard = hub.sample(hub.add("google_ads", google_key="secret"), "google_ads", "lead__test")
    assert (heard.status, heard.body) == (200, b"{}")
    assert heard.headers["content-type"].startswith("application/json")
    assert hub.outcomes() == ["test"]


def test_google_lead_finds_its_place_free_when_a_forged_one_came_first(hub: Hub) -> None:
    source = hub.add("google_ads", google_key="secret")
    genuine = json.loads(sample("google_ads", "lead__full").body)
    for key in ("guessed", "secret", "secret"):
        assert hub.json(source, {**genuine, "google_key": key}).status == 200
    assert hub.outcomes() == ["rejected", "created"]
    assert hub.desk.one("SELECT redeliveries FROM inbound_event WHERE outcome = 'created'") == 1
    keys = hub.desk.rows("SELECT provider_key, reason->>'provider_key' AS released FROM inbound_event")
    assert "secret" not in json.dumps(keys)
    assert "google_key" not in hub.desk.one("SELECT fields FROM lead")


def test_vk_address_is_confirmed_without_an_event(hub: Hub) -> None:
    source = hub.add("vk", confirmation="a1b2c3d4", secret="vk-Secret_1")
    heard = hub.json(source, {"type": "confirmation", "group_id": 1})
    assert (heard.status, heard.body) == (200, b"a1b2c3d4")
    assert hub.door.rows() == []


def test_vk_hears_exactly_ok_also_when_the_secret_is_wrong(hub: Hub) -> None:
    source = hub.add("vk", confirmation="a1b2c3d4", secret="vk-Secret_1")
    wrong = hub.sample(source, "vk", "lead_forms_new__wrong_secret")
    right = hub.sample(source, "vk", "lead_forms_new__full")
    for heard in (wrong, right):
        assert (heard.status, heard.body) == (200, b"ok")
        assert heard.headers["content-type"].startswith("text/plain")
    assert hub.outcomes() == ["rejected", "created"]


# Chats


def test_jivo_five_events_of_one_chat_are_one_lead(hub: Hub) -> None:
    source = hub.add("jivo")
    names = (
        "chat_accepted__with_contacts", "chat_updated__contacts_given", "call_event__callback_start",
        "chat_finished__number_in_the_text", "client_updated__number_is_a_number",
    )  # fmt: skip
    for name in names:
        heard = hub.sample(source, "jivo", name)
        assert (heard.status, heard.json()) == (200, {"result": "ok"})
    outcomes = hub.outcomes()
    assert outcomes[0] == "created"
    assert "needs_attention" not in outcomes
    assert (hub.leads(), hub.contacts()) == (1, 1)


def test_jivo_chat_without_contacts_joins_the_number_that_comes_later(hub: Hub) -> None:
    source = hub.add("jivo")
    chat = {"event_name": "chat_finished", "chat_id": 77, "widget_id": "1", "visitor": None, "session": None}
    said = {"messages": [{"type": "visitor", "message": "Сколько стоит?", "timestamp": 1768478340}]}
    hub.json(source, {**chat, "chat": said})
    hub.json(source, {**chat, "event_name": "client_updated", "visitor": {"phone": "+79123456731"}})
    assert hub.outcomes()[0] == "created"
    assert hub.leads() == 1
    assert hub.desk.rows("SELECT 1 FROM identifier WHERE value = '+79123456731'")


def test_avito_chat_is_one_lead_and_our_own_answers_are_none(hub: Hub) -> None:
    source = hub.add("avito")
    for name in ("message__text", "message__our_own_answer", "message__number_in_the_text"):
        heard = hub.sample(source, "avito", name)
        assert (heard.status, heard.json()) == (200, {"ok": True})
    assert hub.outcomes()[:2] == ["created", "ignored"]
    assert hub.leads() == 1


def test_telegram_chat_is_one_lead_with_the_word_of_its_link(hub: Hub) -> None:
    source = hub.add("telegram", secret="s3cret_for-telegram")
    for name in ("start__with_a_word", "contact__own", "message__text", "edited_message__text"):
        heard = hub.sample(source, "telegram", name)
        assert (heard.status, heard.body) == (200, b"")
    hub.sample(source, "telegram", "message__wrong_secret")
    outcomes = hub.outcomes()
    assert outcomes[0] == "created"
    assert outcomes[3:] == ["ignored", "rejected"]
    assert hub.leads() == 1
    assert hub.desk.one("SELECT attribution->'click_ids'->>'telegram_start' FROM lead") == "vk_autumn-7"
    assert hub.desk.rows("SELECT 1 FROM identifier WHERE value = '+79123456705'")


def test_whatsapp_address_is_verified_by_its_token_only(hub: Hub) -> None:
    source = hub.add("whatsapp", verify_token="meatyhamhock", app_secret="0123456789abcdef0123456789abcdef")
    asked = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    path = f"/in/{source.token}"
    right = call(hub.door.entrance, "GET", path, query=asked + "meatyhamhock")
    assert (right.status, right.body) == (200, b"1158201444")
    assert call(hub.door.entrance, "GET", path, query=asked + "other").status == 403
    assert hub.door.rows() == []


def test_whatsapp_post_of_two_people_makes_two_leads(hub: Hub) -> None:
    source = hub.add("whatsapp", verify_token="meatyhamhock", app_secret="0123456789abcdef0123456789abcdef")
    for name in (
        "messages__two_people",
        "messages__two_people",
        "statuses__delivered",
        "message__wrong_signature",
    ):
        assert hub.sample(source, "whatsapp", name).status == 200
    assert hub.outcomes() == ["created", "ignored", "rejected"]
    assert (hub.leads(), hub.contacts()) == (2, 2)


# Signed webhooks, CloudEvents, forms in other wrappings


def signed(message: str, sent: int, body: bytes, secret: bytes) -> dict[str, str]:
    digest = hmac.new(secret, f"{message}.{sent}.".encode() + body, hashlib.sha256).digest()
    return {
        **_JSON,
        "webhook-id": message,
        "webhook-timestamp": str(sent),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def test_standard_webhook_is_one_event_when_a_second_attempt_is_signed_anew(hub: Hub) -> None:
    key = b"0123456789abcdefghijklmn"
    source = hub.add("standard_webhooks", secret="whsec_" + base64.b64encode(key).decode().rstrip("="))
    body = json.dumps({"type": "lead.created", "data": {"name": "Anna", "phone": "+79123456732"}}).encode()
    now = int(time.time())
    for sent in (now, now - 1):
        assert hub.door.post(source, body, headers=signed("msg_1", sent, body, key)).status == 200
    hub.door.post(source, body, headers=signed("msg_2", now - 301, body, key))
    assert hub.outcomes() == ["created", "rejected"]
    assert hub.desk.one("SELECT redeliveries FROM inbound_event WHERE outcome = 'created'") == 1
    assert hub.desk.one("SELECT error->>'code' FROM inbound_event WHERE state = 'rejected'") == "stale"


def test_cloudevents_sender_is_let_in_and_its_batch_makes_a_lead_each(hub: Hub) -> None:
    source = hub.add("cloudevents")
    asked = call(
        hub.door.entrance,
        "OPTIONS",
        f"/in/{source.token}",
        headers={"WebHook-Request-Origin": "events.example.com"},
    )
    assert asked.headers["webhook-allowed-origin"] == "events.example.com"
    for name in ("batch__two", "batch__two", "binary__no_data"):
        assert hub.sample(source, "cloudevents", name).status == 200
    assert hub.outcomes() == ["created", "ignored"]
    assert hub.leads() == 2


def test_jotform_post_keeps_the_key_of_its_source_out_of_the_lead(hub: Hub) -> None:
    heard = hub.sample(hub.add("jotform"), "jotform", "submission__area_and_phone")
    assert (heard.status, heard.body) == (200, b"{}")
    assert hub.outcomes() == ["created"]
    assert "0123456789abcdef" not in json.dumps(hub.desk.rows("SELECT fields, attribution FROM lead"))
    assert hub.desk.rows("SELECT 1 FROM identifier WHERE value = '+79123456714'")


def test_yandex_call_is_answered_with_its_own_id(hub: Hub) -> None:
    source = hub.add("yandex_forms", secret="hub-word")
    heard = hub.sample(source, "yandex_forms", "json_rpc__full")
    assert (heard.status, heard.json()) == (200, {"jsonrpc": "2.0", "id": 17, "result": "ok"})
    assert hub.sample(source, "yandex_forms", "own_template__full").json() == {}
    assert hub.sample(source, "yandex_forms", "own_template__wrong_word").status == 200
    assert hub.outcomes()[::2] == ["created", "rejected"]


@pytest.mark.parametrize(
    ("connector", "name", "settings"),
    [
        ("tally", "form_response__full", {"secret": "secret"}),
        ("fillout", "submission__full", {"secret": "hub-word"}),
        ("fillout", "submission__older_shape", {"secret": "hub-word"}),
    ],
)
def test_form_service_makes_a_lead_of_a_person(hub: Hub, connector: str, name: str, settings: dict[str, str]) -> None:
    heard = hub.sample(hub.add(connector, **settings), connector, name)
    assert (heard.status, heard.body) == (200, b"{}")
    assert hub.outcomes() == ["created"]
    assert hub.desk.one("SELECT attribution->>'utm_source' FROM lead") == "ya"
