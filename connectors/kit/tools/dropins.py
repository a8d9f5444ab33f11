"""Writes the table of docs/drop-in.md, the services that a site may come from, out of what the connectors declare."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from connectors.kit import registry
from connectors.kit.connector import Connector
from connectors.kit.replaces import Replaces, names_of

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "drop-in.md"
_BEGIN: Final = "<!-- The table is made by `python -m leadhub.docs` from the connectors' `replaces:`; do not edit it. -->\n"
_END: Final = "<!-- The end of the table. -->\n"
_HEAD: Final = "| old service | on the site stands | put instead (host only) | alias | for example |\n|---|---|---|---|---|\n"
_PLACEHOLDER: Final = re.compile(r"\{([a-z]+)\}")


def page() -> str:
    """The page as it is, with the table of today. ValueError if the page lost the lines around it."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} lacks the lines {_BEGIN!r} and {_END!r}.")
    return before + begin + table() + end + after


def table() -> str:
    """Third parties' connectors are not in it: it describes this repository."""
    services = registry.replaced().services
    ours = [registry.get(name) for name in services if registry.folder_of(name)]
    return _HEAD + "".join(_row(connector, connector.replaces) for connector in ours if connector.replaces is not None)


def _row(connector: Connector, replaces: Replaces) -> str:
    stands = [f"`https://{host}{_capitals(one.path)}`" for host in replaces.hosts for one in replaces.paths]
    instead = [f"`https://HUB{_capitals(one.path)}`" for one in replaces.paths]
    ids = (
        ["KEY"]
        if replaces.key_field
        else [*replaces.aliases] or ["/".join(f"{{{name}}}" for name in names_of(replaces.paths[0].path))]
    )
    key = f", key in the field `{replaces.key_field}`" if replaces.key_field else ""
    get = " (GET or POST)" if any(one.get for one in replaces.paths) else ""
    aliases = " or ".join(f"`{connector.name}:{_capitals(one)}`" for one in ids)
    example = f"`{connector.name}:{replaces.example}`"
    return f"| {connector.title} | {', '.join(stands)}{key}{get} | {', '.join(instead)} | {aliases} | {example} |\n"


def _capitals(template: str) -> str:
    return _PLACEHOLDER.sub(lambda found: found[1].upper(), template)
