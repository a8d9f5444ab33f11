"""The fields of an event as they arrived, each with what it was taken for and how: by the mapping, its name, its value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit import Connector, Request, registry
from connectors.kit.forms.fields import FormField, form_fields, is_file, text_of
from connectors.kit.forms.roles import role_of
from connectors.kit.preset.mapping import rows_of
from connectors.kit.preset.sources import Row, values
from crm_core.base.errors import HubError
from crm_core.base.sealing import MASK
from ingest.mapping.field_profile import name_of
from ingest.mapping.text import named_sources
from ingest.mapping.understood import Understood
from ingest.sources.settings import LoadedSource

_MOST_FIELDS = 300  # of one event; the decoder lets 500 keys in
_PREVIEW = 300  # characters of a value
_LONGEST_SOURCE = 200  # what the schema lets a mapping name

#: Slot of an inquiry as it was understood → the role that a field then has.
_SLOTS = {
    "phones": "phone", "emails": "email", "name": "name", "company": "company", "title": "title", "form": "form_name",
    "page_url": "page_url", "referrer": "referrer", "line": "line", "message": "message",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArrivedField:
    """`how`: mapped | name | value (understood, and by what), kept (among the lead's fields), left (sent, and not kept), unread."""

    path: str
    source: str  # what a mapping calls it; "" where no mapping can name it
    name: str
    label: str
    type: str
    value: str  # its beginning
    role: str
    how: str
    inquiry: int  # which of the event's inquiries


def arrived(source: LoadedSource, row: Mapping[str, Any], inquiries: Sequence[Understood]) -> list[ArrivedField]:
    """In the order of the body. Empty if the body cannot be read."""
    request = Request(
        row["method"], row["path"], row["query"], row["headers"], bytes(row["body"]), row["received_at"], row["remote_ip"]
    )
    rules = {**base_rules(source.connector, request), **(source.mapping or {})}
    shown: list[ArrivedField] = []
    try:
        if source.connector.as_form is not None:
            request = source.connector.as_form(request)
        for number, (tree, _) in enumerate(rows_of(rules, request, source.settings.region)):
            inquiry = inquiries[number] if number < len(inquiries) else None
            shown += _fields(tree, inquiry, rules, number)
            if len(shown) > _MOST_FIELDS:
                break
    except HubError:
        return []  # the event's own problem says why
    return shown[:_MOST_FIELDS]


def base_rules(connector: Connector, request: Request) -> Mapping[str, Any]:
    """The rules that a source's own mapping goes before: of its connector, or of the one that reads this post for it."""
    named = connector.reads_as(request) if connector.reads_as else ""
    return (registry.get(named) if named else connector).rules or {}


def _fields(tree: Row, inquiry: Understood | None, rules: Mapping[str, Any], number: int) -> Iterator[ArrivedField]:
    mapped = {place: slot for slot, one in named_sources(rules) if not one.startswith(("@url:", "@text:"))
              for place, _ in values(one, tree)}  # fmt: skip
    secret = rules.get("shared_secret", {}).get("path", "")
    kept = {(name_of(form_field), text_of(form_field.value)) for form_field in form_fields(inquiry.fields)} if inquiry else set()
    for form_field in tree.form_fields():
        kind = tree.kinds.get(form_field.path)
        value = text_of(form_field.value)
        slot = mapped.get(form_field.path, "")
        if (name_of(form_field), value) in kept:
            role, how = "", "kept"
        else:
            role = slot or _role(value, inquiry)
            named = kind.role if kind else role_of(form_field.name, form_field.label, form_field.type)
            how = "mapped" if slot else _how(role, named)
        source = source_of(form_field, tree)
        yield ArrivedField(
            path=".".join(map(str, form_field.path)),
            source=source,
            name=kind.name if kind and kind.name else form_field.name,
            label=form_field.label,
            type=kind.type if kind and kind.type else form_field.type,
            value=MASK if source and source == secret else _preview(form_field.value),
            role=role,
            how=how if inquiry is not None else "unread",
            inquiry=number,
        )


def _how(role: str, named: str) -> str:
    """By its name if that says as much; what its name says otherwise was found by its value."""
    if not role:
        return "left"
    marks = named in ("utm", "click_id", "client_id") if role == "mark" else named == role
    return "name" if marks or (role == "name" and named.endswith("_name")) else "value"


def source_of(form_field: FormField, tree: Row) -> str:
    """What a mapping calls this field, tried out: its place, else its name or label in a list."""
    places = ["$." + ".".join(map(str, form_field.path))]
    if any(isinstance(step, int) for step in form_field.path):
        places = [f"@name:{text}" for text in (form_field.label, form_field.name) if text and "|" not in text] + places
    for place in places:
        fits = len(place) <= _LONGEST_SOURCE and place.count("*") < 4 and place.isprintable()
        if fits and any(found == form_field.path for found, _ in values(place, tree)):
            return place
    return ""


def _role(value: str, inquiry: Understood | None) -> str:
    """Where in the inquiry this value went."""
    if inquiry is None or not value:
        return ""
    for slot, role in _SLOTS.items():
        there = getattr(inquiry, slot)
        if value == there if isinstance(there, str) else value in there:
            return role
    if value in inquiry.marks.values():
        return "mark"
    words = inquiry.name.split()
    if words and all(word in words for word in value.split()):
        return "name"
    if len(value) > 1 and value.replace("\r\n", "\n") in inquiry.message:
        return "message"
    return ""


def _preview(value: Any) -> str:
    if is_file(value):
        name = value.get("name") or value.get("filename") or ""  # one that is only described may say no size
        return f"{name} ({value['size']} B)".strip() if value.get("size") is not None else str(name or "…")
    text = text_of(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= _PREVIEW else text[:_PREVIEW] + "…"
