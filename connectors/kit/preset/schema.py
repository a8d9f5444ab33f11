"""What a mapping may say, as JSON Schema. Every word of it is explained in docs/presets.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.kit.preset.answers import ROLES
from connectors.kit.preset.paths import GRAMMAR
from connectors.kit.preset.sources import NAMED, PLACE
from connectors.kit.preset.targets import LISTS, MARKS, SCALARS

_TEXT = {"type": "string", "maxLength": 2000}
_WORD = {"type": "string", "minLength": 1, "maxLength": 200}
_PATH = {"type": "string", "pattern": GRAMMAR, "maxLength": 200}
_PLACE = {"type": "string", "maxLength": 200, "anyOf": PLACE}
_SOURCE = {"type": "string", "maxLength": 200, "anyOf": [*PLACE, *NAMED]}
_MEMBER = {"type": "string", "pattern": r"^[^*]+$", "maxLength": 100}
_SETTING = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,40}$"}
_GLOB = {"type": "string", "pattern": r"^[^*]*(\*[^*]*){0,3}$", "maxLength": 200}
_SECONDS = {"type": "integer", "minimum": 1, "maximum": 86_400}


def _object(required: Sequence[str] = (), /, **properties: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**made, "required": list(required)} if required else made


def _list(items: Any, most: int, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


_REPLY = _object(
    status={"type": "integer", "minimum": 200, "maximum": 299},
    type={"enum": ["text/plain", "application/json"]},
    body=_TEXT,
    json={},
)
_TEST = {
    "path": _PLACE,
    "eq": _TEXT,
    "in": _list(_TEXT, 100, 1),
    "like": _GLOB,
    "exists": {"type": "boolean"},
}
_CONDITION = _object(("path",), **_TEST, code={"type": "string", "pattern": "^[a-z][a-z0-9_]{0,40}$"})
_WHEN = {
    **_object(**_TEST, wants={"enum": ["page", "json"]}, method={"enum": ["GET", "POST"]}),
    "oneOf": [{"required": ["path"]}, {"required": ["wants"]}, {"required": ["method"]}],
}
_FIELD = {
    **_object(
        **{"from": _list(_SOURCE, 20, 1)},
        join=_list(_SOURCE, 20, 1),
        sep={"type": "string", "maxLength": 10},
        const=_TEXT,
        default=_TEXT,
        regex={"type": "string", "maxLength": 200},
        map={"type": "object", "maxProperties": 200, "additionalProperties": _TEXT},
        prefix={"type": "string", "maxLength": 40},
    ),
    "minProperties": 1,
}
_UNWRAPS = {
    "json_string": _object(("json_string",), json_string=_PATH),
    "kv": _object(("kv", "sep"), kv=_PATH, sep={"type": "string", "minLength": 1, "maxLength": 10}),
    "cookies": _object(("cookies", "keep"), cookies=_PATH, keep=_list(_TEXT, 50)),
    "flatten": _object(("flatten",), flatten=_PATH),
    "rename": _object(
        ("rename",),
        rename={"type": "string", "maxLength": 200, "anyOf": [{"const": "$"}, {"pattern": GRAMMAR}]},
        strip={"type": "string", "minLength": 1, "maxLength": 40},
        prefix={"type": "string", "maxLength": 40},
        keys={"type": "object", "maxProperties": 100, "additionalProperties": _WORD},
    ),
    "html_entities": _object(
        ("html_entities",),
        html_entities={"type": "string", "maxLength": 200, "anyOf": [{"const": "$"}, {"pattern": GRAMMAR}]},
    ),
    "answers": _object(
        ("answers",),
        answers=_PATH,
        name=_MEMBER,
        label=_MEMBER,
        type=_MEMBER,
        value={"anyOf": [_MEMBER, _list(_MEMBER, 10, 1)]},
        pick=_list(_MEMBER, 10, 1),
        options=_MEMBER,
        option_id=_MEMBER,
        option_text=_MEMBER,
        types={"type": "object", "maxProperties": 50, "additionalProperties": {"enum": [*ROLES, ""]}},
        labels=_object(("in", "id"), **{"in": _PATH}, id=_MEMBER, of=_MEMBER, label=_MEMBER, type=_MEMBER),
    ),
}
_UNWRAP = {
    "type": "object",
    "minProperties": 1,
    # One verb each; the schema of that verb then says what else there may be, so that a mistake is told where it is.
    "allOf": [{"if": {"required": [verb]}, "then": schema} for verb, schema in _UNWRAPS.items()],
    "anyOf": [{"required": [verb]} for verb in _UNWRAPS],
}
_PARTS = _list(_PLACE, 5, 1)
_HASH = _object(("hash",), hash=_list(_PLACE, 10, 1))
_EVENT_ID = {
    "if": {"type": "array"},
    "then": _PARTS,
    "else": {
        "if": {"required": ["hash"]},
        "then": _HASH,
        "else": _object(("first",), first=_list({"if": {"type": "array"}, "then": _PARTS, "else": _HASH}, 5, 1)),
    },
}
_HANDSHAKE = {
    **_object(
        form={"type": "object", "minProperties": 1, "additionalProperties": _TEXT},
        query={"type": "object", "minProperties": 1, "additionalProperties": _TEXT},
        size={"type": "integer", "minimum": 1, "maximum": 100},
        reply=_REPLY,
        answer={
            **_object(query=_WORD, setting=_SETTING, path=_PATH),
            "minProperties": 1,
            "maxProperties": 1,
        },
        secret={
            **_object(("setting",), setting=_SETTING, query=_WORD, path=_PATH),
            "minProperties": 2,
            "maxProperties": 2,
        },
    ),
    "anyOf": [{"required": ["form"]}, {"required": ["query"]}],
}
_SIGNATURE = _object(
    ("setting", "header"),
    setting=_SETTING,
    header={"type": "string", "pattern": "^[a-z0-9-]{1,60}$"},
    encoding={"enum": ["hex", "base64"]},
    prefix={"type": "string", "maxLength": 30},
    over={"type": "string", "pattern": r"\{body\}", "maxLength": 200},
    list={"type": "boolean"},
    key={"enum": ["text", "base64"]},
    timestamp=_object(
        ("header",),
        header={"type": "string", "pattern": "^[a-z0-9-]{1,60}$"},
        unit={"enum": ["s", "ms"]},
        tolerance=_SECONDS,
    ),
)
_SHARED_SECRET = {
    **_object(
        ("setting",),
        setting=_SETTING,
        path=_PATH,
        query=_WORD,
        header={"type": "string", "pattern": "^[a-z0-9-]{1,60}$"},
        prefix={"type": "string", "maxLength": 30},
    ),
    "minProperties": 2,
}

_TEMPLATE = {"type": "string", "pattern": r"^/[A-Za-z0-9_./{}\[\]-]+$", "maxLength": 200}
_REPLACES = _object(
    ("paths", "id", "example"),
    hosts=_list({"type": "string", "pattern": r"^(?!www\.)[a-z0-9-]+(\.[a-z0-9-]+)+$", "maxLength": 200}, 10),
    paths=_list(
        _object(
            ("path",),
            path=_TEMPLATE,
            rank={"type": "integer", "minimum": 1, "maximum": 99},
            get={"type": "boolean"},
            json={"type": "boolean"},
        ),
        10, 1,
    ),
    old_paths=_list(_TEMPLATE, 10),
    id={"type": "string", "minLength": 1, "maxLength": 200},
    any_case={"type": "boolean"},
    example=_WORD,
    key_field={"type": "string", "pattern": "^[A-Za-z0-9_]{1,40}$"},
    aliases=_list({"type": "string", "pattern": r"^[a-z{}/]+$", "maxLength": 100}, 5, 1),
)  # fmt: skip

#: The sections that a source's own mapping may have; each goes before the connector's section of that name.
RULES: dict[str, Any] = {
    "split": _PATH,
    "unwrap": _list(_UNWRAP, 40),
    "fields": {
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys((*SCALARS, *LISTS, *MARKS), _FIELD),
        "patternProperties": {
            r"^(utm|click_ids|client_ids|first)\.[a-z_]{1,40}$": _FIELD,
            r"^messenger\.[a-z][a-z_]{0,30}$": _FIELD,
            r"^consent\.(processing|marketing|transfer)$": _FIELD,
        },
    },
    "extra": _object(keep={"const": "*"}, drop=_list(_GLOB, 100)),
    "read_names": {"type": "boolean"},
    "test_if": _list(_CONDITION, 20),
    "skip_if": _list(_CONDITION, 20),
}
MAPPING: dict[str, Any] = _object(**RULES)

SCHEMA: dict[str, Any] = _object(
    ("title", "channel"),
    title={"type": "string", "minLength": 1, "maxLength": 100},
    channel={"enum": ["form"]},
    experimental={"type": "boolean"},
    sender={"enum": ["browser", "server"]},
    settings={
        "type": "object",
        "maxProperties": 20,
        "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,40}$"},
        "additionalProperties": _object(
            ("description",), description=_WORD, secret={"type": "boolean"}, default=_TEXT
        ),
    },
    detect=_list(
        {"if": {"type": "array"}, "then": _list(_WORD, 8, 1), "else": _WORD},
        20, 1,
    ),
    get={"type": "boolean"},
    signature=_SIGNATURE,
    shared_secret=_SHARED_SECRET,
    verify_at_door={"type": "boolean"},
    handshake=_list(_HANDSHAKE, 20),
    reply=_REPLY,
    replies=_list(
        _object(("when", "reply"), when=_list(_WHEN, 10, 1), reply={"if": {"type": "null"}, "then": {}, "else": _REPLY}), 20
    ),
    event_id=_EVENT_ID,
    replaces=_REPLACES,
    **RULES,
)  # fmt: skip
