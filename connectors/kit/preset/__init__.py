"""A connector declared by a mapping (preset.yaml) instead of Python: docs/presets.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.kit.connector import Connector, ConnectorConfig, Detect, Reply, Request
from connectors.kit.forms.config import FormConfig
from connectors.kit.preset import file
from connectors.kit.preset.key import key_of
from connectors.kit.preset.mapping import parsed_items_of
from connectors.kit.preset.plan import Remembered
from connectors.kit.preset.reply import reply_of, shaken
from connectors.kit.preset.settings import model_of
from connectors.kit.preset.signature import verify_of
from connectors.kit.replaces import replaces_of
from crm_core.base.errors import Misconfigured
from crm_core.parsed import ParsedItem

#: Headers whose value the journal keeps masked: a secret in one of them can be compared at the door only.
_MASKED = ("authorization", "proxy-authorization", "cookie", "x-api-key")

Rules = Mapping[str, Any]


def load(folder: Path) -> Connector:
    """The connector of a folder with preset.yaml. Raises Misconfigured, naming the line that is wrong."""
    rules = file.read(folder / "preset.yaml")
    _refuse_contradictions(rules, folder.name)
    own = {**rules, **_hidden(rules)}

    def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
        return parsed_items_of(own, request, config)

    def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
        return key_of(rules["event_id"], request)

    def handshake(request: Request, config: ConnectorConfig) -> Reply | None:
        return shaken(rules, request, config)

    def reply(request: Request, _config: ConnectorConfig) -> Reply | None:
        return reply_of(rules, request)

    merged = Remembered(lambda mapping: {**own, **mapping, **_hidden({**rules, **mapping})})

    def read_under(request: Request, config: ConnectorConfig, mapping: Rules) -> Sequence[ParsedItem]:
        return parsed_items_of(merged(mapping), request, config)

    return Connector(
        name=folder.name,
        channel=rules["channel"],
        title=rules["title"],
        parse=parse,
        config_model=model_of(folder.name, rules.get("settings", {})),
        verify=verify_of(rules),
        verify_at_door=rules.get("verify_at_door", False),
        provider_key=provider_key if "event_id" in rules else None,
        handshake=handshake if "handshake" in rules else None,
        reply=reply if "reply" in rules or "replies" in rules else None,
        get_is_event=True if rules.get("get") else _accepts_get,
        map=read_under,
        rules=rules,
        detect=_detect(rules["detect"]) if "detect" in rules else None,
        replaces=replaces_of(rules["replaces"]) if "replaces" in rules else None,
        sender=rules.get("sender", "server"),
        experimental=rules.get("experimental", False),
    )


def _accepts_get(_request: Request, config: ConnectorConfig) -> bool:
    return isinstance(config, FormConfig) and config.accept_get


def _detect(signs: Sequence[str | Sequence[str]]) -> Detect:
    return Detect(tuple((sign,) if isinstance(sign, str) else tuple(sign) for sign in signs))


def _hidden(rules: Rules) -> Rules:
    """`extra` with the secret that was sent along dropped: no mapping may bring it back into the lead."""
    path = rules.get("shared_secret", {}).get("path")
    if path is None:
        return {}
    extra = rules.get("extra", {})
    return {"extra": {**extra, "drop": [*extra.get("drop", ()), path]}}


def _refuse_contradictions(rules: Rules, name: str) -> None:
    settings = rules.get("settings", {})
    named = [rules[part]["setting"] for part in ("signature", "shared_secret") if part in rules]
    for rule in rules.get("handshake", ()):
        named += [rule[part]["setting"] for part in ("secret", "answer") if "setting" in rule.get(part, {})]
    unknown = sorted({setting for setting in named if setting not in settings})
    if unknown:
        raise Misconfigured("wrong_preset", f"{name}/preset.yaml: {', '.join(unknown)} is not among its settings.")
    header = rules.get("shared_secret", {}).get("header")
    if header in _MASKED and not rules.get("verify_at_door"):
        raise Misconfigured(
            "wrong_preset",
            f"{name}/preset.yaml: the journal masks {header}; say verify_at_door: true, or take another.",
        )
    if rules.get("verify_at_door") and not ("signature" in rules or "shared_secret" in rules):
        raise Misconfigured("wrong_preset", f"{name}/preset.yaml: verify_at_door without anything to verify.")
