"""A rule as a form and back: a tree of groups and comparisons with flat field names, the place of each to say what is wrong there.

The conditions of a rule are a group `w`; its parts are `w.0`, `w.1`, each a comparison (`.fact`, `.op`, `.value`) or a group (`.mode`)
with parts of its own. `not` is folded into the comparison ("is not") or the group ("none of").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from crm_core.routing.conditions import FACTS, MOST_CLAUSES, MOST_DEPTH, OPS

#: How a group holds: all parts, any, not all of them, none.
MODES: Final = ("all", "any", "not_all", "not_any")
#: The operators in the order in which people look for them.
_ORDER: Final = (
    "eq", "in", "gte", "lte", "between", "contains", "prefix", "glob", "phone_region", "weekday", "time_in", "exists",
)  # fmt: skip
ABILITIES: Final = ("skills", "languages", "regions")
_MOST_TARGETS: Final = 50  # read of one form; more than may be saved, so that they are refused and not cut
_IN_PHONE: Final = re.compile(r"[\s().\-–]+")


class Form(Protocol):
    """What was posted."""

    def get(self, key: str, default: str) -> str: ...
    def getlist(self, key: str) -> list[str]: ...
    def __contains__(self, key: object) -> bool: ...


@dataclass(slots=True)
class Clause:
    fact: str = ""
    op: str = ""  # "not_" before it turns it round
    values: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    mode: str = "all"
    parts: list[Clause | Group] = field(default_factory=list)


@dataclass(slots=True)
class TargetForm:
    to: str = ""  # "pool:3" or "owner:5"
    skills: str = ""
    languages: str = ""
    regions: str = ""


@dataclass(slots=True)
class RuleForm:
    id: str  # "" of a new one
    name: str = ""
    when: Group = field(default_factory=Group)
    targets: list[TargetForm] = field(default_factory=lambda: [TargetForm()])


def ops_of(fact: str) -> tuple[str, ...]:
    """What may be asked of a fact, each also turned round where that says something new."""
    kind = FACTS.get(fact)
    if kind is None:
        return ()
    told = [op for op in _ORDER if op in OPS[kind]]
    return tuple(one for op in told for one in ((op,) if kind == "yes" else (op, f"not_{op}")))


def widget(fact: str, op: str) -> str:
    """What a value is typed into: text | lines | number | numbers | phone | phones | phone_lines | yes | days | times | source | sources | "" for none."""
    kind, plain = FACTS.get(fact), op.removeprefix("not_")
    if kind is None or plain not in OPS[kind] or plain == "exists":
        return ""
    if plain in ("weekday", "time_in"):
        return {"weekday": "days", "time_in": "times"}[plain]
    if plain == "in":
        return {"id": "sources", "phone": "phone_lines"}.get(kind, "lines")
    if plain == "between":
        return f"{kind}s"
    if kind == "phone":
        return "text" if plain == "phone_region" else "phone"
    return {"id": "source", "number": "number", "yes": "yes"}.get(kind, "text")


def of_rule(rule: Mapping[str, Any]) -> RuleForm:
    """A rule that was checked once, as a form."""
    when = of_condition(rule.get("when", {}), turned=False)
    if isinstance(when, Clause):
        when = Group("all", [when])
    targets = [
        TargetForm(
            f"pool:{one['pool']}" if one.get("pool") is not None else f"owner:{one.get('owner')}",
            *(", ".join(one.get(name, ())) for name in ABILITIES),
        )
        for one in rule["then"]
    ]
    return RuleForm(str(rule["id"]), str(rule.get("name") or rule["id"]), when, targets)


def of_condition(tree: Mapping[str, Any], *, turned: bool) -> Clause | Group:
    """A condition that was checked once; `turned` where it stands below a `not`."""
    if "not" in tree:
        return of_condition(tree["not"], turned=not turned)
    for name in ("all", "any"):
        if name in tree:
            return Group(f"not_{name}" if turned else name, [of_condition(part, turned=False) for part in tree[name]])
    if not tree:
        return Group("not_all" if turned else "all")
    op, value = str(tree["op"]), tree.get("value")
    kind = FACTS[tree["fact"]]
    if op == "exists":
        turned ^= value is False
        values = []
    elif kind == "yes":
        values = ["yes" if value is not turned else "no"]
        turned = False
    else:
        values = [_plain(one) for one in (value if isinstance(value, list) else [value])]
    return Clause(str(tree["fact"]), f"not_{op}" if turned else op, values)


def _plain(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def read(form: Form) -> RuleForm:
    """What was posted, however odd."""
    budget = [MOST_CLAUSES * 2]
    when = _read_node(form, "w", 0, budget)
    targets = [
        TargetForm(_text(form, f"t.{n}.to"), *(_text(form, f"t.{n}.{name}") for name in ABILITIES))
        for n in range(_MOST_TARGETS)
        if f"t.{n}.to" in form
    ]
    return RuleForm(
        _text(form, "id"), _text(form, "name"), when if isinstance(when, Group) else Group(), targets or [TargetForm()]
    )


def _read_node(form: Form, path: str, depth: int, budget: list[int]) -> Clause | Group:
    budget[0] -= 1
    if path != "w" and f"{path}.fact" in form:
        fact, op = _text(form, f"{path}.fact"), _text(form, f"{path}.op")
        return Clause(fact, op or next(iter(ops_of(fact)), ""), _values(form, path))
    mode = _text(form, f"{path}.mode")
    group = Group(mode if mode in MODES else "all")
    n = 0
    while depth <= MOST_DEPTH and budget[0] > 0 and (f"{path}.{n}.fact" in form or f"{path}.{n}.mode" in form):
        group.parts.append(_read_node(form, f"{path}.{n}", depth + 1, budget))
        n += 1
    return group


def _values(form: Form, path: str) -> list[str]:
    told = [value.replace("\x00", "").replace("\r\n", "\n") for value in form.getlist(f"{path}.value")]
    return [line.strip() for value in told for line in value.split("\n")]


def _text(form: Form, name: str) -> str:
    return " ".join(form.get(name, "").replace("\x00", "").split())


def act(rule: RuleForm, wanted: str) -> str:
    """Does what a button besides "save" asks for; the path of what came new, for the cursor."""
    _fit(rule.when)
    what, _, path = wanted.partition(":")
    if what == "target":
        rule.targets.append(TargetForm())
        return f"t.{len(rule.targets) - 1}.to"
    if what == "untarget":
        if path.isascii() and path.isdecimal() and int(path[:4]) < len(rule.targets) and len(rule.targets) > 1:
            del rule.targets[int(path[:4])]
        return "t.0.to"
    if what in ("add", "group"):
        group = node_at(rule.when, path)
        if isinstance(group, Group):
            group.parts.append(Clause() if what == "add" else Group("any", [Clause()]))
            return f"{path}.{len(group.parts) - 1}.{'fact' if what == 'add' else 'mode'}"
    if what == "drop":
        parent, _, last = path.rpartition(".")
        group = node_at(rule.when, parent)
        if isinstance(group, Group) and last.isascii() and last.isdecimal() and int(last[:4]) < len(group.parts):
            del group.parts[int(last[:4])]
        return "add"
    return ""


def _fit(node: Clause | Group) -> None:
    """Another field was chosen: the first operator that it has, where it has not the one of before."""
    if isinstance(node, Group):
        for part in node.parts:
            _fit(part)
    elif node.op not in ops_of(node.fact):
        node.op = next(iter(ops_of(node.fact)), "")


def node_at(root: Group, path: str) -> Clause | Group | None:
    at: Clause | Group = root
    for step in path.split(".")[1:]:
        if not isinstance(at, Group) or not (step.isascii() and step.isdecimal()) or int(step[:4]) >= len(at.parts):
            return None
        at = at.parts[int(step[:4])]
    return at


@dataclass(slots=True)
class Written:
    """The JSON of a rule, and which field of the form each of its places came from."""

    rule: dict[str, Any]
    fields: dict[str, str]  # "when.all.0.value" → "w.0.value"

    def field_of(self, place: str) -> str:
        """The field of a place within the rule, or of the nearest one around it."""
        while place and place not in self.fields:
            place = place.rpartition(".")[0]
        return self.fields.get(place, "name")


def write(rule: RuleForm, rule_id: str, priority: float) -> Written:
    fields = {"name": "name", "id": "name", "priority": "name", "when": "w", "then": "t.0.to"}
    then = [_target(one, f"then.{n}", f"t.{n}", fields) for n, one in enumerate(rule.targets)]
    when = _tree(rule.when, "when", "w", fields) or {}
    return Written({"id": rule_id, "name": rule.name, "priority": priority, "when": when, "then": then}, fields)


def _target(one: TargetForm, place: str, path: str, fields: dict[str, str]) -> dict[str, Any]:
    kind, _, row_id = one.to.partition(":")
    fields |= {f"{place}": f"{path}.to"} | {f"{place}.{name}": f"{path}.{name}" for name in ABILITIES}
    told: dict[str, Any] = {kind: row_id} if kind in ("pool", "owner") else {}
    for name in ABILITIES:
        if texts := [part.strip() for part in getattr(one, name).split(",") if part.strip()]:
            told[name] = texts
    return told


def _tree(node: Clause | Group, place: str, path: str, fields: dict[str, str]) -> dict[str, Any] | None:
    """None: an empty group, which says nothing."""
    turned = (node.op if isinstance(node, Clause) else node.mode).startswith("not_")
    inner = f"{place}.not" if turned else place
    fields[place] = fields[inner] = f"{path}.fact" if isinstance(node, Clause) else path
    if isinstance(node, Clause):
        tree = _comparison(node, inner, path, fields)
        if "exists" in node.op:  # is known or not: never unknown itself
            return {**tree, "value": False} if turned else tree
        return {"not": tree} if turned else tree
    mode = node.mode.removeprefix("not_")
    if len(node.parts) == 1 and not isinstance(node.parts[0], Group):
        # One comparison needs no group; its place is the group's own.
        single = _tree(node.parts[0], inner, f"{path}.0", fields) or {}
        return {"not": single} if turned else single
    parts: list[dict[str, Any]] = []
    for n, part in enumerate(node.parts):
        if (told := _tree(part, f"{inner}.{mode}.{len(parts)}", f"{path}.{n}", fields)) is not None:
            parts.append(told)
    if not parts:
        return None
    return {"not": {mode: parts}} if turned else {mode: parts}


def _comparison(clause: Clause, place: str, path: str, fields: dict[str, str]) -> dict[str, Any]:
    op = clause.op.removeprefix("not_")
    fields |= {f"{place}.{name}": f"{path}.{name}" for name in ("fact", "op", "value")} | {place: f"{path}.fact"}
    tree: dict[str, Any] = {"fact": clause.fact, "op": op}
    if op == "exists":
        return tree
    return tree | {"value": _value(widget(clause.fact, op), clause.values)}


def _value(how: str, values: Sequence[str]) -> Any:
    first = values[0] if values else ""
    if how == "number":
        return _number(first)
    if how == "numbers":
        return [_number(one) for one in values]
    if how == "phone":
        return _IN_PHONE.sub("", first)
    if how == "phones":
        return [_IN_PHONE.sub("", one) for one in values]
    if how == "yes":
        return {"yes": True, "no": False}.get(first)
    if how == "days":
        return [int(one) if one in "1234567" and one else one for one in values]
    if how == "times":
        return list(values)
    if how == "phone_lines":
        return [_IN_PHONE.sub("", one) for one in values if one]
    if how in ("lines", "sources"):
        return [one for one in values if one]
    return first


def _number(text: str) -> float | str:
    """As typed, with a comma or spaces; what is no number stays the text that it is, and is refused with its place."""
    plain = re.sub(r"[\s_\u00a0\u202f]", "", text).replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,18}(\.\d{0,9})?", plain, re.ASCII):
        return text
    return float(plain) if "." in plain else int(plain)
