"""Versions of the routing rules: the list, one of them with its rules in order, what it differs by, and what may be done with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from flask import request
from sqlalchemy import Connection

from crm_core.access.actors import names_of
from crm_core.base.errors import Conflict, Invalid
from crm_core.people.queries import list_owners, list_pools
from crm_core.routing import commands
from crm_core.routing.simulation import MOST_DAYS, Simulation, simulate
from crm_core.routing.versions import VersionView, active_version, get_version, list_versions
from ingest.sources.sources import list_sources
from webhooks.console.leads.owner_reasons import actor
from webhooks.console.routing.rule_words import Names, changes, in_order, ranges_words, rule_words, settings_words
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered

_WHOLE = 2_000_000  # characters of a text: what is too long is refused in words, never cut in silence
_DAYS = ("7", "30", "90")
_RANGE = re.compile(r"(?P<name>.+):\s*(?P<low>[+0-9 ()\-]+?)\s*(?:–|—|\.\.|-)\s*(?P<high>\+[0-9 ()\-]+)")


def index(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        versions, active = list_versions(connection), active_version(connection)
        names = names_of(connection, [one.author for one in versions])
        words = names_for_rules(connection, context)
    return context.page(
        "routing/versions.html",
        versions=[{"row": one, "by": actor(context, one.author, names), "rules": len(one.body["rules"])} for one in versions],
        active=active,
        rules=[rule_words(one, words, context.language) for one in in_order(active.body)],
        settings=settings_words(active.body, context.language),
        can_write=context.may("routing.write"),
    )


def names_for_rules(connection: Connection, context: RequestContext) -> Names:
    return Names(
        {str(one.id): one.name for one in list_pools(connection)},
        {str(one.id): one.name for one in list_owners(connection)},
        {str(one.id): one.name for one in list_sources(connection, context.config)},
    )


def begin(context: RequestContext) -> PageAnswer:
    """A draft that says what the version that was looked at says."""
    base = entered("version", 18)
    with context.engine.begin() as connection:
        body = get_version(connection, _number(base)).body if base and base != "0" else active_version(connection).body
        version = commands.save_version(connection, context.principal, dict(body), context.config.zone)
    return context.go("routing_version", "routing_begun", version=version)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise Invalid("version_unknown", "There is no such version.", fields=["version"])
    return int(text)


def page(context: RequestContext, version: int) -> PageAnswer:
    return shown(context, version)


def shown(
    context: RequestContext, version: int, problem: errors.Problem | None = None, of: str = "", report: Simulation | None = None,
    days: str = "30",
) -> str:  # fmt: skip
    """`of` names the form that is shown again as it was typed: settings | json | days."""
    with context.engine.begin() as connection:
        view, active = get_version(connection, version), active_version(connection)
        names = names_for_rules(connection, context)
        people = names_of(connection, [view.author])
    rules = [rule_words(one, names, context.language) for one in in_order(view.body)]
    can_write = context.may("routing.write")
    return context.page(
        "routing/version.html",
        view=view,
        by=actor(context, view.author, people),
        active=active,
        rules=rules,
        settings=settings_words(view.body, context.language),
        ranges=ranges_words(view.body, context.language),
        typed=dict(request.form) if of == "settings" else _typed(view, context),
        refund=request.form.getlist("refund") if of == "settings" else view.body["settings"].get("refund", ["merged", "spam"]),
        text=entered("text", _WHOLE) if of == "json" else json.dumps(view.body, indent=2, ensure_ascii=False),
        note=entered("note", _WHOLE) if of == "json" else view.note,
        changes=changes(active.body, view.body, names, context.language) if view.version != active.version else [],
        problem=problem,
        of=of,
        report=_report(report, rules, names) if report else None,
        days=days,
        days_options=_DAYS,
        can_write=can_write,
        can_edit=can_write and view.state == "draft",
    )


def _typed(view: VersionView, context: RequestContext) -> dict[str, str]:
    settings = view.body["settings"]
    return {
        "wait": str(settings.get("wait_for_shift_minutes", 60)), "bound": str(settings.get("bound_days", 90)),
        "ranges": "\n".join(ranges_words(view.body, context.language)), "note": view.note,
    }  # fmt: skip


def _report(report: Simulation, rules: list[Any], names: Names) -> dict[str, Any]:
    """Names instead of ids."""
    titles = {one.id: one.name for one in rules}

    def name(owner: int | None) -> str:
        return "" if owner is None else names.owners.get(str(owner), f"№ {owner}")

    return {
        "figures": report,
        "loads": [{"id": one.owner, "name": name(one.owner), "before": one.before, "after": one.after, "more": one.after - one.before} for one in report.loads],
        "rules": [
            {"name": one.name, "decided": one.decided, "applied": one.applied, "dead": one.id in report.dead,
             "behind": ", ".join(titles.get(other, other) for other in one.shadowed_by)}
            for one in report.rules
        ],
        "moved": [
            {"lead": one.lead, "before": name(one.before), "after": name(one.after), "rule": titles.get(one.rule, one.rule)}
            for one in report.first_moved
        ],
    }  # fmt: skip


def simulate_now(context: RequestContext, version: int) -> PageAnswer:
    days = entered("days", 10)
    try:
        if not (days.isascii() and days.isdecimal()):
            raise Invalid("number_out_of_range", f"days is a whole number from 1 to {MOST_DAYS}.", fields=["days"])
        with context.engine.begin() as connection:
            config = commands.checked(connection, get_version(connection, version).body, context.config.zone)
            report = simulate(connection, context.principal, config, int(days), context.now)
    except Invalid as error:
        words = errors.problem_of(context, error)
        if error.data.get("fields") == ["days"]:
            words = errors.Problem(context.language("routing.days_wrong", most=MOST_DAYS), error.code)
        return shown(context, version, words, "days", days=days), 422
    return shown(context, version, report=report, days=days)


def activate(context: RequestContext, version: int) -> PageAnswer:
    try:
        with context.engine.begin() as connection:
            commands.activate_version(
                connection, context.principal, version, context.config.zone, context.now,
                seen=entered("seen", 64), instead_of=_number(entered("instead_of", 18)),
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return shown(context, version, problem_of(context, error), "activate"), 409 if isinstance(error, Conflict) else 422
    return context.go("routing", "routing_activated")


def remove(context: RequestContext, version: int) -> PageAnswer:
    try:
        with context.engine.begin() as connection:
            commands.remove_draft(connection, context.principal, version, entered("seen", 64))
    except Conflict as error:
        return shown(context, version, problem_of(context, error), "remove"), 409
    return context.go("routing", "routing_removed")


def problem_of(context: RequestContext, error: Invalid | Conflict) -> errors.Problem:
    """In words; with the rule that is meant where a whole version was refused."""
    said = errors.problem_of(context, error)
    if error.code == "version" and error.data.get("author"):
        with context.engine.begin() as connection:
            people = names_of(connection, [str(error.data["author"])])
        who = actor(context, str(error.data["author"]), people)
        return errors.Problem(context.language("routing.changed_by", who=who), error.code)
    if places := error.data.get("fields"):
        return errors.Problem(context.language("routing.at_place", words=said.words, place=places[0]), error.code)
    return said


def change(
    context: RequestContext, version: int, turn: Callable[[dict[str, Any]], dict[str, Any]], of: str, note: str | None = None
) -> PageAnswer | None:
    """The draft turned into another and saved; None if that was done, else the page that says why not."""
    try:
        with context.engine.begin() as connection:
            view = get_version(connection, version)
            # Turned is what was read here: what was seen must be that, and still be what is kept.
            seen = view.fingerprint if entered("seen", 64) == view.fingerprint else ""
            commands.change_draft(
                connection, context.principal, version, turn(dict(view.body)), context.config.zone,
                view.note if note is None else note, seen, context.now,
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return shown(context, version, problem_of(context, error), of), 409 if isinstance(error, Conflict) else 422
    return None


def save_json(context: RequestContext, version: int) -> PageAnswer:
    def turn(_body: dict[str, Any]) -> dict[str, Any]:
        try:
            told = orjson.loads(entered("text", _WHOLE))
        except orjson.JSONDecodeError as error:
            raise Invalid(
                "json_unreadable", f"This is no JSON: {error.msg}.", fields=[f"{error.lineno}:{error.colno}"]
            ) from error
        if not isinstance(told, dict):
            raise Invalid("not_an_object", "The rules are an object.", fields=["body"])
        return told

    return change(context, version, turn, "json", entered("note", _WHOLE)) or context.go(
        "routing_version", "routing_saved", version=version
    )


def save_settings(context: RequestContext, version: int) -> PageAnswer:
    def turn(body: dict[str, Any]) -> dict[str, Any]:
        settings = {
            "wait_for_shift_minutes": _whole("wait"), "bound_days": _whole("bound"), "refund": request.form.getlist("refund")[:10],
        }  # fmt: skip
        return body | {"settings": settings, "ranges": _ranges()}

    return change(context, version, turn, "settings", entered("note", _WHOLE)) or context.go(
        "routing_version", "routing_saved", version=version
    )


def _whole(name: str) -> int | str:
    text = entered(name, 10)
    return int(text) if text.isascii() and text.isdecimal() else text


def _ranges() -> dict[str, list[list[str]]]:
    ranges: dict[str, list[list[str]]] = {}
    for line in entered("ranges", _WHOLE).split("\n"):
        if not line.strip():
            continue
        found = _RANGE.fullmatch(line.strip())
        if found is None:
            raise Invalid("ranges_unreadable", "A line names a range.", fields=[line.strip()[:100]])
        pair = [re.sub(r"[^+0-9]", "", found[end]) for end in ("low", "high")]
        ranges.setdefault(found["name"].strip(), []).append(pair)
    return ranges


def move(context: RequestContext, version: int) -> PageAnswer:
    """One rule up, down or away; each keeps its place's priority."""
    rule_id, how = entered("rule", 40), entered("act", 10)

    def turn(body: dict[str, Any]) -> dict[str, Any]:
        return moved(body, rule_id, how)

    said = {"up": "routing_moved", "down": "routing_moved"}.get(how, "routing_rule_removed")
    return change(context, version, turn, "rules") or context.go("routing_version", said, version=version, _anchor="rules")


def moved(body: Mapping[str, Any], rule_id: str, how: str) -> dict[str, Any]:
    rules = [dict(rule) for rule in in_order(body)]
    at = next((n for n, rule in enumerate(rules) if rule["id"] == rule_id), None)
    if at is None:
        raise Invalid("rule_unknown", "There is no such rule in this draft any more.", fields=[])
    if how == "remove":
        del rules[at]
    elif how in ("up", "down"):
        to = at + (-1 if how == "up" else 1)
        if 0 <= to < len(rules):
            one, other = rules[at], rules[to]
            one["priority"], other["priority"] = other["priority"], one["priority"]
            rules[at], rules[to] = other, one
    else:
        raise Invalid("filter", "Unknown.", fields=["act"], names="act")
    return {**body, "rules": rules}
