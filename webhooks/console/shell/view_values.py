"""What every template has at hand: words, times, phones, colours of pills, the navigation with its counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from webhooks.console.shell.request_context import Desk

STATIC = Path(__file__).parents[1] / "static"

_COLOURS: Mapping[str, Mapping[str, str]] = {
    "lead_state": {"open": "blue", "won": "green", "lost": "", "closed": "", "spam": "amber"},
    "outcome": {"created": "green", "attached": "teal", "repeat": "blue", "spam": "amber", "test": "violet"},
    "event_state": {"waiting": "blue", "working": "blue", "needs_attention": "red", "rejected": "red"},
    "mapping_state": {"draft": "violet", "published": "green"},
    "owner_state": {"present": "green", "absent": "amber"},
    "user_state": {"active": "green", "invited": "blue", "new": "amber"},
    "token_state": {"active": "green", "expired": "amber"},
    "process_state": {"alive": "green", "silent": "red"},
}  # fmt: skip


def install(room: Blueprint) -> None:
    for show in (when, day, phone, tel, mailto, size, span, capitalize_first):
        room.add_app_template_filter(show, show.__name__)
    room.context_processor(_at_hand)


def _at_hand() -> dict[str, Any]:
    desk: Desk | None = g.get("desk")
    if desk is None:
        return {}
    done = request.args.get("done", "")
    return {
        "t": desk.language,
        "form_token": form_tokens.masked(sessions.form_token(desk.session, desk.config)),
        "visitor": desk.visitor,
        "asset": asset,
        "colour": colour,
        "here": request.full_path.rstrip("?") if request.method == "GET" else url_for("console.home"),
        "done": desk.language.code("done", done) if desk.language.knows("done", done) else "",
        "sidebar": sidebar,
        "door_is_shut": door_is_shut,
    }


def sidebar() -> dict[str, Any]:
    """Navigation and its counts. Asked for only by pages that show it, so that an error page needs no database."""
    desk: Desk = g.desk
    counts = badges.counts(desk)
    groups = navigation(desk, counts, request.endpoint or "")
    typed = request.args.get("q", "")[:200] if request.endpoint == "console.search" else ""
    return {"groups": groups, "typed": typed, "searches": desk.may("leads.read"), "alerts": desk.language.at_most(counts["attention"], badges.MOST) if counts.get("attention") else ""}


def door_is_shut() -> str:
    """Why nothing is taken in just now, on every page of whoever is signed in; "" if all is well."""
    desk: Desk = g.desk
    return " ".join(findings.words(desk, finding) for finding in disk_findings(desk.config))


def asset(filename: str) -> str:
    return url_for("console.static_file", filename=filename, v=static_files.version(STATIC, filename))


def colour(group: str, code: str) -> str:
    return _COLOURS.get(group, {}).get(code, "")


def when(value: Any) -> Markup:
    """A moment, short, with the exact one behind it."""
    at = clock.moment(value)
    if at is None:
        return Markup("")
    desk: Desk = g.desk
    zone = desk.config.zone
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), clock.exact(at, zone, desk.language), clock.relative(at, desk.now, zone, desk.language)
    )


def day(value: str) -> str:
    return clock.day(value, g.desk.language)


def span(seconds: float) -> str:
    return clock.span(seconds, g.desk.language)


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
    desk: Desk = g.desk
    for unit, factor in (("mb", 1024 * 1024), ("kb", 1024)):
        if count >= factor:
            return desk.language(f"size.{unit}", n=desk.language.number(round(count / factor, 1)))
    return desk.language("size.b", n=desk.language.number(count))


