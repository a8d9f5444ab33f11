"""Fields of an entry that Gravity Forms names by numbers. A glob cannot tell them apart: "4.3" is a first name or a city.

Name: parts 2 prefix, 3 first, 4 middle, 6 last, 8 suffix. Address: 1 to 6. Consent: 1 ticked, 2 its words, 3 their
revision. Checkboxes: any number from 1 on. (General knowledge of the plug-in; an entry has all parts, empty ones too.)
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from connectors.kit import Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import text_of
from crm_core.base.errors import Malformed

_PART = re.compile(r"(\d{1,6})\.(\d{1,2})")
_NAME = {"3": "first_name", "4": "middle_name", "6": "last_name"}
_NAME_PARTS = {"2", "3", "4", "6", "8"}
#: What an entry tells of itself. Only an entry has `is_read`: in a feed of chosen fields somebody gave these names.
_ENTRY = (
    "ip", "user_agent", "post_id", "is_read", "is_starred", "is_fulfilled", "status", "payment_status", "payment_date", "payment_amount",
    "payment_method", "transaction_id", "transaction_type", "created_by", "currency", "date_updated",
)  # fmt: skip
_UTC = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_UPLOADS = "/gravity_forms/"  # the plug-in's folder of uploaded files
_WORDS = 3  # the text beside a consent is a sentence; a choice of a checkbox seldom is


def joined(request: Request) -> Request:
    """The same request with names, consents and files under names that say so; untouched where there is nothing to do."""
    try:
        data = decode(request).fields
    except Malformed:
        return request
    groups: dict[str, dict[str, str]] = {}
    for key in data:
        if match := _PART.fullmatch(key):
            groups.setdefault(match[1], {})[match[2]] = key
    found = dict(data)
    for field, parts in groups.items():
        if "3" in parts and "6" in parts and parts.keys() <= _NAME_PARTS:
            _join_name(found, parts)
        elif parts.keys() == {"1", "2", "3"}:
            _join_consent(found, field, parts)
    _name_files(found)
    if "is_read" in found and "date_created" in found:
        found = {f"_entry {name}" if name in _ENTRY else name: value for name, value in found.items()}
    if _UTC.fullmatch(created := text_of(found.get("date_created"))):
        found["date_created"] = created + "Z"  # the plug-in keeps it in UTC and does not say so
    if found == data:
        return request
    try:
        body = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
    except (TypeError, ValueError):
        return request  # an upload stands among the fields: not the plug-in's own post
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    return replace(request, body=body, headers={**headers, "content-type": "application/json"})


def _join_name(data: dict[str, Any], parts: dict[str, str]) -> None:
    """Only the first name of a form is the person's; a second one (a partner's, a child's) stays in its parts."""
    if any(name in data for name in _NAME.values()):
        return
    for part, key in parts.items():
        value = data.pop(key)
        if part in _NAME:
            data[_NAME[part]] = value
        elif text_of(value):
            data[key] = value


def _join_consent(data: dict[str, Any], field: str, parts: dict[str, str]) -> None:
    ticked, words, revision = (text_of(data[parts[part]]) for part in ("1", "2", "3"))
    if ticked not in ("", "1") or not revision.isdigit() or len(words.split()) < _WORDS:
        return
    for key in parts.values():
        del data[key]
    data[f"consent_{field}"] = ticked or "0"
    told = data.setdefault("_consents", {})
    if isinstance(told, dict):
        told[f"consent_{field}"] = {"text": words, "version": revision}


def _name_files(data: dict[str, Any]) -> None:
    """One address, or several as JSON in a text."""
    for key in [key for key in data if key.isdigit()]:
        value = data[key]
        if not isinstance(value, str) or _UPLOADS not in value:
            continue
        if value[:1] == "[":
            try:
                value = json.loads(value)
            except ValueError:
                continue
        data.setdefault(f"file_{key}", value)
        del data[key]
