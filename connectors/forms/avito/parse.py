"""Messages of Avito's messenger (webhook v3) in the hub's words. A chat about an advertisement is one conversation.

Shape as it is seen in public code. No number is given: it is found in what the buyer writes, if he writes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from connectors.kit import ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import text_of
from connectors.kit.forms.read_form import Draft, read
from connectors.kit.times import read_time
from crm_core.base.errors import Malformed
from crm_core.parsed import Ignored, Inquiry, ParsedItem

#: Written by Avito itself into a chat, or taken back: nobody says anything with them.
_NOT_SAID = {"system", "deleted"}
_READ = {"chat_id", "chat_type", "content", "created"}


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    decoded = decode(request, config.region)
    payload = decoded.fields.get("payload")
    if not isinstance(payload, dict):
        raise Malformed("no_payload", "This is no event of Avito: the field payload is missing.", path="payload")
    kind = text_of(payload.get("type"))
    if kind != "message":
        return [Ignored("unsupported_event", kind)]
    value = payload.get("value")
    if not isinstance(value, dict) or not text_of(value.get("chat_id")):
        raise Malformed("no_chat", "The message names no chat: chat_id is missing.", path="payload.value.chat_id")
    return [_refusal(value) or _inquiry(value, set(decoded.flags), config)]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """The message's own id."""
    try:
        payload = decode(request).fields.get("payload")
    except Malformed:
        return None
    value = payload.get("value") if isinstance(payload, dict) else None
    return text_of(value.get("id")) or None if isinstance(value, dict) else None


def reply(_request: Request, _config: ConnectorConfig) -> Reply:
    return Reply(b'{"ok":true}', content_type="application/json")


def _refusal(value: dict[str, Any]) -> Ignored | None:
    """Why a message is no inquiry: our own answer in the chat, a chat that is about no advertisement, Avito's own words."""
    author, us = text_of(value.get("author_id")), text_of(value.get("user_id"))
    if author and author == us:
        return Ignored("own_message")
    if text_of(value.get("chat_type")) != "u2i":
        return Ignored("not_about_an_item", text_of(value.get("chat_type")))
    kind = text_of(value.get("type"))
    return Ignored("nothing_said", kind) if kind in _NOT_SAID else None


def _inquiry(value: dict[str, Any], flags: set[str], config: ConnectorConfig) -> Inquiry:
    content = value.get("content")
    content = content if isinstance(content, dict) else {}
    text, author = text_of(content.get("text")), text_of(value.get("author_id"))
    draft = Draft(
        messages=[text] if text else [],
        form_id=text_of(value.get("item_id")),
        submitted_at=read_time(value.get("created"), UTC),
        warnings=flags,
    )
    rest = {name: given for name, given in value.items() if name not in _READ and given not in (None, "")}
    other = {name: given for name, given in content.items() if name != "text" and given not in (None, "", {}, [])}
    return replace(
        read({}, draft, region=config.region),  # finds a number in the buyer's words
        thread=text_of(value.get("chat_id")),
        messengers={"avito_id": author} if author else {},
        fields={**rest, **({"content": other} if other else {})},
    )
