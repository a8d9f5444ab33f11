"""The page behind the box on every page: clients, leads, what was said, and where to go on."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import request, url_for

from crm_core.global_search.queries import search
from crm_core.search import LONGEST, read_query
from webhooks.console.shell import highlights
from webhooks.console.shell.request_context import PageAnswer, RequestContext
from webhooks.console.shell.titles import title_of

_LIMIT = 8  # rows of a group; the rest is a list of its own


def index(context: RequestContext) -> PageAnswer:
    typed = request.args.get("q", "").replace("\x00", " ")
    query = read_query(typed, context.config.region)
    with context.engine.begin() as connection:
        found = search(connection, context.principal, typed, context.config.region, _LIMIT)
    return context.page(
        "search/search.html",
        typed=query.text,
        longest=LONGEST if found.cut else 0,
        asked=bool(query),
        count=found.contacts.count + found.leads.count + found.events.count,
        contacts=found.contacts,
        leads=found.leads,
        title_of=partial(title_of, context),
        events=found.events,
        others=found.others,
        mark=highlights.marker(query),
        excerpt=highlights.excerpts(query),
        actions=_actions(context, query.text) if query else [],
        can_see_events=context.may("events.read"),
    )


def _actions(context: RequestContext, text: str) -> list[dict[str, Any]]:
    """Where the same words lead on to: the lists with this condition."""
    lists = (("leads", "leads.read"), ("contacts", "contacts.read"))
    return [
        {"picture": name, "title": context.language(f"search.all_{name}", q=text), "href": url_for(f"console.{name}", q=text)}
        for name, permission in lists
        if context.may(permission)
    ]
