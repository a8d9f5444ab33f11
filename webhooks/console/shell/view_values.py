"""What every template has at hand: words, times, phones, colours of pills, the navigation with its counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import phonenumbers
from flask import Blueprint, g, request, url_for
from markupsafe import Markup

from ingest.monitoring.health import disk_findings
from webhooks import static_files
from webhooks.console.queues import findings
from webhooks.console.shell import badges, clock, form_tokens
from webhooks.console.shell import session as sessions
from webhooks.console.shell.navigation import navigation
from webhooks.console.shell.request_context import RequestContext

STATIC = Path(__file__).parents[1] / "static"

_COLOURS: Mapping[str, Mapping[str, str]] = {
    "lead_state": {"open": "blue", "won": "green", "lost": "", "closed": "", "spam": "amber"},
    "outcome": {"created": "green", "attached": "teal", "repeat": "blue", "spam": "amber", "test": "violet"},
    "event_state": {"waiting": "blue", "working": "blue", "needs_attention": "red", "rejected": "red"},
    "routing_state": {"draft": "violet", "active": "green"},
    "mapping_state": {"draft": "violet", "published": "green"},
    "owner_state": {"present": "green", "absent": "violet", "paused": "amber"},
    "user_state": {"active": "green", "invited": "blue", "new": "amber"},
    "token_state": {"active": "green", "expired": "amber"},
    "process_state": {"alive": "green", "silent": "red"},
}  # fmt: skip


def install(room: Blueprint) -> None:
    for show in (when, day, phone, tel, mailto, size, span, capitalize_first):
        room.add_app_template_filter(show, show.__name__)
    room.context_processor(_at_hand)


def _at_hand() -> dict[str, Any]:
    context: RequestContext | None = g.get("context")
    if context is None:
        return {}
    done = request.args.get("done", "")
    return {
        "t": context.language,
        "form_token": form_tokens.masked(sessions.form_token(context.session, context.config)),
        "visitor": context.visitor,
        "asset": asset,
        "colour": colour,
        "here": request.full_path.rstrip("?") if request.method == "GET" else url_for("console.home"),
        "done": context.language.code("done", done) if context.language.knows("done", done) else "",
        "sidebar": sidebar,
        "door_is_shut": door_is_shut,
    }


def sidebar() -> dict[str, Any]:
    """Navigation and its counts. Asked for only by pages that show it, so that an error page needs no database."""
    context: RequestContext = g.context
    counts = badges.counts(context)
    groups = navigation(context, counts, request.endpoint or "")
    typed = request.args.get("q", "")[:200] if request.endpoint == "console.search" else ""
    return {
        "groups": groups,
        "typed": typed,
        "searches": context.may("leads.read"),
        "alerts": context.language.at_most(counts["attention"], badges.MOST) if counts.get("attention") else "",
    }


def door_is_shut() -> str:
    """Why nothing is taken in just now, on every page of whoever is signed in; "" if all is well."""
    context: RequestContext = g.context
    return " ".join(findings.words(context, finding) for finding in disk_findings(context.config))


def asset(filename: str) -> str:
    return url_for("console.static_file", filename=filename, v=static_files.version(STATIC, filename))


def colour(group: str, code: str) -> str:
    return _COLOURS.get(group, {}).get(code, "")


def when(value: Any) -> Markup:
    """A moment, short, with the exact one behind it."""
    at = clock.moment(value)
    if at is None:
        return Markup("")
    context: RequestContext = g.context
    zone = context.config.zone
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), clock.exact(at, zone, context.language), clock.relative(at, context.now, zone, context.language)
    )


def day(value: str | date) -> str:
    return clock.day(value, g.context.language)


def span(seconds: float) -> str:
    return clock.span(seconds, g.context.language)


def phone(number: str) -> Markup:
    """+79123456789 as +7 912 345-67-89; what is no E.164 number stays as it is."""
    text = number
    if re.fullmatch(r"\+\d{7,15}", number):
        try:
            parsed = phonenumbers.parse(number)
            text = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        except phonenumbers.NumberParseException:
            text = number
    return Markup('<bdi class="nowrap">{}</bdi>').format(text)


def tel(number: str) -> str:
    """RFC 3966. Only digits and a plus reach the phone's dialler."""
    return "tel:" + re.sub(r"[^\d+]", "", number)


def mailto(address: str) -> str:
    """RFC 6068, with nothing in it that could add a header or a second recipient."""
    return "mailto:" + quote(address, safe="@")


def capitalize_first(words: str) -> str:
    """A pill's words at the beginning of a sentence; names within stay as they are."""
    return words[:1].upper() + words[1:]


def size(count: int) -> str:
    """Bytes as people say them."""
    context: RequestContext = g.context
    for unit, factor in (("mb", 1024 * 1024), ("kb", 1024)):
        if count >= factor:
            return context.language(f"size.{unit}", n=context.language.number(round(count / factor, 1)))
    return context.language("size.b", n=context.language.number(count))
