"""Rules and settings of routing as one version holds them: read from JSON, checked, compiled once. Pure.

    {"settings": {"wait_for_shift_minutes": 60, "bound_days": 90, "refund": ["merged", "spam"]},
     "ranges": {"Ural": [["+79122000000", "+79122999999"]]},
     "rules": [{"id": "doors", "name": "Doors", "priority": 10, "when": {…}, "then": [{"pool": "3", "skills": ["doors"]}, {"owner": "5"}]}]}

The rule with the lowest priority whose condition is true says who is asked, one target after the other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_core.base.errors import Invalid
from crm_core.base.frozen import frozen
from crm_core.routing.conditions import Context, Facts, Test, compile_condition, facts_asked, phone_range, regions_asked

MOST_RULES: Final = 500
MOST_TARGETS: Final = 10
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_ROW: Final = re.compile(r"[1-9][0-9]{0,17}")
_UTC: Final = ZoneInfo("UTC")
REFUNDS: Final = frozenset({"merged", "spam"})


@frozen
class Target:
    """One pool or one owner. What is named besides must be true of a member of the pool: all skills, one of the languages and regions."""

    pool_id: int | None = None
    owner_id: int | None = None
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    name: str
    priority: float
    when: Mapping[str, Any]
    targets: tuple[Target, ...]
    test: Test = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RoutingConfig:
    """`version` 0 is that of a hub that set nothing."""

    version: int = 0
    wait_for_shift: timedelta = timedelta(minutes=60)  # so near a shift, a client waits for their own owner
    bound: timedelta = timedelta(days=90)  # after the last activity; zero binds nobody
    refund: frozenset[str] = REFUNDS  # why a pool gets its turn back
    rules: tuple[Rule, ...] = ()  # by priority
    context: Context = Context(_UTC, {})  # noqa: RUF009 - frozen, and of frozen values
    asked: frozenset[str] = frozenset()  # facts that the rules look at

    def match(self, facts: Facts) -> Rule | None:
        """The first rule whose condition is true."""
        for rule in self.rules:
            if rule.test(facts):
                return rule
        return None


def read_config(body: Any, version: int = 0, zone: ZoneInfo | None = None) -> RoutingConfig:
    """Raises Invalid with the place in `fields`: what is unknown, out of bounds, or two rules of one priority or id."""
    body = _object(body, "body", {"settings", "rules", "ranges"})
    settings = _object(body.get("settings", {}), "settings", {"wait_for_shift_minutes", "bound_days", "refund"})
    ranges = {
        _name(name, f"ranges.{name}"): tuple(phone_range(_two(pair, f"ranges.{name}"), f"ranges.{name}") for pair in _list(pairs, f"ranges.{name}", 1000))
        for name, pairs in _object(body.get("ranges", {}), "ranges", None).items()
    }  # fmt: skip
    context = Context(zone or _UTC, ranges)
    rules = [_rule(one, f"rules.{n}", context) for n, one in enumerate(_list(body.get("rules", []), "rules", MOST_RULES))]
    for what in ("id", "priority"):
        seen: dict[Any, int] = {}
        for n, rule in enumerate(rules):
            same = getattr(rule, what)
            if same in seen:
                other = rules[seen[same]]
                raise Invalid(
                    f"{what}_taken", f"The rules {other.name!r} and {rule.name!r} have the same {what} {same!r}.",
                    fields=[f"rules.{n}.{what}"], rules=[other.id, rule.id],
                )  # fmt: skip
            seen[same] = n
    refund = frozenset(str(one) for one in _list(settings.get("refund", sorted(REFUNDS)), "settings.refund", 10))
    if not refund <= REFUNDS:
        raise Invalid("refund_unknown", f"A turn is given back for: {', '.join(sorted(REFUNDS))}.", fields=["settings.refund"])
    return RoutingConfig(
        version,
        timedelta(minutes=_whole(settings.get("wait_for_shift_minutes", 60), "settings.wait_for_shift_minutes", 7 * 24 * 60)),
        timedelta(days=_whole(settings.get("bound_days", 90), "settings.bound_days", 3650)),
        refund,
        tuple(sorted(rules, key=lambda rule: rule.priority)),
        context,
        frozenset(fact for rule in rules for fact in facts_asked(rule.when)),
    )


def check_names(config: RoutingConfig, pools: Collection[int], owners: Collection[int], regions: Collection[str] = ()) -> None:
    """Every pool and owner that the rules name is there, every range is the version's own or a region of the numbering plan
    (`regions`). Raises Invalid."""
    known = {name.casefold() for name in (*config.context.ranges, *regions)}
    for rule in config.rules:
        if missing := sorted(regions_asked(rule.when) - known):
            raise Invalid(
                "range_unknown",
                f"Rule {rule.name!r} asks for the numbers of {missing[0]!r}: there is no such range in this version, and no such"
                " region in the numbering plan that was imported (leadhub numbering status).",
                fields=[f"rules.{rule.id}.when"],
            )
        for n, target in enumerate(rule.targets):
            place = [f"rules.{rule.id}.then.{n}"]
            if target.pool_id is not None and target.pool_id not in pools:
                raise Invalid("pool_unknown", f"Rule {rule.name!r} names pool {target.pool_id}, and there is none.", fields=place)
            if target.owner_id is not None and target.owner_id not in owners:
                raise Invalid(
                    "owner_unknown", f"Rule {rule.name!r} names owner {target.owner_id}, and there is none.", fields=place
                )


def _rule(value: Any, place: str, context: Context) -> Rule:
    written = _object(value, place, {"id", "name", "priority", "when", "then"})
    rule_id = str(written.get("id", ""))
    if not _ID.fullmatch(rule_id):
        raise Invalid(
            "rule_id_unreadable", "A rule's id is of small letters, digits, - and _, at most 40.", fields=[f"{place}.id"]
        )
    priority = written.get("priority")
    if isinstance(priority, bool) or not isinstance(priority, int | float) or not abs(priority) < 1e9:
        raise Invalid(
            "priority_missing", "A rule needs a priority, a number; the lowest is asked first.", fields=[f"{place}.priority"]
        )
    when = written.get("when", {})
    try:
        test = compile_condition(when, context)
    except Invalid as error:
        raise Invalid(error.code, error.message, fields=[f"{place}.{one}" for one in error.data["fields"]]) from error
    targets = [
        _target(one, f"{place}.then.{n}") for n, one in enumerate(_list(written.get("then"), f"{place}.then", MOST_TARGETS))
    ]
    if not targets:
        raise Invalid("target_missing", "A rule names at least one pool or owner.", fields=[f"{place}.then"])
    return Rule(rule_id, _name(written.get("name") or rule_id, f"{place}.name"), float(priority), when, tuple(targets), test)


def _target(value: Any, place: str) -> Target:
    written = _object(value, place, {"pool", "owner", "skills", "languages", "regions"})
    pool_id, owner_id = (_row(written.get(name), f"{place}.{name}") for name in ("pool", "owner"))
    if (pool_id is None) == (owner_id is None):
        raise Invalid("owner_or_pool", "A target is either a pool or an owner.", fields=[place])
    needs = {
        name: tuple(_name(one, f"{place}.{name}").casefold() for one in _list(written.get(name, []), f"{place}.{name}", 50))
        for name in ("skills", "languages", "regions")
    }
    return Target(pool_id, owner_id, **needs)


def _object(value: Any, place: str, known: Collection[str] | None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid("not_an_object", f"{place} is an object.", fields=[place])
    unknown = [name for name in value if known is not None and name not in known]
    if unknown:
        raise Invalid("field_unknown", f"{place} has no {unknown[0]!r}.", fields=[f"{place}.{unknown[0]}"])
    return value


def _list(value: Any, place: str, most: int) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise Invalid("not_a_list", f"{place} is a list of at most {most}.", fields=[place])
    return value


def _two(value: Any, place: str) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise Invalid("not_a_list", f"{place} is a list of pairs.", fields=[place])
    return value


def _name(value: Any, place: str) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 200 or "\x00" in value:
        raise Invalid("name_unreadable", f"{place} is a text of 1 to 200 characters.", fields=[place])
    return value.strip()


def _whole(value: Any, place: str, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise Invalid("number_out_of_range", f"{place} is a whole number from 0 to {most}.", fields=[place])
    return value


def _row(value: Any, place: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _ROW.fullmatch(value):
        raise Invalid("id_unreadable", f'{place} is an id as text, for instance "3".', fields=[place])
    return int(value)
