"""Commands over owners, teams and pools."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from door_frame import Case, Hub, Inputs, Row, in_transaction

from crm_core.access import Principal
from crm_core.people import commands

ZONE = ZoneInfo("Europe/Moscow")  # the hub's
_UNTIL = datetime(2027, 1, 15, 9, 0, tzinfo=UTC)
_AWAY = "INSERT INTO absence (owner_id, from_at, until_at) VALUES (:boris, '2026-11-01T00:00:00Z', '2027-01-15T00:00:00Z')"
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
                connection, principal, int(i["boris"]), {"name": i["name"], "extension": i["extension"]}
            )
        ),
        api=lambda i: ("PATCH", f"/owners/{i['boris']}", {"name": i["name"], "extension": i["extension"]}),
        again="idle",
        cases=(
            Case("another name", {"name": "Boris B.", "extension": "102"}),
            Case("nothing else than it was", {"name": "Boris", "extension": "102"}, idle=True),
            Case("an extension that is taken", {"name": "Boris", "extension": "101"}, "extension_taken"),
            Case("unknown", {"boris": "999999", "name": "x", "extension": ""}, "owner_unknown"),
        ),
    ),
    Row(
        commands.set_absent,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.set_absent(
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
            Case("until a day that has passed", {"until": datetime(2020, 1, 1, tzinfo=UTC), "reason": ""}, "in_the_past"),
            Case("unknown", {"boris": "999999", "until": _UNTIL, "reason": ""}, "owner_unknown"),
        ),
    ),
    Row(
        commands.set_present,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.set_present(connection, principal, int(i["boris"]), datetime.now(UTC))
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
        _of(commands.retire_owner, "boris"),
        api=lambda i: ("DELETE", f"/owners/{i['boris']}", None),
        console=lambda i: (f"/owners/{i['boris']}/active", {"active": "no"}),
        cli=lambda i: ("owner", "retire", i["boris"]),
        again="idle",
        cases=(Case("somebody who leaves"), Case("by a head", role="head"), _OWNER_UNKNOWN),
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
