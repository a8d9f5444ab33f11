"""A connector's configuration model as the fields of a form, and the posted form as its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.kit import Connector
from webhooks.console.language import Language

#: Settings that every connector has and few people change.
_COMMON = frozenset({"region", "timezone"})


@dataclass(frozen=True, slots=True)
class SetupField:
    name: str
    label: str
    help: str
    kind: str  # text | bool | choice | long
    input: str  # type of the input element
    required: bool
    extra: bool  # folded away: it has a good default
    choices: tuple[str, ...]
    value: Any
    wrong: str


def fields_of(
    connector: Connector, language: Language, given: Mapping[str, Any], wrong: Mapping[str, str]
) -> list[SetupField]:
    """One field a setting, in the model's order, required ones first. A secret that was typed is asked for again."""
    schema = connector.config_model.model_json_schema()
    required = set(schema.get("required", ()))
    fields = [
        _field(name, part, name in required, schema.get("$defs", {}), language, given, wrong)
        for name, part in schema.get("properties", {}).items()
    ]
    return sorted(fields, key=lambda one: (one.extra, not one.required))


def _field(
    name: str, part: Mapping[str, Any], required: bool, definitions: Mapping[str, Any], language: Language,
    given: Mapping[str, Any], wrong: Mapping[str, str],
) -> SetupField:  # fmt: skip
    part = _resolved(part, definitions)
    secret = bool(part.get("secret"))
    kind = _kind(part)
    value = "" if secret else given.get(name, _default(part))
    return SetupField(
        name=name,
        label=language.code("setting", name).capitalize() if not language.knows("setting", name) else language.code("setting", name),
        help=language.code("setting_help", name) if language.knows("setting_help", name) else str(part.get("description", "")),
        kind=kind,
        input="password" if secret else "number" if part.get("type") == "integer" else "text",
        required=required,
        extra=not required and not secret and name in _COMMON | {"poll_seconds", "allow_private_host", "port"},
        choices=tuple(str(one) for one in part.get("enum", ())),
        value=value,
        wrong=_why_wrong(language, wrong.get(name, "")),
    )


def _why_wrong(language: Language, said: str) -> str:
    return language("form.required") if said == "is required" else said


def _resolved(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself where it only refers to a definition."""
    reference = str(part.get("$ref", "")).rpartition("/")[2]
    return {**definitions[reference], **part} if reference in definitions else part


def _kind(part: Mapping[str, Any]) -> str:
    if part.get("enum"):
        return "choice"
    if part.get("type") == "boolean":
        return "bool"
    return "long" if part.get("type") == "object" else "text"


def _default(part: Mapping[str, Any]) -> Any:
    default = part.get("default", "")
    if isinstance(default, list):
        return ", ".join(str(one) for one in default)
    if isinstance(default, dict):
        return orjson.dumps(default).decode() if default else ""
    return "" if default is None else default


def given_settings(connector: Connector, posted: Mapping[str, str]) -> dict[str, Any]:
    """Settings that differ from their default, so that a later default reaches old sources too."""
    schema = connector.config_model.model_json_schema()
    given: dict[str, Any] = {}
    for name, raw in schema.get("properties", {}).items():
        part = _resolved(raw, schema.get("$defs", {}))
        if part.get("type") == "boolean":
            value: Any = name in posted
        else:
            value = posted.get(name, "").replace("\x00", "").strip()
        if value != "" and str(value) != str(_default(part)):
            given[name] = value
    return given
