"""What an empty hub leads on to: people, then a source, then the first lead. Each step says whether it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from sqlalchemy import Connection

from crm_core.people.queries import list_owners
from ingest.sources.states import SourceState
from webhooks.console.shell.request_context import RequestContext
from webhooks.console.sources import source_status


def steps(connection: Connection, context: RequestContext) -> list[dict[str, Any]]:
    """In their order, for who may take them; the first that is not done is the one button of the page."""
    found = []
    if context.may("owners.write"):
        people = [owner for owner in list_owners(connection) if owner.active and not owner.duty]
        found.append({"name": "people", "done": bool(people), "href": url_for("console.owners")})
    if context.may("sources.write"):
        states = source_status.states(context)
        heard = any(one.last_event_at or one.last_read_at for one in states)
        found.append({"name": "source", "done": heard, "href": _where(states)})
    if found:
        found.append({"name": "lead", "done": False, "href": _where(source_status.states(context))})
    ahead = next((one for one in found if not one["done"]), None)
    return [one | {"now": one is ahead} for one in found]


def _where(states: Sequence[SourceState]) -> str:
    """The source that waits for its first event, else a new one."""
    waiting = next((one for one in states if one.code == "waiting"), None) or next(iter(states), None)
    if waiting is None:
        return url_for("console.choose_connector")
    return url_for("console.connect_source", source_id=waiting.source_id)
