"""Telephone calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from crm_core.reading.calls import CallFilters, get_call, list_calls
from webhooks.api.route import Ask, Paging, Route
from webhooks.api.shapes import people as shapes


class CallQuery(CallFilters, Paging):
    pass


def _list(ask: Ask) -> object:
    query = cast(CallQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_calls(
            connection, ask.principal, query, query.limit, query.after, ask.config.region
        )


def _get(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        return get_call(connection, ask.principal, ask.id("call"))


ROUTES = (
    Route("GET", "/calls", "calls.read", _list, "Calls, newest first", shapes.CallPage, query=CallQuery),
    Route("GET", "/calls/<id>", "calls.read", _get, "One call", shapes.Call),
)
