"""Rules as people say them, and what differs between two versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crm_core.routing.asked import Clause as AskedClause
from crm_core.routing.conditions import FACTS
from webhooks.console.routing.rule_form import Clause, Group, of_condition, of_rule
from webhooks.console.shell.language import Language


@dataclass(frozen=True, slots=True)
class Names:
    """Of what rules name by their ids."""

    pools: Mapping[str, str]
    owners: Mapping[str, str]
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RuleWords:
    id: str
    name: str
    when: str  # "" applies always
    then: str


@dataclass(frozen=True, slots=True)
class Change:
    kind: Literal["added", "removed", "changed", "moved", "settings", "ranges"]
    name: str
    lines: tuple[tuple[str, str], ...] = ()  # (before, after)


def in_order(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted(body["rules"], key=lambda rule: rule["priority"])


def rule_words(rule: Mapping[str, Any], names: Names, language: Language) -> RuleWords:
    form = of_rule(rule)
    return RuleWords(form.id, form.name, _node(form.when, names, language, top=True), _targets(rule, names, language))


def _node(node: Clause | Group, names: Names, language: Language, *, top: bool = False) -> str:
    if isinstance(node, Clause):
        fact = language.code("fact", node.fact)
        op = language.code("routing_op", node.op)
        value = _values(node, names, language)
        return f"{fact[:1].lower()}{fact[1:]} {op} {value}".rstrip()
    joined = language("routing.and" if node.mode.endswith("all") else "routing.or").join(
        _node(part, names, language) for part in node.parts
    )
    if node.mode.startswith("not_"):
        return language("routing.not_so", what=joined)
    return joined if top or len(node.parts) < 2 else f"({joined})"


def clause_words(asked: AskedClause, names: Names, language: Language) -> str:
    """One comparison as the rule says it, and what the lead had where that is not the same."""
    told = _node(of_condition({"fact": asked.fact, "op": asked.op, "value": asked.value}, turned=asked.turned), names, language)
    told = told[:1].upper() + told[1:]
    if asked.holds is None:
        return language("clause.unknown", clause=told)
    if asked.speaks_for_it or asked.op == "exists":
        return told
    return language("clause.actual", clause=told, actual=_actual(asked, names, language))


def _actual(asked: AskedClause, names: Names, language: Language) -> str:
    values = asked.actual if isinstance(asked.actual, list | tuple) else [asked.actual]
    told = [("yes" if one else "no") if isinstance(one, bool) else str(one) for one in values]
    return _values(Clause(asked.fact, "eq", told), names, language)


def _values(clause: Clause, names: Names, language: Language) -> str:
    op, kind = clause.op.removeprefix("not_"), FACTS[clause.fact]
    values = clause.values
    if kind == "id":
        values = [names.sources.get(one, f"№ {one}") for one in values]
    elif clause.fact == "channel":
        values = [language.code("channel", one) for one in values]
    elif kind == "yes":
        values = [language(f"form.{one}") for one in values]
    elif op == "weekday":
        values = [language(f"routing.day.{one}") for one in values]
    elif kind == "text":
        values = [language("routing.quoted", what=one) for one in values]
    return " – ".join(values) if op in ("between", "time_in") else ", ".join(values)


def _targets(rule: Mapping[str, Any], names: Names, language: Language) -> str:
    told = []
    for one in rule["then"]:
        if one.get("pool") is not None:
            words = language("routing.to_pool", name=names.pools.get(one["pool"], f"№ {one['pool']}"))
        else:
            words = names.owners.get(str(one.get("owner")), f"№ {one.get('owner')}")
        needs = [text for name in ("skills", "languages", "regions") for text in one.get(name, ())]
        told.append(f"{words} ({', '.join(needs)})" if needs else words)
    return language("routing.else_to").join(told)


def changes(before: Mapping[str, Any], after: Mapping[str, Any], names: Names, language: Language) -> list[Change]:
    """From one version to another, in the order of the second; what is gone comes last."""
    return list(_changes(before, after, names, language))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], names: Names, language: Language) -> Iterator[Change]:
    was, now = in_order(before), in_order(after)
    old, new = {rule["id"]: rule for rule in was}, {rule["id"]: rule for rule in now}
    order_then = [rule["id"] for rule in was if rule["id"] in new]
    order_now = [rule["id"] for rule in now if rule["id"] in old]
    for rule in now:
        told = rule_words(rule, names, language)
        if rule["id"] not in old:
            yield Change("added", told.name, (("", _sentence(told, language)),))
            continue
        then = rule_words(old[rule["id"]], names, language)
        pairs = ((then.name, told.name), (_sentence(then, language), _sentence(told, language)))
        if said := tuple((one, other) for one, other in pairs if one != other):
            yield Change("changed", told.name, said)
        if order_then.index(rule["id"]) != order_now.index(rule["id"]):
            place_then, place_now = (one.index(rule["id"]) + 1 for one in (order_then, order_now))
            yield Change("moved", told.name, ((str(place_then), str(place_now)),))
    for rule in was:
        if rule["id"] not in new:
            told = rule_words(rule, names, language)
            yield Change("removed", told.name, ((_sentence(told, language), ""),))
    for kind, words in (("settings", settings_words), ("ranges", ranges_words)):
        then_lines, now_lines = words(before, language), words(after, language)
        if then_lines != now_lines:
            lines = [(line, "") for line in then_lines if line not in now_lines]
            lines += [("", line) for line in now_lines if line not in then_lines]
            yield Change(kind, language(f"routing.{kind}"), tuple(lines))  # type: ignore[arg-type]


def _sentence(told: RuleWords, language: Language) -> str:
    when = language("routing.if", when=told.when) if told.when else language("routing.always")
    return f"{when} → {told.then}"


def settings_words(body: Mapping[str, Any], language: Language) -> list[str]:
    settings = body.get("settings", {})
    refund = settings.get("refund", ["merged", "spam"])
    return [
        language("routing.wait_words", minutes=language.number(settings.get("wait_for_shift_minutes", 60))),
        language("routing.bound_words", days=language.number(settings.get("bound_days", 90))),
        language("routing.refund_words", what=", ".join(language(f"routing.refund.{one}") for one in sorted(refund)) or "–"),
    ]


def ranges_words(body: Mapping[str, Any], language: Language) -> list[str]:  # noqa: ARG001 - as settings_words
    return [f"{name}: {low} – {high}" for name, pairs in body.get("ranges", {}).items() for low, high in pairs]
