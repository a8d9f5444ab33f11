"""What a website needs of its source: the ready script line, a form that uses it, and the ids of the service it comes from."""

from __future__ import annotations

from typing import Any

from markupsafe import escape
from sqlalchemy import Connection

from ingest.sources.aliases import add_alias, examples, list_aliases, remove_alias
from webhooks.console.shell.language import Language
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered
from webhooks.console.sources.snippets import html_form
from webhooks.entrance import dropins
from webhooks.entrance.snippet_file import snippet


def shown(connection: Connection, context: RequestContext, source_id: int, url: str) -> dict[str, Any]:
    """For the source's page; empty where nobody may see the address, or there is none."""
    if not url:
        return {}
    aliases = [one.alias for one in list_aliases(connection, context.config, source_id)]
    return {
        "script": script_line(context.config.base_url, url),
        "form": script_form(url, context.language),
        "integrity": snippet().integrity,
        "aliases": [(alias, dropins.address(context.config.base_url, alias)) for alias in aliases],
        "examples": examples(),
    }


def script_line(base_url: str, url: str) -> str:
    """The line for a page. It names one version of the script, so that its hash fits for ever."""
    made = snippet()
    return (
        f'<script src="{escape(base_url)}/js/{made.name}"\n  integrity="{made.integrity}"\n'
        f'  crossorigin defer data-leadhub="{escape(url)}"></script>'
    )


def script_form(url: str, language: Language) -> str:
    return html_form(url, language).replace("<form ", "<form data-leadhub ", 1)


def add(context: RequestContext, source_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        add_alias(connection, context.principal, context.config, source_id, entered("alias", 1000))
    return context.go("source", "alias_added", source_id=source_id, _anchor="moved")


def remove(context: RequestContext, source_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        remove_alias(connection, context.principal, context.config, source_id, entered("alias", 1000))
    return context.go("source", "alias_removed", source_id=source_id, _anchor="moved")
