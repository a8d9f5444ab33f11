"""Reads the fields of a form by their names; unwraps the page snippet's envelope; finds the sender's own key."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from connectors.kit import ConnectorConfig, Request
from connectors.kit.decoding import Decoded, decode
from connectors.kit.forms.attribution import is_address
from connectors.kit.forms.fields import are_descriptions
from connectors.kit.forms.read_form import Draft, read
from connectors.kit.forms.shapes import data_of, pairs_of, repaired, with_lines_of_message
from connectors.kit.forms.snippet_envelope import opened, sent_at
from crm_core.base.errors import Malformed
from crm_core.parsed import Inquiry, ParsedItem

#: `_key` in each of the shapes, without parsing: the snippet writes it first, a hidden input comes first or last.
_KEY = re.compile(
    rb"""(?<!\\)"_key"\s{0,4}:\s{0,4}"([^"\\]{1,5120})"|(?:\A|[&\r\n])_key=([^&\s]{1,5120})"""
    rb"""|name="?_key"?\s{0,4}(?:\r?\n){2}([^\r\n]{1,5120})"""
)
_HEAD, _TAIL = 8192, 2048
KEY_CHARS = 200
#: The page snippet, which makes a new key for each inquiry and tells the number of the try beside it.
_SNIPPET = b'{"_key":'


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    """One inquiry, or one for each row where the body is an array of them. Raises Malformed for a form without fields."""
    decoded = decode(request, config.region)
    said = data_of(decoded, request.content_type)
    if isinstance(said, list) and are_descriptions(said):
        return [_inquiry({"fields": said}, decoded, request, config)]
    if isinstance(said, list) and (pairs := pairs_of(said)):
        said = pairs
    if isinstance(said, list) and any(isinstance(row, dict) for row in said):
        rows = [_mapping(row) for row in said]  # loose words between the forms are an inquiry too
        return [_inquiry(row, decoded, request, config) for row in rows if row] or _nothing(request)
    data = _mapping(said)
    if not data and not decoded.query:
        return _nothing(request)
    return [_inquiry(data, decoded, request, config)]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """The sender's own key of this inquiry: header `Idempotency-Key`, quoted or bare, else the field `_key`.

    A field of a page stays when the page is kept by a cache or gone back to. So it counts together with what was sent:
    other words under the same `_key` are another inquiry, and only the same ones are the same, sent again.
    """
    key = request.headers.get("idempotency-key", "").strip().strip('"')
    said = ""
    if not key:
        body = request.body
        if b"_key" not in body[:_HEAD] and b"_key" not in body[-_TAIL:]:
            return None
        match = _KEY.search(body[:_HEAD]) or (_KEY.search(body[-_TAIL:]) if len(body) > _HEAD else None)
        raw = next(filter(None, match.groups()), b"") if match else b""
        key = unquote(raw.decode("utf-8", "replace")).strip()
        said = "" if body.startswith(_SNIPPET) else f"~{_digest(body)}"
    key = "".join(filter(str.isprintable, key))
    if len(key) > KEY_CHARS:
        key = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
    return key + said if key else None


def _digest(body: bytes) -> str:
    """Of the bytes without the border between parts, which a browser invents anew for each attempt."""
    if body.startswith(b"--"):
        body = body.replace(body.partition(b"\n")[0].rstrip(), b"--")
    return hashlib.sha256(body).hexdigest()[:16]


def _nothing(request: Request) -> Sequence[ParsedItem]:
    what = f"{len(request.body)} bytes were sent" if request.body else "the body is empty"
    raise Malformed("empty_form", f"The form was sent without any field ({what}).")


def _mapping(data: Any) -> dict[str, Any]:
    """Whatever was sent as a mapping; loose words are a message."""
    if isinstance(data, dict):
        return data
    if isinstance(data, list):
        words = (item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in data if item is not None)
        data = ", ".join(words)
    return {"message": str(data)} if data not in ("", None) else {}


def _inquiry(data: dict[str, Any], decoded: Decoded, request: Request, config: ConnectorConfig) -> Inquiry:
    draft = Draft(warnings=set(decoded.flags), headers=request.headers)
    data = with_lines_of_message(repaired(opened(data)))
    if decoded.query:
        data = {**decoded.query, **data}
    draft.submitted_at = sent_at(data, request)
    referer = request.headers.get("referer", "")
    if is_address(referer):
        draft.marks.fallback_page = referer
    return read(data, draft, region=config.region, config=config)
