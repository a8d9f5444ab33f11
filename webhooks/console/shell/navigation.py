"""The navigation: only what the person may open, with what waits for him."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webhooks.console.shell.badges import MOST
from webhooks.console.shell.request_context import RequestContext

#: Group → (endpoint, permission, picture, which count stands beside it, its colour, endpoints that belong to it).
_GROUPS: Mapping[str, tuple[tuple[str, str, str, str, str, tuple[str, ...]], ...]] = {
    "work": (
        ("leads", "leads.read", "leads", "late", "alert", ("lead",)),
        ("tray", "leads.claim", "download", "tray", "due", ()),
        ("call_backs", "activities.read", "call_back", "call_backs", "due", ()),
        ("mentions", "mentions.read", "comment", "mentions", "due", ()),
        ("notifications", "notifications.read", "alert", "notifications", "due", ()),
        ("contacts", "contacts.read", "contacts", "", "", ("contact", "merge_page", "undo_merge_page")),
        ("suggestions", "suggestions.read", "merge", "suggestions", "due", ()),
    ),
    "operations": (
        ("events", "events.read", "events", "attention", "alert", ("event", "replay_preview", "replay")),
        ("quarantine", "quarantine.read", "quarantine", "quarantine", "due", ()),
        (
            "sources",
            "sources.read",
            "sources",
            "sources",
            "due",
            (
                "source",
                "choose_connector",
                "add_source",
                "add_source_now",
                "connect_source",
                "change_source",
                "change_source_now",
                "check_source",
                "mapping",
                "mapping_text",
            ),
        ),
        ("queues", "queues.read", "queues", "", "", ()),
        ("ledger", "ledger.read", "ledger", "", "", ()),
    ),
    "team": (
        ("deadlines", "deadlines.read", "call_back", "", "", ("add_deadline", "change_deadline")),
        (
            "routing",
            "routing.read",
            "assignment",
            "",
            "",
            (
                "routing_version",
                "routing_rule",
                "save_rule",
                "routing_settings",
                "routing_json",
                "simulate_routing",
                "activate_routing",
                "remove_routing",
            ),
        ),
        ("owners", "owners.read", "owners", "", "", ("add_owner", "owner", "change_owner", "plan_absence")),
        (
            "calendars",
            "owners.read",
            "call_back",
            "",
            "",
            ("add_calendar", "change_calendar", "put_calendar_days", "put_common_days"),
        ),
        (
            "users",
            "users.read",
            "person",
            "",
            "",
            ("add_user", "user", "change_user", "user_link", "user_password", "user_active", "user_sign_out"),
        ),
        ("tokens", "users.read", "key", "", "", ("create_token",)),
        ("audit", "audit.read", "audit", "", "", ()),
    ),
}

#: What the entry opens when its badge counts less than the whole list: exactly what the badge counts.
_LIST_OF: Mapping[str, dict[str, Any]] = {
    "late": {"deadline": "late"},
    "attention": {"state": "attention"},
    "sources": {"state": "trouble"},
    "mentions": {"state": "unread"},
    "notifications": {"state": "unread"},
}


def navigation(context: RequestContext, counts: Mapping[str, int], endpoint: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """[(group's title, entries)], without groups that would be empty."""
    here = endpoint.removeprefix("console.")
    groups = []
    for group, entries in _GROUPS.items():
        shown = [
            {
                "title": context.language(f"{name}.title"),
                "href": url_for(f"console.{name}", **(_LIST_OF.get(count, {}) if counts.get(count) else {})),
                "picture": picture,
                "here": here == name or here in family,
                "count": context.language.at_most(counts.get(count, 0), MOST) if counts.get(count) else "",
                "tone": tone,
                "hint": context.language.count(f"nav.{count}", counts[count]) if counts.get(count) else "",
            }
            for name, permission, picture, count, tone, family in entries
            if context.may(permission)
        ]
        if shown:
            groups.append((context.language(f"nav.{group}"), shown))
    return groups
