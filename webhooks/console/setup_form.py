"""A connector's configuration model as the fields of a form, and the posted form as its settings.

A secret is asked for and never sent back: on the form of an existing source an empty one means "as it was".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.kit import Connector
from ingest.source_settings import marked_fields
from webhooks.console.language import Language
from webhooks.console.wrongness import why_wrong

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
    choices: tuple[tuple[str, str], ...]  # (value, words)
    value: Any
    wrong: str
    hint: str = ""  # stands in the empty field


def fields_of(
    connector: Connector, language: Language, given: Mapping[str, Any], wrong: Mapping[str, str], *, exists: bool = False
) -> list[SetupField]:
    """One field a setting, in the model's order, required ones first. A secret that was typed is asked for again.

    `exists`: the source has its secrets already, so that none has to be typed.
    """
    schema = connector.config_model.model_json_schema()
    required = set(schema.get("required", ()))
    secret = marked_fields(connector.config_model, "secret")
    places = {place.partition(".")[0]: why for place, why in wrong.items()}
    fields = [
        _field(name, _resolved(part, schema.get("$defs", {})), language, given, places.get(name, ""),
               required=name in required, secret=name in secret, exists=exists)
        for name, part in schema.get("properties", {}).items()
    ]  # fmt: skip
    return sorted(fields, key=lambda one: (one.extra, not one.required and one.name not in secret))


def _field(
    name: str, part: Mapping[str, Any], language: Language, given: Mapping[str, Any], wrong: str, *,
    required: bool, secret: bool, exists: bool,
) -> SetupField:  # fmt: skip
    kind = _kind(part)
    value = "" if secret else as_typed(given.get(name, part.get("default", "")))
    return SetupField(
        name=name,
        label=language.code("setting", name).capitalize() if not language.knows("setting", name) else language.code("setting", name),
        help=language.code("setting_help", name) if language.knows("setting_help", name) else str(part.get("description", "")),
        kind=kind,
        input="password" if secret else "number" if part.get("type") == "integer" else "text",
        required=required and not (secret and exists),
        extra=not required and not secret and name in _COMMON | {"poll_seconds", "port"},
        choices=tuple((str(one), choice_words(language, name, one)) for one in part.get("enum", ())),
        value=value,
        wrong=why_wrong(language, name, wrong) if wrong else "",
        hint=language("form.unchanged") if secret and exists else "",
    )


def choice_words(language: Language, setting: str, value: Any) -> str:
    """One value of a setting that offers a few: in words where they are known, else the value itself, as a protocol's name."""
    code = f"{setting}.{value}"
    return language.code("choice", code) if language.knows("choice", code) else str(value)


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


def as_typed(value: Any) -> Any:
    """A value as it would be typed into its field: lists between commas, tables as JSON; yes and no stay what they are."""
    if isinstance(value, bool):
        return value
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict | list) for one in value)):
        return orjson.dumps(value).decode() if value else ""
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)


def given_settings(connector: Connector, posted: Mapping[str, str]) -> dict[str, Any]:
    """Settings that differ from their default, so that a later default reaches old sources too."""
    schema = connector.config_model.model_json_schema()
    given: dict[str, Any] = {}
    for name, raw in schema.get("properties", {}).items():
        part = _resolved(raw, schema.get("$defs", {}))
        value = _posted(part, name, posted)
        if value != "" and str(value) != str(as_typed(part.get("default", ""))):
            given[name] = value
    return given


def changed_settings(connector: Connector, posted: Mapping[str, str], now: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that were typed otherwise than they are `now`. An emptied field goes back to its default."""
    schema = connector.config_model.model_json_schema()
    secret = marked_fields(connector.config_model, "secret")
    changed: dict[str, Any] = {}
    for name, raw in schema.get("properties", {}).items():
        part = _resolved(raw, schema.get("$defs", {}))
        value = _posted(part, name, posted)
        if name in secret:
            if value != "":
                changed[name] = value
        elif (name in posted or value is False) and value != as_typed(now.get(name)):
            changed[name] = part.get("default", "") if value == "" else value
    return changed


def _posted(part: Mapping[str, Any], name: str, posted: Mapping[str, str]) -> Any:
    """What stands in the form: a tick is there or not."""
    if part.get("type") == "boolean":
        return name in posted
    return posted.get(name, "").replace("\x00", "").replace("\r\n", "\n").strip()
