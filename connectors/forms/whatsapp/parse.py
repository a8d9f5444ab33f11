"""Messages of WhatsApp's Cloud API in the hub's words: one post may carry several, each is an inquiry of its own.

Source: developers.facebook.com, WhatsApp webhooks, reference messages. Delivery reports, reactions and system notes
are no inquiries. Pictures and voice messages have an id only; the hub does not fetch them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from connectors.forms.whatsapp.verify import HEADER
from connectors.kit import ConnectorConfig, Request
from connectors.kit.decoding import jsontext
from connectors.kit.forms.fields import text_of
from connectors.kit.forms.read_form import Draft, read
from connectors.kit.times import read_time
from crm_core.base.errors import Malformed
from crm_core.parsed import Ignored, Inquiry, ParsedItem

#: Kinds in which nobody asks anything.
_NOT_SAID = {"reaction", "system", "unsupported", "request_welcome"}
#: Where the words of a message stand, by its type.
_WORDS = {
    "text": ("body",), "button": ("text",), "image": ("caption",), "video": ("caption",), "document": ("caption", "filename"),
    "location": ("name", "address"),
}  # fmt: skip
_READ = {"from", "timestamp", "text"}
MOST = 200  # messages of one post; Meta sends a handful
MOST_BYTES = 4 * 1024 * 1024  # Meta says that a post has at most 3 MB


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    parsed_items: list[ParsedItem] = []
    kinds: set[str] = set()
    for field, value in _values(_tree(request)):
        found = _dicts(value.get("messages"))
        parsed_items += [_parsed_item(message, value, config) for message in found]
        kinds.add("statuses" if "statuses" in value else field)
    if len(parsed_items) > MOST:
        raise Malformed("too_many_rows", f"One post carries {len(parsed_items)} messages; at most {MOST} are read.")
    return parsed_items or [Ignored("unsupported_event", ", ".join(sorted(kinds)))]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """The ids of the messages, and the signature: a forged post must not take the place of the genuine one."""
    try:
        values = [value for _, value in _values(_tree(request))]
    except Malformed:
        return None
    ids = [text_of(m.get("id")) for value in values for m in _dicts(value.get("messages"))]
    ids += [f"{text_of(s.get('id'))}:{text_of(s.get('status'))}" for value in values for s in _dicts(value.get("statuses"))]
    return "|".join((*ids, request.headers.get(HEADER, "").strip()[-64:])) if all(ids) and ids else None


def _parsed_item(message: Mapping[str, Any], value: Mapping[str, Any], config: ConnectorConfig) -> ParsedItem:
    kind = text_of(message.get("type"))
    return Ignored("nothing_said", kind) if kind in _NOT_SAID else _inquiry(message, kind, value, config)


def _inquiry(message: Mapping[str, Any], kind: str, value: Mapping[str, Any], config: ConnectorConfig) -> Inquiry:
    flags: set[str] = set()
    number = _clean(message.get("from"), flags).removeprefix("+")
    sender = number or _clean(message.get("user_id"), flags)  # people with a user name may hide their number
    rest = jsontext.bounded({k: v for k, v in message.items() if k not in _READ}, flags)
    text = jsontext.bounded(_words(message, kind), flags)
    referral = _object(rest, "referral")
    draft = Draft(
        name=text_of(jsontext.bounded(_name(value, sender), flags)),
        phones=["+" + number] if number else [],  # digits with the country code, without the plus
        messages=[text] if text else [],
        form_id=_clean(_object(value, "metadata").get("phone_number_id"), flags),
        submitted_at=read_time(message.get("timestamp"), UTC),
        warnings=flags,
    )
    draft.marks.put_as("click_ids", "ctwa_clid", text_of(referral.pop("ctwa_clid", "")))
    draft.marks.referrer = text_of(referral.pop("source_url", ""))
    return replace(
        read({}, draft, region=config.region),
        thread=sender,
        messengers={"whatsapp_id": sender} if sender else {},
        fields={name: given for name, given in rest.items() if given not in (None, "", [], {})},
    )


def _clean(value: Any, flags: set[str]) -> str:
    """A word out of the tree that was not bounded as a whole."""
    return text_of(jsontext.bounded(value, flags))


def _words(message: Mapping[str, Any], kind: str) -> str:
    content = _object(message, kind)
    if kind == "interactive":  # a button of ours or a line of our list was pressed
        chosen = _object(content, text_of(content.get("type")))
        return text_of(chosen.get("title"))
    return next(filter(None, (text_of(content.get(name)) for name in _WORDS.get(kind, ()))), "")


def _name(value: Mapping[str, Any], sender: str) -> str:
    """What the person calls himself in WhatsApp."""
    contacts = _dicts(value.get("contacts"))
    for contact in contacts:
        if len(contacts) == 1 or sender in (text_of(contact.get("wa_id")), text_of(contact.get("user_id"))):
            return text_of(_object(contact, "profile").get("name"))
    return ""


def _tree(request: Request) -> dict[str, Any]:
    """The whole post. Its messages lie deeper than one inquiry may be nested, so each is bounded by itself."""
    if len(request.body) > MOST_BYTES:
        raise Malformed("too_long", f"The event has {len(request.body)} bytes; at most {MOST_BYTES} are read.")
    try:
        tree = jsontext.parse(request.body, "")
    except ValueError:
        raise Malformed("broken_json", "The event should be JSON and is not.") from None
    if not isinstance(tree, dict) or not isinstance(tree.get("entry"), list):
        raise Malformed("no_entry", "This is no event of WhatsApp: the list entry is missing.", path="entry")
    return tree


def _values(tree: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in _dicts(tree.get("entry")):
        for change in _dicts(entry.get("changes")):
            yield text_of(change.get("field")), _object(change, "value")


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _object(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}
