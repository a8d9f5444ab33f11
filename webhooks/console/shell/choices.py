"""Options of the filters above the lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for
from sqlalchemy import Connection

from crm_core.people.queries import list_owners
from ingest.sources.sources import list_sources
from webhooks.console.shell.request_context import RequestContext

CHANNELS = ("form", "call", "mail")

Options = list[tuple[str, str]]


def owners(connection: Connection) -> Options:
    return [(str(owner.id), owner.name) for owner in list_owners(connection)]


def active_owners(connection: Connection) -> Options:
    return [(str(owner.id), owner.name) for owner in list_owners(connection) if owner.active]


def sources(connection: Connection, context: RequestContext) -> Options:
    return [(str(source.id), source.name) for source in list_sources(connection, context.config)]


def of_codes(context: RequestContext, group: str, codes: Sequence[str]) -> Options:
    return [(code, context.language.code(group, code)) for code in codes]


def tabs(
    context: RequestContext, endpoint: str, name: str, codes: Sequence[str], group: str, kept: Mapping[str, str]
) -> list[dict[str, Any]]:
    """One tab a value of the filter `name`, the first for all, each keeping the other filters."""
    now = request.args.get(name, "")
    others = {key: value for key, value in kept.items() if key != name}
    return [
        {
            "title": context.language.code(group, code or "all"),
            "href": f"{url_for(f'console.{endpoint}')}?{urlencode(others | ({name: code} if code else {}))}".rstrip("?"),
            "here": code == now,
        }
        for code in ("", *codes)
    ]


def counted(
    context: RequestContext, tabs: list[dict[str, Any]], codes: Sequence[str], counts: Mapping[str, int], most: int
) -> list[dict[str, Any]]:
    """The tabs with the figures of the lists that they open; a tab without a figure stays as it is."""
    return [
        tab | ({"count": context.language.at_most(counts[code], most)} if code in counts else {})
        for tab, code in zip(tabs, codes, strict=True)
    ]


def first_page(kept: Mapping[str, str]) -> str:
    """Back to the beginning of a list that was paged; "" on its first page."""
    return f"{request.path}?{urlencode(kept)}".rstrip("?") if request.args.get("cursor") else ""
