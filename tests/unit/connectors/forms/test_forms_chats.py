"""Jivo, Avito, Telegram and WhatsApp beyond their samples: null objects, forged keys, deep and many messages."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.kit import Connector, ConnectorConfig, Request, registry
from crm_core.base.errors import Malformed, NotAuthentic
from crm_core.parsed import Ignored, Inquiry

_AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def made(name: str, **settings: str) -> tuple[Connector, ConnectorConfig]:
    connector = registry.get(name)
    return connector, connector.config_model.model_validate({"region": "RU", **settings})


def posted(data: Any, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", "", "", {"content-type": "application/json", **named}, json.dumps(data).encode(), _AT)


def only(connector: Connector, config: ConnectorConfig, request: Request) -> Any:
    [parsed_item] = connector.parse(request, config)
    return parsed_item


@pytest.mark.parametrize("missing", ["visitor", "session", "page", "chat", "analytics", "organization", "agents"])
def test_jivo_reads_the_rest_when_an_object_is_null(missing: str) -> None:
    chat = {"messages": [{"type": "visitor", "message": "Сколько?"}]}
    full: dict[str, Any] = {
        "event_name": "chat_finished", "chat_id": 1, "widget_id": "w", "visitor": {"phone": "+79123456743"}, "chat": chat,
        "session": {"utm_json": {"source": "ya"}}, "page": {"url": "https://shop.example.com/"}, "analytics": {}, "agents": [],
    }  # fmt: skip
    inquiry = only(*made("jivo"), posted({**full, missing: None}))
    assert isinstance(inquiry, Inquiry)
    assert inquiry.thread == "1"
    assert inquiry.phones == (() if missing == "visitor" else ("+79123456743",))
    assert inquiry.message == ("" if missing == "chat" else "Сколько?")
    assert dict(inquiry.attribution.utm) == ({} if missing == "session" else {"utm_source": "ya"})


def test_jivo_number_of_the_agent_is_never_the_visitors() -> None:
    said = [
        {"type": "agent", "message": "Звоните +7 495 111-22-33"},
        {"type": "visitor", "message": "Спасибо"},
    ]
    inquiry = only(*made("jivo"), posted({"event_name": "chat_finished", "chat_id": 1, "chat": {"messages": said}}))
    assert inquiry.phones == ()
    assert inquiry.message == "Спасибо"


def test_jivo_events_of_one_chat_have_keys_of_their_own() -> None:
    connector, config = made("jivo")
    assert connector.provider_key
    events = [{"event_name": "client_updated", "chat_id": 1, "visitor": {"phone": str(n)}} for n in range(3)]
    keys = [connector.provider_key(posted(event), config) for event in events]
    assert len(set(keys)) == 3
    assert keys[0] == connector.provider_key(posted(events[0]), config)


def test_avito_number_stays_text_when_the_buyer_writes_none() -> None:
    value = {
        "id": "m",
        "chat_id": "c",
        "chat_type": "u2i",
        "user_id": 1,
        "author_id": 2,
        "item_id": 79123456744,
    }
    body = {"payload": {"type": "message", "value": {**value, "type": "text", "content": {"text": "Торг?"}}}}
    inquiry = only(*made("avito"), posted(body))
    assert inquiry.phones == ()
    assert (inquiry.form_id, inquiry.messengers) == ("79123456744", {"avito_id": "2"})


def update(**message: Any) -> dict[str, Any]:
    person = {"id": 5, "is_bot": False, "first_name": "Анна"}
    return {
        "update_id": 1,
        "message": {"from": person, "chat": {"id": 5, "type": "private"}, "date": 0, **message},
    }


@pytest.mark.parametrize(
    ("text", "mark", "words"),
    [
        ("/start vk_autumn", "vk_autumn", ""),
        ("/start  two  words", "two  words", ""),
        ("/started looking for a kitchen", "", "/started looking for a kitchen"),
        ("start me up", "", "start me up"),
    ],
)
def test_telegram_word_of_the_link_is_a_mark_when_it_follows_start(text: str, mark: str, words: str) -> None:
    inquiry = only(*made("telegram"), posted(update(text=text)))
    assert inquiry.attribution.click_ids.get("telegram_start", "") == mark
    assert inquiry.message == words


@pytest.mark.parametrize("card", [{"phone_number": "79123456745"}, {"phone_number": "79123456745", "user_id": 6}, {"user_id": 5}])
def test_telegram_card_is_no_phone_of_the_sender_when_it_is_not_his(card: dict[str, Any]) -> None:
    assert only(*made("telegram"), posted(update(contact=card))).phones == ()


def test_telegram_update_gets_its_number_only_with_the_secret() -> None:
    connector, config = made("telegram", secret="right")
    assert connector.provider_key
    body = update(text="hello")
    genuine = posted(body, x_telegram_bot_api_secret_token="right")
    forged = posted(body, x_telegram_bot_api_secret_token="wröng")
    assert connector.provider_key(genuine, config) == "1"
    assert connector.provider_key(forged, config) not in (None, "1")


def wrapped(*messages: dict[str, Any], **value: Any) -> dict[str, Any]:
    change = {"field": "messages", "value": {"messages": list(messages), **value}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def test_whatsapp_signature_is_the_published_vector() -> None:
    connector, config = made("whatsapp", app_secret="secret")
    body = b'{"event_id":"01","event_type":"form_response"}'
    given = "sha256=3cf64c4ba9ae099f0f30d36c313b34a491d808b9e0b88987cc6900994367d560"
    request = Request("POST", "", "", {"x-hub-signature-256": given}, body, _AT)
    assert connector.verify
    connector.verify(request, config)
    with pytest.raises(NotAuthentic):
        connector.verify(Request("POST", "", "", {"x-hub-signature-256": given}, body + b" ", _AT), config)


def test_whatsapp_message_keeps_what_lies_deepest() -> None:
    card = {"name": {"formatted_name": "Борис"}, "phones": [{"phone": "+79123456746", "type": "CELL"}]}
    message = {"from": "79123456747", "id": "a", "type": "contacts", "contacts": [card]}
    inquiry = only(*made("whatsapp"), posted(wrapped(message)))
    assert inquiry.fields["contacts"] == [card]
    assert inquiry.phones == ("+79123456747",)
    assert inquiry.warnings == ()


def test_whatsapp_key_differs_when_a_message_is_forged() -> None:
    connector, config = made("whatsapp", app_secret="secret")
    assert connector.provider_key
    genuine = posted(wrapped({"from": "79123456747", "id": "a", "type": "text", "text": {"body": "x"}}))
    digest = hmac.new(b"secret", genuine.body, hashlib.sha256).hexdigest()
    signed = Request("POST", "", "", {"x-hub-signature-256": "sha256=" + digest}, genuine.body, _AT)
    assert connector.provider_key(signed, config) != connector.provider_key(genuine, config)


@pytest.mark.parametrize("entry", [None, {}, "x", 5])
def test_whatsapp_event_needs_a_person_when_it_has_no_entries(entry: Any) -> None:
    connector, config = made("whatsapp")
    with pytest.raises(Malformed):
        connector.parse(posted({"object": "whatsapp_business_account", "entry": entry}), config)


def test_whatsapp_post_is_ignored_when_it_holds_nothing() -> None:
    parsed_item = only(*made("whatsapp"), posted({"object": "whatsapp_business_account", "entry": [None, {"changes": [1]}]}))
    assert isinstance(parsed_item, Ignored)


@pytest.mark.parametrize("count", [200, 201])
def test_whatsapp_post_needs_a_person_when_it_holds_too_many_messages(count: int) -> None:
    connector, config = made("whatsapp")
    request = posted(wrapped(*({"from": "79123456747", "id": str(n), "type": "text"} for n in range(count))))
    if count <= 200:
        assert len(connector.parse(request, config)) == count
    else:
        with pytest.raises(Malformed):
            connector.parse(request, config)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("hub.mode=subscribe&hub.verify_token=word&hub.challenge=42", 200),
        ("hub.mode=subscribe&hub.verify_token=w%C3%B6rd&hub.challenge=42", 403),
        ("hub.mode=unsubscribe&hub.verify_token=word&hub.challenge=42", 403),
        ("hub.mode=subscribe&hub.verify_token=word&hub.challenge=%3Cscript%3E", 403),
        ("hub.mode=subscribe&hub.verify_token=&hub.challenge=42", 403),
    ],
)
def test_whatsapp_address_is_verified_when_token_and_challenge_are_right(query: str, status: int) -> None:
    connector, config = made("whatsapp", verify_token="word")
    assert connector.handshake
    reply = connector.handshake(Request("GET", "", query, {}, b"", _AT), config)
    assert reply
    assert reply.status == status
    assert (reply.body == b"42") is (status == 200)


def test_whatsapp_address_cannot_be_verified_when_the_source_has_no_token() -> None:
    connector, config = made("whatsapp")
    assert connector.handshake
    query = "hub.mode=subscribe&hub.verify_token=&hub.challenge=42"
    reply = connector.handshake(Request("GET", "", query, {}, b"", _AT), config)
    assert reply
    assert reply.status == 403
