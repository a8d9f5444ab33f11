"""Commands over owners, teams and pools."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from door_frame import Case, Hub, Inputs, Row, in_transaction

from crm_core.access import Principal
from crm_core.calendars.weeks import RUSSIAN_DAYS, read_week, week_text
from crm_core.handovers.commands import hand_over
from crm_core.people import absences, commands

ZONE = ZoneInfo("Europe/Moscow")  # the hub's
_FROM = datetime(2026, 12, 28, 6, 0, tzinfo=UTC)
_UNTIL = datetime(2027, 1, 15, 9, 0, tzinfo=UTC)
_AWAY = "INSERT INTO absence (owner_id, from_at, until_at) VALUES (:boris, '2026-11-01T00:00:00Z', '2027-01-15T00:00:00Z')"
_PLANNED = (
    "INSERT INTO absence (id, owner_id, from_at, until_at) OVERRIDING SYSTEM VALUE VALUES"
    " (81, :boris, '2026-12-20T00:00:00Z', '2027-01-20T00:00:00Z')"
)
_OVER = "UPDATE absence SET from_at = '2025-12-20T00:00:00Z', until_at = '2026-01-20T00:00:00Z' WHERE id = 81"
_PAUSED = "UPDATE owner SET paused_until = '9999-12-31T00:00:00Z' WHERE id = :boris"
#: Boris has nothing in hand.
_IDLE = (
    "UPDATE lead SET owner_id = :anna WHERE owner_id = :boris",
    "UPDATE contact SET owner_id = :anna WHERE owner_id = :boris",
    "UPDATE activity SET owner_id = :anna WHERE owner_id = :boris",
    "UPDATE mention SET owner_id = :anna WHERE owner_id = :boris",
)
_RETIRED = "UPDATE owner SET active = false WHERE id = :boris"

Call = Callable[[Hub, Principal, Inputs], Any]


def _of(function: Callable[..., Any], *names: str) -> Call:
    """With ids and texts from the inputs, in this order."""
    return in_transaction(
        lambda connection, _hub, principal, i: function(connection, principal, *(_plain(i[name]) for name in names))
    )


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _unknown(noun: str) -> Case:
    return Case("unknown", {noun: "999999"}, f"{noun}_unknown")


def _written(until: datetime) -> str:
    """As a browser writes a moment of the hub's zone."""
    return until.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")


_HOURS = {day: [["10:00", "19:00"]] for day in ("mon", "tue", "wed")}
_CALENDAR = (
    "INSERT INTO calendar (id, name, zone, week, created_at) OVERRIDING SYSTEM VALUE VALUES"
    " (91, 'Office', 'Europe/Moscow', jsonb_build_object('mon', jsonb_build_array(jsonb_build_array('09:00', '18:00'))),"
    " '2026-11-01T00:00:00Z')"
)
_OWN_HOURS = "UPDATE owner SET calendar_id = 91, week = (SELECT week FROM calendar) WHERE id = :boris"
_FIELDS = ("name", "extension", "calendar", "zone", "week", "languages", "skills", "regions", "max_open", "max_per_day")


def _columns(i: Inputs) -> dict[str, Any]:
    changes = {name: i[name] for name in _FIELDS if name in i}
    return changes if "calendar" not in changes else changes | {"calendar_id": int(changes.pop("calendar"))}


def _form(i: Inputs) -> dict[str, str]:
    """As the card's fields hold it; the others stay."""
    fields: dict[str, str] = {}
    for name in _FIELDS:
        if name in i:
            value = i[name]
            if name == "week":
                fields["hours"] = "" if value is None else week_text(read_week(value), RUSSIAN_DAYS)
            else:
                fields[name] = "" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
    return fields


def _changing_arguments(i: Inputs) -> list[str]:
    arguments = []
    for name in _FIELDS:
        if name in i:
            value, option = i[name], name.replace("_", "-")
            if name == "week":
                value, option = "" if value is None else week_text(read_week(value)), "hours"
            if isinstance(value, list):
                value = ",".join(value)
            arguments += [f"--{option}", "" if value is None else str(value)]
    return arguments


_OWNER_UNKNOWN = Case("unknown", {"boris": "999999"}, "owner_unknown")

ROWS = (
    Row(
        commands.add_owner,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.add_owner(
                connection, principal, i["name"], extension=i["extension"], email="vera@example.com"
            )
        ),
        api=lambda i: ("POST", "/owners", {"name": i["name"], "extension": i["extension"], "email": "vera@example.com"}),
        console=lambda i: ("/owners", {"name": i["name"], "extension": i["extension"], "email": "vera@example.com"}),
        cli=lambda i: ("owner", "add", i["name"], "--extension", i["extension"], "--email", "vera@example.com"),
        again="extension_taken",
        cases=(
            Case("somebody new", {"name": "Vera", "extension": "103"}),
            Case("somebody new, by a head", {"name": "Vera", "extension": "103"}, role="head"),
            Case("an extension that is taken", {"name": "Vera", "extension": "101"}, "extension_taken"),
        ),
    ),
    Row(
        commands.change_owner,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.change_owner(
                connection, principal, int(i["boris"]), _columns(i), str(ZONE)
            )
        ),
        api=lambda i: ("PATCH", f"/owners/{i['boris']}", {name: i[name] for name in _FIELDS if name in i}),
        console=lambda i: (f"/owners/{i['boris']}", _form(i)),
        cli=lambda i: ("owner", "change", i["boris"], *_changing_arguments(i)),
        again="idle",
        cases=(
            Case("another name", {"name": "Boris B.", "extension": "102"}),
            Case("nothing else than it was", {"name": "Boris", "extension": "102"}, idle=True),
            Case("an extension that is taken", {"name": "Boris", "extension": "101"}, "extension_taken"),
            Case("unknown", {"boris": "999999", "name": "x", "extension": ""}, "owner_unknown"),
            Case("hours of their own, in the hub's zone", {"week": _HOURS}),
            Case("hours of their own, in their zone", {"week": _HOURS, "zone": "Asia/Vladivostok"}),
            Case("the hours of a calendar", {"calendar": "91"}, before=(_CALENDAR,)),
            Case("the calendar's hours again", {"week": None}, before=(_CALENDAR, _OWN_HOURS)),
            Case("a calendar that is none", {"calendar": "91"}, "calendar_unknown"),
            Case("a zone that is none", {"zone": "Moscow"}, "zone_unknown"),
            Case("hours that are none", {"week": {"mon": [["9", "18"]]}}, "week_unreadable", doors=frozenset({"domain", "api"})),
            Case("languages, skills, regions", {"languages": ["ru", "EN"], "skills": ["Двери", "двери", "ворота"], "regions": ["Урал"]}),
            Case("a language that is none", {"languages": ["russian"]}, "language_unknown"),
            Case("limits", {"max_open": 60, "max_per_day": 20}),
            Case("no limit any more", {"max_open": None}, before=("UPDATE owner SET max_open = 3 WHERE id = :boris",)),
        ),
    ),
    Row(
        absences.set_absent,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: absences.set_absent(
                connection, principal, int(i["boris"]), i["until"], datetime.now(UTC), i["reason"]
            )
        ),
        api=lambda i: ("PATCH", f"/owners/{i['boris']}", {"absent_until": i["until"].isoformat()}),
        console=lambda i: (
            f"/owners/{i['boris']}/absent",
            {"until": _written(i["until"]), "reason": i["reason"]},
        ),
        cli=lambda i: ("owner", "absent", i["boris"], "--until", f"{_written(i['until'])}:00", "--reason", i["reason"]),
        again="more",
        cases=(
            Case("away", {"until": _UNTIL, "reason": ""}),
            Case("on holiday", {"until": _UNTIL, "reason": "on holiday"}, doors=frozenset({"domain", "console", "cli"})),
            Case("over one that is planned", {"until": _UNTIL, "reason": ""}, "absence_overlaps", before=(_PLANNED,)),
            Case("until a day that has passed", {"until": datetime(2020, 1, 1, tzinfo=UTC), "reason": ""}, "in_the_past"),
            Case("unknown", {"boris": "999999", "until": _UNTIL, "reason": ""}, "owner_unknown"),
        ),
    ),
    Row(
        absences.plan_absence,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: absences.plan_absence(
                connection, principal, int(i["boris"]), i["from"], i["until"], datetime.now(UTC), "holiday", int(i["deputy"])
            )
        ),
        api=lambda i: (
            "POST", f"/owners/{i['boris']}/absences",
            {"from": i["from"].isoformat(), "until": i["until"].isoformat(), "reason": "holiday", "deputy": i["deputy"]},
        ),
        console=lambda i: (
            f"/owners/{i['boris']}/absences",
            {"from": _written(i["from"]), "until": _written(i["until"]), "reason": "holiday", "deputy": i["deputy"]},
        ),
        cli=lambda i: (
            "owner", "absent", i["boris"], "--from", f"{_written(i['from'])}:00", "--until", f"{_written(i['until'])}:00",
            "--reason", "holiday", "--deputy", i["deputy"],
        ),
        again="absence_overlaps",
        cases=(
            Case("a holiday with a deputy", {"from": _FROM, "until": _UNTIL, "deputy": "@anna"}),
            Case("from yesterday on", {"from": datetime(2026, 11, 1, tzinfo=UTC), "until": _UNTIL, "deputy": "@anna"}),
            Case("from the end of another on", {"from": datetime(2027, 1, 20, tzinfo=UTC), "until": datetime(2027, 2, 1, tzinfo=UTC),
                 "deputy": "@anna"}, before=(_PLANNED,)),
            Case("over another", {"from": _FROM, "until": _UNTIL, "deputy": "@anna"}, "absence_overlaps", before=(_PLANNED,)),
            Case("that ends before it begins", {"from": _UNTIL, "until": _FROM, "deputy": "@anna"}, "end_before_start"),
            Case("covered by oneself", {"from": _FROM, "until": _UNTIL, "deputy": "@boris"}, "deputy_is_self"),
            Case("covered by nobody known", {"from": _FROM, "until": _UNTIL, "deputy": "999999"}, "deputy_unknown"),
            Case("covered by somebody who left", {"from": _FROM, "until": _UNTIL, "deputy": "@anna"}, "deputy_inactive",
                 before=("UPDATE owner SET active = false WHERE id = :anna",)),
        ),
    ),
    Row(
        absences.cancel_absence,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: absences.cancel_absence(
                connection, principal, int(i["boris"]), int(i.get("absence", "81")), datetime.now(UTC)
            )
        ),
        api=lambda i: ("DELETE", f"/owners/{i['boris']}/absences/{i.get('absence', '81')}", None),
        console=lambda i: (f"/owners/{i['boris']}/absences/{i.get('absence', '81')}/cancel", {}),
        cli=lambda i: ("owner", "cancel-absence", i["boris"], i.get("absence", "81")),
        again="absence_unknown",
        cases=(
            Case("a planned one", before=(_PLANNED,)),
            Case("the running one", before=(_PLANNED, "UPDATE absence SET from_at = '2026-01-01T00:00:00Z' WHERE id = 81")),
            Case("one that is over", {}, "absence_over", before=(_PLANNED, _OVER)),
            Case("a colleague's", {"boris": "@anna"}, "absence_unknown", before=(_PLANNED,)),
        ),
    ),
    Row(
        absences.pause_owner,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: absences.pause_owner(
                connection, principal, int(i["boris"]), datetime.now(UTC), i.get("until")
            )
        ),
        api=lambda i: (
            "PATCH", f"/owners/{i['boris']}", {"paused_until": i["until"].isoformat()} if "until" in i else {"paused": True},
        ),
        console=lambda i: (f"/owners/{i['boris']}/pause", {"until": _written(i["until"])} if "until" in i else {}),
        cli=lambda i: ("owner", "pause", i["boris"], *(("--until", f"{_written(i['until'])}:00") if "until" in i else ())),
        again="idle",
        cases=(
            Case("until somebody ends it"),
            Case("for a while", {"until": _UNTIL}),
            Case("until a day that has passed", {"until": datetime(2020, 1, 1, tzinfo=UTC)}, "in_the_past"),
            _OWNER_UNKNOWN,
        ),
    ),
    Row(
        absences.resume_owner,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: absences.resume_owner(connection, principal, int(i["boris"]), datetime.now(UTC))
        ),
        api=lambda i: ("PATCH", f"/owners/{i['boris']}", {"paused": False}),
        console=lambda i: (f"/owners/{i['boris']}/resume", {}),
        cli=lambda i: ("owner", "resume", i["boris"]),
        again="idle",
        cases=(Case("back", before=(_PAUSED,)), Case("was never paused", idle=True), _OWNER_UNKNOWN),
    ),
    Row(
        absences.set_present,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: absences.set_present(connection, principal, int(i["boris"]), datetime.now(UTC))
        ),
        api=lambda i: ("PATCH", f"/owners/{i['boris']}", {"absent_until": None}),
        console=lambda i: (f"/owners/{i['boris']}/present", {}),
        cli=lambda i: ("owner", "present", i["boris"]),
        again="idle",
        cases=(Case("back", before=(_AWAY,)), Case("was never away", idle=True), _OWNER_UNKNOWN),
    ),
    Row(
        commands.retire_owner,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.retire_owner(connection, principal, int(i["boris"]), datetime.now(UTC))
        ),
        api=lambda i: ("DELETE", f"/owners/{i['boris']}", None),
        console=lambda i: (f"/owners/{i['boris']}/active", {"active": "no"}),
        cli=lambda i: ("owner", "retire", i["boris"]),
        again="idle",
        cases=(
            Case("somebody who leaves", before=_IDLE),
            Case("by a head", role="head", before=_IDLE),
            Case("with work in hand", {}, "owner_has_work"),
            Case("with a client only", {}, "owner_has_work",
                 before=(*_IDLE, "UPDATE contact SET owner_id = :boris WHERE id = :contact")),
            Case("with an open lead only", {}, "owner_has_work",
                 before=(*_IDLE, "UPDATE lead SET owner_id = :boris WHERE id = :lead")),
            Case("with a task only", {}, "owner_has_work",
                 before=(*_IDLE, "UPDATE activity SET owner_id = :boris, state = 'open' WHERE id = :activity")),
            Case("with a message only", {}, "owner_has_work",
                 before=(*_IDLE, "UPDATE mention SET owner_id = :boris, read_at = NULL WHERE id = :mention")),
            Case("the duty person", {}, "owner_on_duty", before=(
                *_IDLE, "UPDATE owner SET duty = false", "UPDATE owner SET duty = true WHERE id = :boris")),
            _OWNER_UNKNOWN,
        ),
    ),
    Row(
        hand_over,
        "leads.assign",
        in_transaction(
            lambda connection, _hub, principal, i: hand_over(
                connection, principal, int(i["boris"]), int(i["to"]), i.get("why", "leaves"), datetime.now(UTC)
            )
        ),
        api=lambda i: ("POST", f"/owners/{i['boris']}/hand-over", {"to": i["to"], "why": i.get("why", "leaves")}),
        console=lambda i: (f"/owners/{i['boris']}/hand-over", {"to": i["to"], "why": i.get("why", "leaves")}),
        cli=lambda i: ("owner", "hand-over", i["boris"], "--to", i["to"], "--why", i.get("why", "leaves")),
        again="idle",
        cases=(
            Case("everything to a colleague", {"to": "@anna"}),
            Case("nothing", {"to": "@anna"}, before=_IDLE, idle=True),
            Case("to oneself", {"to": "@boris"}, "successor_is_self"),
            Case("to nobody known", {"to": "999999"}, "owner_unknown"),
            Case("to somebody who left", {"to": "@anna"}, "owner_inactive", before=("UPDATE owner SET active = false WHERE id = :anna",)),
            Case("without a reason", {"to": "@anna", "why": " "}, "why_missing", doors=frozenset({"domain", "console", "cli"})),
            Case("of nobody known", {"boris": "999999", "to": "@anna"}, "owner_unknown"),
        ),
    ),
    Row(
        commands.activate_owner,
        "owners.write",
        _of(commands.activate_owner, "boris"),
        api=lambda i: ("PATCH", f"/owners/{i['boris']}", {"active": True}),
        console=lambda i: (f"/owners/{i['boris']}/active", {"active": "yes"}),
        cli=lambda i: ("owner", "activate", i["boris"]),
        again="idle",
        cases=(
            Case("somebody who comes back", before=(_RETIRED,)),
            Case("active already", idle=True),
            Case("whose extension a colleague has by now", {}, "extension_taken",
                 before=(_RETIRED, "UPDATE owner SET extension = '102' WHERE id = :anna")),
            _OWNER_UNKNOWN,
        ),
    ),
    Row(
        commands.set_duty,
        "owners.write",
        _of(commands.set_duty, "boris"),
        api=lambda i: ("PATCH", f"/owners/{i['boris']}", {"duty": True}),
        console=lambda i: (f"/owners/{i['boris']}/duty", {}),
        again="idle",
        cases=(Case("the duty person"), _OWNER_UNKNOWN),
    ),
    Row(
        commands.add_team,
        "owners.write",
        _of(commands.add_team, "name"),
        api=lambda i: ("POST", "/teams", {"name": i["name"]}),
        again="name_taken",
        cases=(Case("a new one", {"name": "South"}), Case("one that is there", {"name": "North"}, "name_taken")),
    ),
    Row(
        commands.rename_team,
        "owners.write",
        _of(commands.rename_team, "team", "name"),
        api=lambda i: ("PATCH", f"/teams/{i['team']}", {"name": i["name"]}),
        again="idle",
        cases=(Case("another name", {"name": "South"}), Case("unknown", {"team": "999999", "name": "x"}, "team_unknown")),
    ),
    Row(
        commands.remove_team,
        "owners.write",
        _of(commands.remove_team, "team"),
        api=lambda i: ("DELETE", f"/teams/{i['team']}", None),
        again="team_unknown",
        cases=(
            Case("one with people", before=("UPDATE owner SET team_id = :team WHERE id = :anna",)), _unknown("team"),
        ),
    ),
    Row(
        commands.add_pool,
        "owners.write",
        _of(commands.add_pool, "name"),
        api=lambda i: ("POST", "/pools", {"name": i["name"]}),
        again="name_taken",
        cases=(Case("a new one", {"name": "Night"}), Case("one that is there", {"name": "Spare"}, "name_taken")),
    ),
    Row(
        commands.change_pool,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.change_pool(
                connection, principal, int(i["spare_pool"]), i.get("name"), i.get("default")
            )
        ),
        api=lambda i: ("PATCH", f"/pools/{i['spare_pool']}", {n: i[n] for n in ("name", "default") if n in i}),
        again="idle",
        cases=(
            Case("the default one instead", {"default": True}),
            Case("another name", {"name": "Night"}),
            Case("a name that is taken", {"name": "Default"}, "name_taken"),
            Case("no default one at all", {"spare_pool": "@pool", "default": False}, "default_needed"),
            Case("unknown", {"spare_pool": "999999", "name": "x"}, "pool_unknown"),
        ),
    ),
    Row(
        commands.change_pool,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.change_pool(
                connection, principal, int(i["pool"]), strategy=i["strategy"]
            )
        ),
        api=lambda i: ("PATCH", f"/pools/{i['pool']}", {"strategy": i["strategy"]}),
        console=lambda i: (f"/pools/{i['pool']}/strategy", {"strategy": i["strategy"]}),
        again="idle",
        cases=(
            Case("by taking", {"strategy": "claim"}),
            Case("as it does already", {"strategy": "ledger"}, idle=True),
            Case("in no known way", {"strategy": "banana"}, "strategy_unknown", doors=frozenset({"domain", "console"})),
            Case("unknown", {"pool": "999999", "strategy": "claim"}, "pool_unknown"),
        ),
    ),
    Row(
        commands.remove_pool,
        "owners.write",
        _of(commands.remove_pool, "spare_pool"),
        api=lambda i: ("DELETE", f"/pools/{i['spare_pool']}", None),
        again="pool_unknown",
        cases=(
            Case("an empty one"),
            Case("the default one", {"spare_pool": "@pool"}, "default_needed"),
            Case("one that sources name", {}, "pool_in_use", before=("UPDATE source SET pool_id = :spare_pool WHERE id = :source",)),
        ),
    ),
    Row(
        commands.put_member,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.put_member(
                connection, principal, int(i["spare_pool"]), int(i["anna"]), 2.0, False
            )
        ),
        api=lambda i: ("PUT", f"/pools/{i['spare_pool']}/members/{i['anna']}", {"weight": 2.0}),
        console=lambda i: (f"/pools/{i['spare_pool']}/members/{i['anna']}", {"weight": "2,0"}),
        again="idle",
        cases=(
            Case("a new member"),
            Case("of a pool unknown", {"spare_pool": "999999"}, "pool_unknown"),
            Case("somebody unknown", {"anna": "999999"}, "owner_unknown"),
        ),
    ),
    Row(
        commands.remove_member,
        "owners.write",
        _of(commands.remove_member, "pool", "anna"),
        api=lambda i: ("DELETE", f"/pools/{i['pool']}/members/{i['anna']}", None),
        again="member_unknown",
        cases=(Case("a member"), Case("one of another pool", {"pool": "@spare_pool"}, "member_unknown")),
    ),
)  # fmt: skip
