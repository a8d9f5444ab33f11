"""Messages to a bot in the hub's words. One private chat is one conversation; `/start <payload>` says where it came from.

Source: core.telegram.org/bots/api (Update, Message, Contact). Groups, channels, edits and buttons are no inquiries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from connectors.forms.telegram.verify import is_genuine
from connectors.kit import ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import text_of
from connectors.kit.forms.read_form import Draft, read
from connectors.kit.times import read_time
from crm_core.base.errors import Malformed
from crm_core.parsed import Ignored, Inquiry, ParsedItem

#: What every client offers by itself: pressing it says nothing yet.
_COMMANDS = {"/start", "/help", "/settings", "/stop"}
_READ = {"message_id", "from", "chat", "date", "text", "caption", "entities", "caption_entities", "contact"}
#: The mark under which the word of a link t.me/bot?start=WORD is kept.
START = "telegram_start"


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    decoded = decode(request, config.region)
    update = decoded.fields
    if "update_id" not in update:
        raise Malformed("no_update", "This is no update of Telegram: update_id is missing.", path="update_id")
    message = update.get("message")
    if not isinstance(message, dict):
        kind = next((name for name in update if name != "update_id"), "")
        return [Ignored("unsupported_update", kind)]
    chat, sender = _object(message, "chat"), _object(message, "from")
    if not text_of(chat.get("id")):
        raise Malformed("no_chat", "The message names no chat: chat.id is missing.", path="message.chat.id")
    if text_of(chat.get("type")) != "private":
        return [Ignored("not_private", text_of(chat.get("type")))]
    if sender.get("is_bot") is True:
        return [Ignored("bot")]
    text = text_of(message.get("text")) or text_of(message.get("caption"))
    if text in _COMMANDS:
        return [Ignored("command", text)]
    return [_inquiry(message, chat, sender, text, set(decoded.flags), config)]


def provider_key(request: Request, config: ConnectorConfig) -> str | None:
    """update_id. An update without the right secret must not take the place of the genuine one of that number."""
    try:
        update = text_of(decode(request).fields.get("update_id"))
    except Malformed:
        return None
    if not update or is_genuine(request, config):
        return update or None
    return f"{update}|{hashlib.sha256(request.body).hexdigest()[:16]}"


def reply(_request: Request, _config: ConnectorConfig) -> Reply:
    """Nothing: a JSON answer would be taken for a command to the bot."""
    return Reply()


def _inquiry(
    message: Mapping[str, Any],
    chat: Mapping[str, Any],
    sender: Mapping[str, Any],
    text: str,
    flags: set[str],
    config: ConnectorConfig,
) -> Inquiry:
    contact = _object(message, "contact")
    own = bool(contact) and text_of(contact.get("user_id")) == text_of(sender.get("id")) != ""
    draft = Draft(
        first=text_of(sender.get("first_name")),
        last=text_of(sender.get("last_name")),
        phones=[_international(contact)] if own and text_of(contact.get("phone_number")) else [],
        submitted_at=read_time(message.get("date"), UTC),
        warnings=flags,
    )
    command, _, payload = text.partition(" ")
    if command == "/start":
        draft.marks.put_as("click_ids", START, payload)
    elif text:
        draft.messages.append(text)
    rest = {name: value for name, value in message.items() if name not in _READ}
    if contact and not own:
        rest["contact"] = dict(contact)  # somebody else's card: a person, but not the one who writes
    if language := text_of(sender.get("language_code")):
        rest["language_code"] = language
    return replace(
        read({}, draft, region=config.region),
        thread=text_of(chat.get("id")),
        messengers=_messengers(sender),
        fields=rest,
    )


def _messengers(sender: Mapping[str, Any]) -> dict[str, str]:
    number, name = text_of(sender.get("id")), text_of(sender.get("username"))
    found = {"telegram_id": number, "telegram": f"@{name}" if name else ""}
    return {kind: value for kind, value in found.items() if value}


def _international(contact: Mapping[str, Any]) -> str:
    """Telegram's numbers always carry a country code, with or without the plus before it."""
    number = text_of(contact.get("phone_number"))
    return number if number.startswith("+") else "+" + number


def _object(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}
