"""The figures beside the navigation's entries. Each is counted by the function that its list is read by."""

from __future__ import annotations

from crm_core.calls.call_back_queries import count_call_backs
from crm_core.contacts.suggestions import count_waiting
from crm_core.deadlines.queries import late_now
from crm_core.leads.claiming import tray_of
from crm_core.mentions.queries import count_unread
from crm_core.notifications.queries import count_unread as count_told
from ingest.journal.queries import count_events
from ingest.quarantine.quarantine import count_quarantine
from webhooks.console.shell.request_context import RequestContext
from webhooks.console.sources import source_status

#: Counted no further than this and then shown as "more than", so that a flood slows no page down.
MOST = 1_000


def counts(context: RequestContext) -> dict[str, int]:
    """{"late","call_backs","mentions","notifications","tray","suggestions","attention","quarantine","sources"}, only those whose list the person may open."""
    found: dict[str, int] = {}
    with context.engine.begin() as connection:
        if context.may("leads.read"):
            found["late"] = late_now(connection, context.principal, context.now, MOST)
        if context.may("activities.read"):
            found["call_backs"] = count_call_backs(connection, context.principal, MOST)
        if context.may("mentions.read"):
            found["mentions"] = count_unread(connection, context.principal, MOST)
        if context.may("notifications.read"):
            found["notifications"] = count_told(connection, context.principal, MOST)
        if context.may("leads.claim") and context.principal.owner_id is not None:
            found["tray"] = len(tray_of(connection, context.principal))
        if context.may("suggestions.read"):
            found["suggestions"] = count_waiting(connection, context.now, MOST)
        if context.may("events.read"):
            found["attention"] = count_events(connection, "attention", most=MOST)
        if context.may("quarantine.read"):
            found["quarantine"] = count_quarantine(connection, context.now, most=MOST, shelves=("review",))["review"]
    if context.may("sources.read"):
        found["sources"] = sum(1 for one in source_status.states(context) if one.in_trouble)
    return found
