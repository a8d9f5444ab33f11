"""The page snippet's envelope, and JSON that form builders put into a text field: both opened, nothing lost."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from connectors.kit.connector import Request
from connectors.kit.decoding import brackets, jsontext, urlencoded
from connectors.kit.forms.shapes.structure import restructured

OLDEST = timedelta(days=7)  # the snippet keeps an inquiry no longer; an older age is a wrong clock

#: Names of second-level JSON that form builders put into a text field.
_NESTED = (
    "rawRequest", "payment", "formData", "data", "payload", "fields", "values", "json", "data.json", "data_json", "form", "lead",
    "contact", "submission", "body", "params", "event", "answers", "form_data", "formdata", "customer", "client",
)  # fmt: skip
_NESTED_SET = frozenset(_NESTED)

#: What the page snippet calls things in `ctx`, and what they are called everywhere else.
_CONTEXT = {
    "url": "page_url", "ref": "referrer", "title": "page_title", "ga": "_ga", "ym": "_ym_uid", "fbc": "_fbc",
    "fbp": "_fbp", "rs": "roistat_visit", "ct": "_ct_session_id", "consents": "_consents", "t": "_t", "js": "_script",
}  # fmt: skip
#: What jQuery's `serialize()` makes of a form: two fields or more, nothing left unescaped.
_SERIALIZED = re.compile(r"[\w.%\[\]*-]{1,256}=[!#-%'-;?-z|~]*+(?:&[\w.%\[\]*-]{1,256}=[!#-%'-;?-z|~]*+)++", re.ASCII)
_AGE = re.compile(r"\d{1,12}(?:\.\d+)?")


def opened(data: dict[str, Any]) -> dict[str, Any]:
    """Without envelopes: JSON in a text field, and the page snippet's {"fields": {…}, "ctx": {…}}."""
    for name in _NESTED if not _NESTED_SET.isdisjoint(data) else ():
        value = data.get(name)
        if isinstance(value, str) and value[:1] in "{[" and value[-1:] in "}]" and len(value) > 2:
            data = {**data, name: _parsed(value)}
        elif isinstance(value, str) and _SERIALIZED.fullmatch(value):
            flags: set[str] = set()
            tree = brackets.tree(urlencoded.pairs(value.encode(), "", flags), flags)
            data = data if flags else {**data, name: tree}
    fields = data.get("fields")
    if isinstance(fields, dict) and ("ctx" in data or "_key" in data):
        data = {
            **{k: v for k, v in data.items() if k not in ("fields", "ctx")},
            **fields,
            **_context(data.get("ctx")),
        }
    return restructured(data)


def sent_at(data: dict[str, Any], request: Request) -> datetime | None:
    """When the visitor pressed the button, by `_age_ms`, the time that the inquiry waited in his browser."""
    age = data.get("_age_ms")
    if isinstance(age, int | float | str) and _AGE.fullmatch(str(age)):
        return request.received_at - min(timedelta(milliseconds=float(age)), OLDEST)
    return None


def _context(ctx: Any) -> dict[str, Any]:
    if not isinstance(ctx, dict):
        return {}
    result: dict[str, Any] = {}
    for key, value in ctx.items():
        if key != "first" and value not in (None, ""):
            result[_CONTEXT.get(str(key), str(key))] = value
    first = ctx.get("first")
    if isinstance(first, dict):  # the visitor's first page; `read` keeps it apart from the last
        result["first_visit"] = dict(first)
    return result


def _parsed(text: str) -> Any:
    for attempt in (text, text.replace("&quot;", '"')):
        try:
            return jsontext.understood(attempt)
        except ValueError:
            continue
    return text
