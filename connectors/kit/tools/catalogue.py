"""Writes docs/connectors.md, the table of all connectors, from what they declare.

python -m connectors.kit.tools.catalogue           write it
python -m connectors.kit.tools.catalogue --check   exit 1 if it is not current
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from connectors.kit import registry
from connectors.kit.connector import Connector
from connectors.kit.forms.config import FormConfig
from connectors.kit.guide import guide_of

_EVERYWHERE = ("region", "timezone")
PAGE = Path(__file__).resolve().parents[3] / "docs" / "connectors.md"

_HEAD = """<!-- Made by `python -m connectors.kit.tools.catalogue`; do not edit. -->
# Connectors

What can be connected today. `leadhub source add NAME` adds one; the name links to its page. What is *known by its signs* may also post to a
source of `generic_form`, which then reads and answers as that connector does. *Experimental* means: written from documents or public code, not yet seen
live. How to add a provider that is not here: [presets.md](presets.md), [adding-a-connector.md](adding-a-connector.md).
HTML forms, JSON of any program and the page snippet are `generic_form`. Not claimed, because no page of theirs says what they send: TikTok, Yandex Direct,
CoMagic and UIS, Cian; whatever they post to a generic address is kept and read by its names.

| name | what it is | channel | how it authenticates | answer | status |
|---|---|---|---|---|---|
"""
_SETTINGS = """
## Settings

`--set key=value`. Every source also takes `region` (country of numbers without a country code) and `timezone` (zone of times that name
none); empty means the hub's. Secrets are encrypted at rest and never shown again;
`--set key=-` asks for one (or reads a line of standard input), `--set key=@file` takes it from a file.

### Every form

What each source of a form takes, whichever connector reads it.

"""
_HEADER = "| key | kind | default | meaning |\n|---|---|---|---|\n"


def page() -> str:
    """The whole page. Third parties' connectors are not in it: it describes this repository."""
    ours = [connector for name, connector in registry.discover().items() if registry.folder_of(name)]
    rows = "".join(_row(connector) for connector in ours)
    forms = FormConfig.model_json_schema()["properties"]
    common = "".join(_setting(key, spec, needed=False) for key, spec in forms.items() if key not in _EVERYWHERE)
    return _HEAD + rows + _SETTINGS + _HEADER + common + "".join(filter(None, map(_settings, ours)))


def _row(connector: Connector) -> str:
    known = " (known by its signs)" if connector.detect is not None and connector.fetch is None else ""
    link = f"[{connector.name}](../connectors/{registry.family_of(connector.name)}/{connector.name}/README.md)"
    status = "**experimental**: from documents" if connector.experimental else "ready"
    guide = guide_of(connector)
    summary = f": {guide.summary.en}" if guide else ""
    cells = (
        link,
        connector.title + known + summary,
        connector.channel,
        _authentication(connector),
        _answer(connector),
        status,
    )
    return f"| {' | '.join(cells)} |\n"


def _authentication(connector: Connector) -> str:
    if connector.pulls:
        return "the hub signs in there"
    if connector.verify is None:
        return "token in the address"
    needed = any(field.is_required() for field in connector.config_model.model_fields.values())
    how = "token and signature" if needed or connector.channel != "form" else "token; signature or secret if entered"
    return how + (", refused at the door" if connector.verify_at_door else "")


def _answer(connector: Connector) -> str:
    if connector.pulls:
        return "none"
    own = "its own" if connector.reply else "the hub's"
    return own + (", with a handshake" if connector.handshake else "")


def _settings(connector: Connector) -> str:
    schema = connector.config_model.model_json_schema()
    known = FormConfig.model_fields if issubclass(connector.config_model, FormConfig) else _EVERYWHERE
    own = {key: spec for key, spec in schema["properties"].items() if key not in known}
    if not own:
        return ""
    needed = set(schema.get("required", ()))
    lines = [_setting(key, spec, needed=key in needed) for key, spec in own.items()]
    return f"\n### {connector.name}\n\n{_HEADER}" + "".join(lines)


def _setting(key: str, spec: dict[str, Any], *, needed: bool) -> str:
    kind = "secret" if spec.get("secret") else " or ".join(map(str, spec["enum"])) if "enum" in spec else spec.get("type", "")
    default = spec.get("default")
    shown = "needed" if needed else f"`{str(default).lower() if isinstance(default, bool) else default}`" if default else ""
    return f"| `{key}` | {kind} | {shown} | {str(spec.get('description', '')).replace('|', chr(92) + '|')} |\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m connectors.kit.tools.catalogue")
    parser.add_argument("--check", action="store_true", help="do not write; exit 1 if the page is not current")
    current = page()
    if parser.parse_args(arguments).check:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == current
        sys.stdout.write("current\n" if same else f"{PAGE.name} is not current: python -m connectors.kit.tools.catalogue\n")
        return 0 if same else 1
    PAGE.write_text(current, encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
