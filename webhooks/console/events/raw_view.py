"""Raw bytes for the eye: text where they are text, else a hex dump; always escaped, never interpreted."""

from __future__ import annotations

import unicodedata
from typing import Any

from connectors.kit import Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import form_fields, is_file, text_of
from crm_core.base.errors import HubError
from ingest.journal.queries import RawEvent

_MOST_TEXT = 64 * 1024  # bytes shown; the download has all of them
_MOST_BINARY = 4 * 1024
_MOST_FIELDS = 300
_MOST_VALUE = 5_000  # characters of one value; the body below has all of them
_ROW = 16


def shown_raw(event: RawEvent) -> dict[str, Any]:
    """{"kind": "text"|"binary", "text", "shown", "cut", "request_line", "headers"}."""
    text = _as_text(event.body[:_MOST_TEXT])
    kind, limit = ("text", _MOST_TEXT) if text is not None else ("binary", _MOST_BINARY)
    query = f"?{event.query}" if event.query else ""
    return {
        "kind": kind,
        "text": visible(text) if text is not None else hex_dump(event.body[:_MOST_BINARY]),
        "shown": min(len(event.body), limit),
        "cut": len(event.body) > limit,
        "request_line": visible(f"{event.method} /{event.path}{query}"),
        "headers": [(visible(str(name)), visible(str(value))) for name, value in sorted(event.headers.items())],
    }


def read_fields(event: RawEvent) -> list[tuple[str, str]]:
    """Names and values of a urlencoded body as they are read; empty for other bodies, whose text can be read as it is."""
    request = Request(event.method, event.path, event.query, event.headers, event.body, event.received_at)
    try:
        decoded = decode(request)
    except HubError:
        return []
    if decoded.shape != "urlencoded":
        return []
    return [
        (visible(".".join(map(str, form_field.path))), visible(_shown_value(form_field.value)))
        for form_field in form_fields(decoded.fields)[:_MOST_FIELDS]
    ]


def _shown_value(value: Any) -> str:
    if is_file(value):
        return " ".join(str(value[part]) for part in ("name", "url", "type") if value.get(part))
    return text_of(value)[:_MOST_VALUE]


def _as_text(body: bytes) -> str | None:
    """The text, if it is UTF-8 without control characters that only binary data has. A cut character at the end is let go."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(body) - 3 or len(body) < _MOST_TEXT:
            return None
        text = body[: error.start].decode("utf-8")
    return None if "\x00" in text else text


def visible(text: str) -> str:
    """Control characters and those that turn the direction of writing, as their code points: nothing hides."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs") else f"⟨U+{ord(char):04X}⟩"
        for char in text.replace("\r\n", "\n")
    )


def hex_dump(body: bytes) -> str:
    """Offset, sixteen bytes, and their letters."""
    lines = []
    for start in range(0, len(body), _ROW):
        row = body[start : start + _ROW]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:08x}  {row.hex(' '):<{_ROW * 3}} {letters}")
    return "\n".join(lines)
