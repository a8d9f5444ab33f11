"""What a preset.yaml may say, as JSON Schema. Every word of it is explained in docs/adding-a-connector.md."""

from __future__ import annotations

from typing import Any

from connectors.kit.paths import GRAMMAR

_PATH = {"type": "string", "pattern": GRAMMAR, "maxLength": 200}
_TEXT = {"type": "string", "maxLength": 2000}
_SOURCE = {
    "type": "string",
    "maxLength": 200,
    "anyOf": [
        {"pattern": GRAMMAR},
        {
            "pattern": r"^@role:(name|first_name|last_name|middle_name|phone|email|company|message|title|page_url|referrer)$"
        },
        {"pattern": r"^@url:\$\.[^*]+$"},
    ],
}
_REPLY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "status": {"type": "integer", "minimum": 200, "maximum": 299},
        "type": {"enum": ["text/plain", "application/json"]},
        "body": _TEXT,
    },
}
_CONDITION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {
        "path": _PATH,
        "eq": _TEXT,
        "in": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 100},
        "exists": {"type": "boolean"},
        "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,40}$"},
    },
}
_FIELD = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "from": {"type": "array", "items": _SOURCE, "minItems": 1, "maxItems": 20},
        "join": {"type": "array", "items": _SOURCE, "minItems": 1, "maxItems": 20},
        "sep": {"type": "string", "maxLength": 10},
        "const": _TEXT,
    },
}
_UNWRAP = {
    "oneOf": [
        {
            "type": "object", "additionalProperties": False, "required": ["json_string"],
            "properties": {"json_string": _PATH},
        },
        {
            "type": "object", "additionalProperties": False, "required": ["kv", "sep"],
            "properties": {"kv": _PATH, "sep": {"type": "string", "minLength": 1, "maxLength": 10}},
        },
        {
            "type": "object", "additionalProperties": False, "required": ["cookies", "keep"],
            "properties": {"cookies": _PATH, "keep": {"type": "array", "items": _TEXT, "maxItems": 50}},
        },
    ]
}  # fmt: skip

#: The slots that a mapping can fill; the marks of origin also one by one (`client_ids.ga`).
SCALARS = (
    "name", "first_name", "last_name", "middle_name", "company", "title", "form_id", "form_name", "line", "page_url", "referrer",
    "submitted_at",
)  # fmt: skip
LISTS = ("phone", "email", "message")
MARKS = ("utm", "click_ids", "client_ids")

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["title", "channel"],
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "channel": {"enum": ["form"]},
        "experimental": {"type": "boolean"},
        "reply": _REPLY,
        "handshake": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["form"],
                "properties": {
                    "form": {"type": "object", "minProperties": 1, "additionalProperties": _TEXT},
                    "size": {"type": "integer", "minimum": 1, "maximum": 100},
                    "reply": _REPLY,
                },
            },
        },
        "event_id": {"type": "array", "items": _PATH, "minItems": 1, "maxItems": 5},
        "unwrap": {"type": "array", "items": _UNWRAP, "maxItems": 20},
        "fields": {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys((*SCALARS, *LISTS, *MARKS), _FIELD),
            "patternProperties": {r"^(utm|click_ids|client_ids)\.[a-z_]{1,40}$": _FIELD},
        },
        "extra": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "keep": {"const": "*"},
                "drop": {
                    "type": "array",
                    "items": {"type": "string", "pattern": r"^[^*]*(\*[^*]*){0,3}$"},
                    "maxItems": 100,
                },
            },
        },
        "read_names": {"type": "boolean"},
        "test_if": {"type": "array", "items": _CONDITION, "maxItems": 20},
        "skip_if": {"type": "array", "items": _CONDITION, "maxItems": 20},
    },
}
