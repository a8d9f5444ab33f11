"""Gives a post to the preset of the provider that sent it: the one that the address names, else the one it is known by.

Only to presets that can do without settings of their own: what needs a key or must be fetched gets a source of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from connectors.forms.generic_form import parse as generic
from connectors.kit import Connector, ConnectorConfig, Reply, Request, registry
from connectors.kit.forms.config import FormConfig
from connectors.kit.forms.detect import Detector, compiled, recognised
from connectors.kit.preset.mapping import parsed_items_of
from crm_core.parsed import ParsedItem

_SELF = "generic_form"
_SETTINGS = "settings of the preset that reads for generic_form"


class _Choice(NamedTuple):
    connector: Connector
    request: Request  # as the preset's own address would have got it
    config: ConnectorConfig


def reads_as(request: Request) -> str:
    """The name of the preset that reads this request, "" where the fields are read by their names alone."""
    connector, _ = _connector(request)
    return connector.name if connector else ""


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    choice = _choice(request, config)
    return choice.connector.parse(choice.request, choice.config) if choice else generic.parse(request, config)


def read_under(request: Request, config: ConnectorConfig, mapping: Mapping[str, Any]) -> Sequence[ParsedItem]:
    """Under a source's own mapping: its sections before those of the preset, or before the reading by names."""
    choice = _choice(request, config)
    if choice is None:
        return parsed_items_of(mapping, request, config)
    if choice.connector.map is None:
        return choice.connector.parse(choice.request, choice.config)
    return choice.connector.map(choice.request, choice.config, mapping)


def provider_key(request: Request, config: ConnectorConfig) -> str | None:
    """The preset's key under the preset's name, so that two providers' numbers are not one; else the sender's own."""
    choice = _choice(request, config)
    if choice and choice.connector.provider_key:
        key = choice.connector.provider_key(choice.request, choice.config)
        if key:
            return f"{choice.connector.name}:{key}"
    return generic.provider_key(request, config)


def handshake(request: Request, config: ConnectorConfig) -> Reply | None:
    choice = _choice(request, config)
    if choice is None or choice.connector.handshake is None:
        return None
    return choice.connector.handshake(choice.request, choice.config)


def reply(request: Request, config: ConnectorConfig) -> Reply | None:
    choice = _choice(request, config)
    if choice is None or choice.connector.reply is None:
        return None
    return choice.connector.reply(choice.request, choice.config)


def get_is_event(request: Request, config: ConnectorConfig) -> bool:
    if isinstance(config, FormConfig) and config.accept_get:
        return True
    choice = _choice(request, config)
    if choice is None:
        return False
    wanted = choice.connector.get_is_event
    return wanted if isinstance(wanted, bool) else wanted(choice.request, choice.config)


def _choice(request: Request, config: ConnectorConfig) -> _Choice | None:
    """The preset with what it is given; None where the fields are read by their names alone."""
    looked_for = request.noted.get(_SELF)
    if looked_for is not None and looked_for[0] is None:
        return None  # asked before, and nearly always the answer
    connector, seen = _connector(request)
    if connector is None:
        return None
    known: tuple[ConnectorConfig, ConnectorConfig] | None = request.noted.get(_SETTINGS)
    if known is None or known[0] is not config:
        known = request.noted[_SETTINGS] = (config, _settings(connector, config))
    return _Choice(connector, seen, known[1])


def _settings(connector: Connector, config: ConnectorConfig) -> ConnectorConfig:
    """The settings of every form, as this source has them; the preset's own stay empty. All of them were checked before."""
    model = connector.config_model
    return model.model_construct(
        **{name: getattr(config, name) for name in type(config).model_fields if name in model.model_fields}
    )


def _connector(request: Request) -> tuple[Connector | None, Request]:
    """The preset and the request as its own address would have got it. The door asks four times: it is looked for once."""
    known: tuple[Connector | None, str] | None = request.noted.get(_SELF)
    if known is None:
        known = request.noted[_SELF] = _found(request)
    connector, path = known
    return connector, request if path == request.path else replace(request, path=path)


def _found(request: Request) -> tuple[Connector | None, str]:
    """The preset, and the path that it would have seen."""
    named, _, rest = request.path.partition("/")
    if named:
        connector = _presets().get(named)
        if connector is not None:
            return connector, rest
    found = recognised(_detector(), request)
    return _presets()[found] if found else None, request.path


@cache
def _presets() -> dict[str, Connector]:
    """Every connector of forms that works without a setting of its own."""
    return {
        name: connector
        for name, connector in registry.discover().items()
        if name != _SELF and connector.channel == "form" and connector.fetch is None and _needs_nothing(connector)
    }


@cache
def _detector() -> Detector:
    return compiled(_presets().values())


def _needs_nothing(connector: Connector) -> bool:
    return not any(field.is_required() for field in connector.config_model.model_fields.values())
