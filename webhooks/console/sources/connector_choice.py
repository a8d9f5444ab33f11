"""Step one of a new source: what it is. Three tiles, the common ones of a kind, a search over all, the rest behind "more"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from connectors.kit import Connector, registry
from connectors.kit.guide import guide_of
from webhooks.console.shell.language import Language
from webhooks.console.shell.request_context import RequestContext, chosen

KINDS = ("form", "call", "mail")


def step(context: RequestContext, connector: Connector | None) -> dict[str, Any]:
    """For `connector_choice.html`; `connector`: the one that was chosen, if any."""
    asked = chosen("kind", "q")
    words = asked.get("q", "").casefold().split()
    everything = [_shown(context, one, connector) for one in _in_order()]
    kind = connector.channel if connector else asked.get("kind", "")
    mine = [one for one in everything if one["kind"] == kind]
    return {
        "tiles": [_tile(context, one, kind, everything) for one in KINDS],
        "kind": kind if kind in KINDS else "",
        "count": len(everything),
        "q": asked.get("q", ""),
        "found": [one for one in everything if all(word in one["sought"] for word in words)] if words else None,
        "common": [one for one in mine if one["common"] or one["here"]],
        "more": [one for one in mine if not one["common"] and not one["here"]],
        "chosen": next((one for one in everything if one["here"]), None),
    }


def title_of(connector: str, language: Language) -> str:
    """Its title in the reader's language; its name if it is not installed any more."""
    found = registry.discover().get(connector)
    if found is None:
        return connector
    guide = guide_of(found)
    return guide.title.in_(language.locale) if guide and guide.title else found.title


def _in_order() -> Sequence[Connector]:
    def place(one: Connector) -> tuple[int, int, str]:
        guide = guide_of(one)
        return KINDS.index(one.channel), (guide.common if guide else 0) or 1_000, one.title.casefold()

    return sorted(registry.discover().values(), key=place)


def _shown(context: RequestContext, one: Connector, chosen_one: Connector | None) -> dict[str, Any]:
    guide = guide_of(one)
    title = title_of(one.name, context.language)
    summary = guide.summary.in_(context.language.locale) if guide else ""
    both = f"{guide.summary.en} {guide.summary.ru}" if guide else ""
    names = f"{guide.title.en} {guide.title.ru}" if guide and guide.title else ""
    return {
        "name": one.name,
        "kind": one.channel,
        "title": title,
        "summary": summary,
        "common": bool(guide and guide.common),
        "here": chosen_one is not None and one.name == chosen_one.name,
        # In both languages: who has a Russian console may type the provider's Latin name, and the other way round.
        "sought": f"{one.name} {one.title} {names} {both}".casefold(),
    }


def _tile(context: RequestContext, kind: str, here: str, everything: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A kind with one connector leads straight to it, and the one that reads every form is the likeliest of its kind."""
    mine = [one for one in everything if one["kind"] == kind]
    straight = mine[0]["name"] if len(mine) == 1 or kind == "form" else ""
    href = url_for("console.add_source", connector=straight) if straight else url_for("console.choose_connector", kind=kind)
    return {
        "kind": kind,
        "title": context.language.code("source_kind", kind),
        "text": context.language.code("source_kind_text", kind),
        "href": href,
        "here": kind == here,
    }
