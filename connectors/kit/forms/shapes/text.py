"""Which of the known kinds a text is, and its fields: XML, vCard, a table with a header, lines with labels."""

from __future__ import annotations

from typing import Any

from connectors.kit.decoding import Decoded
from connectors.kit.decoding.limits import VALUE_CHARS
from connectors.kit.forms.fields import text_of
from connectors.kit.forms.roles import role_of
from connectors.kit.forms.shapes import lines, table, vcard, xml

_FIELDS_BESIDE = 8  # of a form whose message is the whole form; one with more has a name among them
_PERSON = frozenset(("phone", "email", "name", "first_name", "last_name", "messenger"))


def data_of(decoded: Decoded, content_type: str) -> Any:
    """What a body says: its data, of a text the fields that it holds, a list of them where it is a table of several rows."""
    if decoded.shape != "text":
        return decoded.data
    text: str = decoded.data
    flags = set(decoded.flags)
    if xml.looks_like(text):
        found: Any = xml.fields_of(text, flags)
    elif vcard.looks_like(text):
        found = vcard.fields_of(text)
    else:
        found = table.rows_of(text, content_type) or lines.fields_of(text)
    return found or text[:VALUE_CHARS]


def with_lines_of_message(data: dict[str, Any]) -> dict[str, Any]:
    """The same fields, and those of the lines of its only text: `{"message": "Name: Anna\\nPhone: …"}`, where nothing else says
    who writes."""
    if len(data) > _FIELDS_BESIDE:
        return data
    texts = [name for name, value in data.items() if type(value) is str and ":" in value and len(value) > lines.SHORTEST]
    if len(texts) != 1 or any(name != texts[0] and role_of(name) in _PERSON and text_of(value) for name, value in data.items()):
        return data
    found = lines.fields_of(data[texts[0]])
    if not found:
        return data
    rest = {name: value for name, value in data.items() if name != texts[0]}
    return {**found, **rest}
