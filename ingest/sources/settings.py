"""Settings of one source: checked against its connector's model, sealed for the table, opened again for use.

Refuses settings that the connector does not know or cannot read, and says in words which one and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection, select

from connectors.kit import Connector, ConnectorConfig, registry
from crm_core.base.config import HubConfig
from crm_core.base.errors import Invalid, Misconfigured
from crm_core.base.sealing import masked, seal, unseal
from crm_core.batch import windows
from crm_core.batch.windows import Windows, WindowsOf
from crm_core.sources.models import Source

_SEALED = "sealed"  # {"sealed": "v1.…"} stands in `source.config` for a secret value


@dataclass(frozen=True, slots=True)
class LoadedSource:
    """A source ready for work: its connector and its settings with secrets open and the hub's defaults filled in."""

    id: int
    name: str
    connector: Connector
    channel: str
    settings: ConnectorConfig = field(repr=False)  # holds open secrets
    state: str  # active | paused
    line: str
    pool_id: int | None
    allowed_hosts: tuple[str, ...]
    mapping: Mapping[str, Any] | None = None  # the source's own published rules, which go before the connector's
    mapping_version: int = 0
    quarantine_until: datetime | None = None
    windows: Windows = windows.DEFAULT
    zone: str = "UTC"  # the hub's
    has_deadlines: bool = False  # the hub's, as the rest of this row a moment old at most


def marked_fields(model: type[ConnectorConfig], mark: str) -> frozenset[str]:
    """Names of the settings that carry `mark` anywhere in their schema, e.g. {"secret": True} for `mark="secret"`."""
    schema = model.model_json_schema()
    definitions: Mapping[str, Any] = schema.get("$defs", {})

    def carries(node: Any) -> bool:
        if isinstance(node, list):
            return any(carries(item) for item in node)
        if not isinstance(node, dict):
            return False
        if node.get(mark) is True:
            return True
        reference = str(node.get("$ref", "")).rpartition("/")[2]
        if reference in definitions and carries(definitions[reference]):
            return True
        return any(carries(value) for value in node.values())

    return frozenset(name for name, node in schema.get("properties", {}).items() if carries(node))


def check_settings(connector: Connector, settings: Mapping[str, Any]) -> ConnectorConfig:
    """The validated settings. Invalid, with one entry in `fields` for each wrong one, if they do not fit."""
    properties = connector.config_model.model_json_schema().get("properties", {})
    values = {name: _from_text(value, properties.get(name, {})) for name, value in settings.items()}
    try:
        return connector.config_model.model_validate(values)
    except ValidationError as error:
        fields: dict[str, str] = {}
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            place = ".".join(str(part) for part in problem["loc"]) or "settings"
            fields[place] = _in_words(problem["type"], problem["msg"])
        known = ", ".join(sorted(properties))
        told = "; ".join(f"{place}: {why}" for place, why in sorted(fields.items()))
        raise Invalid("settings_invalid", f"{connector.title}: {told}. Settings it knows: {known}.", fields=fields) from error


def _from_text(value: Any, schema: Mapping[str, Any]) -> Any:
    """Lists and tables typed on a command line: JSON if it looks like it, else words between commas."""
    kinds = {schema.get("type"), *(part.get("type") for part in schema.get("anyOf", ()))}
    if not isinstance(value, str) or not kinds & {"array", "object"} or "string" in kinds:
        return value
    if value.lstrip()[:1] in ("[", "{"):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value  # the model then says what it wanted
    return [word.strip() for word in value.split(",") if word.strip()] if "array" in kinds else value


def _in_words(kind: str, message: str) -> str:
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not a setting of this connector"
    return message[:1].lower() + message[1:]


def seal_settings(config: HubConfig, source_id: int, settings: ConnectorConfig) -> dict[str, Any]:
    """What is stored in `source.config`: only what was set, so that a later default reaches old sources too."""
    secret = marked_fields(type(settings), "secret")
    stored: dict[str, Any] = settings.model_dump(mode="json", exclude_unset=True)
    for name in secret & stored.keys():
        text = orjson.dumps(stored[name]).decode()
        stored[name] = {_SEALED: seal(config.secret_key, text, _purpose(source_id, name))}
    return stored


def open_settings(config: HubConfig, source_id: int, connector: Connector, stored: Mapping[str, Any]) -> ConnectorConfig:
    """The settings as they were checked in, secrets open, region and time zone of the hub where none is named.

    Misconfigured if an update of the connector asks for others; events wait as `needs_attention` meanwhile.
    """
    values = {
        name: orjson.loads(unseal(config.secret_key, value[_SEALED], _purpose(source_id, name)))
        if isinstance(value, dict) and value.keys() == {_SEALED}
        else value
        for name, value in stored.items()
    }
    try:
        settings = connector.config_model.model_validate(values)
    except ValidationError as error:
        wrong = ", ".join(str(item["loc"][0]) for item in error.errors(include_input=False) if item["loc"])
        raise Misconfigured(
            "settings_outdated", f"The settings of this source no longer fit its connector ({wrong}). Enter them again."
        ) from None
    defaults = {"region": settings.region or config.region, "timezone": settings.timezone or config.timezone}
    return settings.model_copy(update=defaults)


def shown_settings(source: LoadedSource) -> dict[str, Any]:
    """What a person may see: secrets as dots."""
    secret = marked_fields(type(source.settings), "secret")
    values = source.settings.model_dump(mode="json")
    return {name: masked(str(value or "")) if name in secret else value for name, value in values.items()}


def loaded(config: HubConfig, row: Mapping[str, Any]) -> LoadedSource:
    """A row of `source` (columns by name) as a source ready for work. NotFound if nothing provides its connector."""
    connector = registry.get(row["connector"])
    settings = open_settings(config, row["id"], connector, row["config"])
    return LoadedSource(
        id=row["id"],
        name=row["name"],
        connector=connector,
        channel=row["channel"],
        settings=settings,
        state=row["state"],
        line=row["line"],
        pool_id=row["pool_id"],
        allowed_hosts=tuple(row["allowed_hosts"]),
        mapping=row.get("mapping"),
        mapping_version=row.get("mapping_version") or 0,
        quarantine_until=row.get("quarantine_until"),
        zone=config.timezone,
        windows=windows_of(config, settings),
        has_deadlines=bool(row.get("has_deadlines")),
    )


def windows_of(config: HubConfig, settings: ConnectorConfig) -> Windows:
    """The source's own windows, the hub's where it has none."""
    return _windows(config, {name: getattr(settings, name) for name in _WINDOWS})


#: Settings of a source, and of the hub, by which windows are set.
_WINDOWS: Final = ("lost_days", "reopen_days", "asleep_days", "together_minutes", "reissued_days")


def _windows(config: HubConfig, own: Mapping[str, Any]) -> Windows:
    told = {name: getattr(config, name) if own.get(name) is None else own[name] for name in _WINDOWS}
    return Windows(
        lost=timedelta(days=told["lost_days"]),
        reopen=timedelta(days=told["reopen_days"]),
        asleep=timedelta(days=told["asleep_days"]),
        together=timedelta(minutes=told["together_minutes"]),
        reissued=timedelta(days=told["reissued_days"]),
    )


def windows_of_sources(connection: Connection, config: HubConfig) -> WindowsOf:
    """Those of every source as they are now, without its connector: for whoever looks at what came from all of them."""
    rows = connection.execute(select(Source.id, Source.config))
    own = {row.id: _windows(config, row.config) for row in rows if any(name in row.config for name in _WINDOWS)}
    of_hub = _windows(config, {})
    return lambda source_id: own.get(source_id or 0, of_hub)


def _purpose(source_id: int, name: str) -> str:
    return f"source:{source_id}:{name}"
