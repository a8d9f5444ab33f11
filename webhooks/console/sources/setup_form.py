"""A connector's configuration model as the fields of a form, and the posted form as its settings.

A secret is asked for and never sent back: on the form of an existing source an empty one means "as it was".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from connectors.kit import Connector, ConnectorConfig
from connectors.kit.guide import guide_of, words_of_setting
from ingest.sources.settings import marked_fields
from webhooks.console.shell.language import Language
from webhooks.console.sources.setting_errors import why_wrong

_COMMON = frozenset(ConnectorConfig.model_fields)


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
    """One field a setting: those that the connector's guide opens in its order, then the rest, folded. A secret that was
    typed is asked for again.

    `exists`: the source has its secrets already, so that none has to be typed.
    """
    schema = connector.config_model.model_json_schema()
    required = set(schema.get("required", ()))
    secret = marked_fields(connector.config_model, "secret")
    places = {place.partition(".")[0]: why for place, why in wrong.items()}
    guide = guide_of(connector)
    # Without a guide, what has to be given; a mailbox's server has to be, and is found by its address.
    opened = guide.fields if guide else tuple(name for name in schema.get("properties", {}) if name in required | secret)
    fields = [
        _field(name, _resolved(part, schema.get("$defs", {})), language, given, places.get(name, ""), connector=connector,
               required=name in required, secret=name in secret, exists=exists,
               is_open=name in opened or (exists and name in required))
        for name, part in schema.get("properties", {}).items()
    ]  # fmt: skip
    # Every connector has a country and a time zone, and few people change them: last.
    return sorted(fields, key=lambda one: (one.extra, one.name in _COMMON, opened.index(one.name) if one.name in opened else 99))


def setting_words(language: Language, connector: Connector, name: str, part: Literal["label", "help"]) -> str:
    """A setting's label or help: the connector's own words, else those of settings that many connectors share."""
    own = words_of_setting(guide_of(connector), name, part, language.locale)
    group = "setting" if part == "label" else "setting_help"
    if own or language.knows(group, name):
        return own or language.code(group, name)
    return name.replace("_", " ").capitalize() if part == "label" else ""


def _field(
    name: str, part: Mapping[str, Any], language: Language, given: Mapping[str, Any], wrong: str, *,
    connector: Connector, required: bool, secret: bool, exists: bool, is_open: bool,
) -> SetupField:  # fmt: skip
    kind = _kind(part)
    value = "" if secret else as_typed(given.get(name, part.get("default", "")))
    return SetupField(
        name=name,
        label=setting_words(language, connector, name, "label"),
        help=setting_words(language, connector, name, "help") or str(part.get("description", "")),
        kind=kind,
        input="password" if secret else "number" if _is_number(part) else "text",
        required=required and is_open and not (secret and exists),
        extra=not is_open,
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


def _is_number(part: Mapping[str, Any]) -> bool:
    return "integer" in (part.get("type"), *(one.get("type") for one in part.get("anyOf", ())))


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
