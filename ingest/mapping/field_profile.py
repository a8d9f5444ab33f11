"""What a form is used to send, learned inquiry by inquiry, and when that has clearly changed. Pure: a profile in, notices out.

A profile is plain JSON without a single value that anybody wrote: names of fields, counts, moments.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.kit.forms.fields import FormField

#: A form whose new field is worth a word: it has sent so many inquiries, or has been here so long.
KNOWN_INQUIRIES = 20
KNOWN_AGE = timedelta(days=1)
#: How many of the last inquiries are held against the habit.
RECENT = 20
#: Nearly everybody left a phone or an address, and now fewer than half do. Well again from there on.
USUAL_SHARE, ALARM_SHARE, WELL_SHARE = 0.8, 0.5, 0.7
#: A field that stood in so much of so many inquiries, and then in none of so many in a row: at 95 % that is no chance.
ALWAYS_SHARE, ALWAYS_INQUIRIES, GONE_AFTER = 0.95, 40, 10
#: Habits fade: the counts are halved here, so that a form that was changed a year ago is judged by what it is now.
FADE_AT = 200
LONGEST_NAME = 200  # characters of a field's name
#: What a robot with invented names can make the hub remember of one source.
MOST_FORMS, MOST_FIELDS = 50, 100


@dataclass(frozen=True, slots=True)
class Seen:
    """One inquiry without its content."""

    form: str
    at: datetime
    event_id: int
    has_contact: bool
    unmapped: frozenset[str]  # names of fields that nobody mapped
    filled: frozenset[str]  # slots that were filled: name, phone, email, message, company


@dataclass(frozen=True, slots=True)
class Notice:
    code: str  # contacts_missing | field_gone
    form: str
    field: str = ""
    over: bool = False  # it has passed
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def is_known(profile: Mapping[str, Any], seen: Seen) -> bool:
    """Whether this form has been here long enough for a new field of it to be news. Asked before it is learned."""
    form = profile.get("forms", {}).get(seen.form)
    if form is None:
        return False
    return bool(form["seen"] >= KNOWN_INQUIRIES or seen.at - datetime.fromisoformat(form["since"]) > KNOWN_AGE)


def learn(profile: dict[str, Any], seen: Seen) -> list[Notice]:
    """Adds one inquiry to what is known of its form. Each change is told once, and once when it is over."""
    forms = profile.setdefault("forms", {})
    if seen.form not in forms and len(forms) >= MOST_FORMS:
        return []
    form = forms.setdefault(
        seen.form, {"since": seen.at.isoformat(), "seen": 0, "recent": "", "n": 0, "with": 0, "missing": False}
    )
    form["seen"] += 1
    return [*_contacts(form, seen), *_fields(form, seen)]


def _contacts(form: dict[str, Any], seen: Seen) -> list[Notice]:
    form["recent"] += "1" if seen.has_contact else "0"
    if len(form["recent"]) <= RECENT:
        return []
    oldest, form["recent"] = form["recent"][0], form["recent"][1:]
    if not form["missing"]:  # what is wrong must not become the habit
        form["n"] += 1
        form["with"] += oldest == "1"
        if form["n"] >= FADE_AT:
            form["n"], form["with"] = form["n"] // 2, round(form["with"] / 2)
    share = form["recent"].count("1") / RECENT
    usual = form["with"] / form["n"] if form["n"] else 0.0
    if not form["missing"] and form["n"] >= RECENT and usual >= USUAL_SHARE and share < ALARM_SHARE:
        form["missing"] = True
        data = {"usual_percent": round(100 * usual), "now_percent": round(100 * share), "of_last": RECENT}
        return [Notice("contacts_missing", seen.form, data=data)]
    if form["missing"] and share >= WELL_SHARE:
        form["missing"] = False
        return [Notice("contacts_missing", seen.form, over=True)]
    return []


def _fields(form: dict[str, Any], seen: Seen) -> list[Notice]:
    known = form.setdefault("fields", {"n": 0, "hits": {}, "absent": {}})
    gone: list[str] = form.setdefault("gone", [])
    names = seen.unmapped | seen.filled
    known["n"] += 1
    hits, absent = known["hits"], known["absent"]
    notices = [Notice("field_gone", seen.form, name, over=True) for name in gone if name in names]
    gone[:] = [name for name in gone if name not in names]
    for name in sorted(names):
        if name in hits or len(hits) < MOST_FIELDS:
            hits[name] = hits.get(name, 0) + 1
            absent.pop(name, None)
    for name in [name for name in hits if name not in names]:
        absent[name] = absent.get(name, 0) + 1
        before = known["n"] - absent[name]
        always = before >= ALWAYS_INQUIRIES and hits[name] >= ALWAYS_SHARE * before
        if absent[name] == GONE_AFTER and always:  # judged once: fading counts would flatter it later
            gone.append(name)
            notices.append(Notice("field_gone", seen.form, name, data={"missing_in_last": absent[name]}))
            del hits[name], absent[name]
        elif absent[name] >= FADE_AT:  # an old acquaintance of no weight makes room
            del hits[name], absent[name]
    if known["n"] >= FADE_AT:
        known["n"] //= 2
        known["hits"] = {name: round(count / 2) for name, count in hits.items()}
        known["absent"] = {name: min(count, known["n"]) for name, count in absent.items()}
    return notices


def name_of(form_field: FormField) -> str:
    """`a.b` for a field in a tree; of an item in a list what it calls itself."""
    if any(isinstance(step, int) for step in form_field.path) and (form_field.label or form_field.name):
        return (form_field.label or form_field.name)[:LONGEST_NAME]
    return ".".join(step for step in form_field.path if isinstance(step, str))[:LONGEST_NAME]
