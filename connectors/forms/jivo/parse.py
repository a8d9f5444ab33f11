"""Jivo's events in the hub's words. All events of one chat carry its chat_id: they are one conversation, hence one lead.

Source: jivo.ru/docs/webhooks. Every object of an event may be null.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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

#: Told while the chat goes on. Without a way to reach the visitor they say nothing that chat_finished does not say.
_PROGRESS = ("chat_accepted", "chat_updated", "client_updated", "client_attribute_updated")
#: Of a call-back the beginning and the end; between them Jivo tells who has picked up.
_CALL_STATUSES = ("", "start", "end", "error")
#: Read into the inquiry, or the same words in HTML. Everything else is kept in `fields` as it came.
_READ = ("message", "chat_id", "visitor", "session", "page", "chat", "html_messages")
_VISITOR_READ = ("name", "email", "phone")
_MARKS = ("source", "medium", "campaign", "term", "content")


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    decoded = decode(request, config.region)
    data = decoded.fields
    event = text_of(data.get("event_name"))
    if not event:
        raise Malformed("no_event", "This is no event of Jivo: the field event_name is missing.", path="event_name")
    inquiry = _inquiry(data, set(decoded.flags), config)
    reachable = bool(inquiry.phones or inquiry.emails)
    if event == "offline_message":
        return [inquiry]
    if event == "chat_finished":
        return [inquiry if reachable or inquiry.message else Ignored("empty_chat", event)]
    if event in _PROGRESS:
        return [inquiry if reachable else Ignored("nothing_new", event)]
    if event == "call_event":
        return [_call(inquiry, _object(data, "call"))]
    return [Ignored("unsupported_event", event)]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """What happened in which chat, and a digest: Jivo gives its events no id, and tells of one chat many times."""
    try:
        data = decode(request).fields
    except Malformed:
        return None
    event = text_of(data.get("event_name"))
    which = text_of(data.get("offline_message_id")) or text_of(data.get("chat_id"))
    if not event or not which:
        return None
    return f"{event}|{which}|{hashlib.sha256(request.body).hexdigest()[:16]}"


def reply(_request: Request, _config: ConnectorConfig) -> Reply:
    return Reply(b'{"result":"ok"}', content_type="application/json")


def _call(inquiry: Inquiry, call: Mapping[str, Any]) -> ParsedItem:
    kind, status = text_of(call.get("type")), text_of(call.get("status"))
    if kind != "callback":
        return Ignored("unsupported_call", kind)
    if status not in _CALL_STATUSES:
        return Ignored("call_progress", status)
    phone = text_of(call.get("phone"))
    phones = (phone,) if phone else inquiry.phones
    return replace(inquiry, phones=tuple(dict.fromkeys((*phones, *inquiry.phones))))


def _inquiry(data: Mapping[str, Any], flags: set[str], config: ConnectorConfig) -> Inquiry:
    visitor, page, session = (_object(data, name) for name in ("visitor", "page", "session"))
    said = [m for m in _messages(data) if text_of(m.get("type")) == "visitor"]
    draft = Draft(
        name=text_of(visitor.get("name")),
        phones=list(filter(None, [text_of(visitor.get("phone"))])),
        emails=list(filter(None, [text_of(visitor.get("email"))])),
        messages=list(filter(None, [text_of(data.get("message")), *(text_of(m.get("message")) for m in said)])),
        form_id=text_of(data.get("widget_id")),
        submitted_at=read_time(said[0].get("timestamp"), UTC) if said else None,
        warnings=flags,
    )
    draft.marks.page_url = text_of(page.get("url"))
    for name, value in _marks(session):
        draft.marks.put("utm_" + name, value)
    kept: dict[str, Any] = {n: v for n, v in data.items() if n not in _READ and v not in (None, "", [], {})}
    told = "messages" if data.get("plain_messages") or _object(data, "chat").get("plain_messages") else ""  # the same talk
    kept["chat"] = {
        n: v for n, v in _object(data, "chat").items()
        if n not in (told, "html_messages") and v not in (None, "", [], {})
    }  # fmt: skip
    kept["visitor"] = {name: value for name, value in visitor.items() if name not in _VISITOR_READ and value}
    kept["session"] = {name: value for name, value in session.items() if name not in ("utm", "utm_json") and value}
    inquiry = read({}, draft, region=config.region)  # finds a number or an address in what the visitor wrote
    return replace(
        inquiry,
        thread=text_of(data.get("chat_id")),
        fields={name: value for name, value in kept.items() if value},
        attribution=replace(inquiry.attribution, page_title=text_of(page.get("title"))[:512]),
    )


def _marks(session: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Jivo's names have no `utm_` before them; the packed text is looked into where the object is missing."""
    given = _object(session, "utm_json")
    if not given:
        pairs = (piece.partition("=") for piece in text_of(session.get("utm")).split("|"))
        given = {name.strip(): value for name, _, value in pairs}
    return [(name, text_of(given.get(name))) for name in _MARKS]


def _messages(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages = _object(data, "chat").get("messages")
    return [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []


def _object(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A member that should be an object; {} where it is null or something else."""
    value = data.get(name)
    return value if isinstance(value, dict) else {}
