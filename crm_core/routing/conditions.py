"""The language of the rules: a tree of conditions in JSON, compiled to closures over the facts of one lead. Pure.

    {"all": [{"fact": "utm_source", "op": "eq", "value": "yandex"}, {"not": {"fact": "phone", "op": "prefix", "value": "+7343"}}]}

A fact that is missing makes its clause neither true nor false (None), which `not` leaves so, and a rule applies only where its tree
is true: no rule ever raises, or applies because something was not said. Everything is bounded: depth and size of the tree when it is
saved, the length of a text when it is asked; patterns are matched in a time that grows with the text alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from crm_core.base.errors import Invalid

FactKind = Literal["text", "id", "number", "phone", "yes", "moment", "texts"]
Facts = Mapping[str, Any]
#: True, False, or None where the fact is missing.
Test = Callable[[Facts], bool | None]

#: What a rule may ask about a lead.
FACTS: Final[Mapping[str, FactKind]] = {
    "source": "id", "channel": "text", "line": "text", "our_number": "phone", "mailbox": "text", "form_id": "text", "form_name": "text",
    "phone": "phone", "phone_region": "text", "country": "text", "language": "text", "title": "text", "product": "text", "value": "number",
    "utm_source": "text", "utm_medium": "text", "utm_campaign": "text", "utm_content": "text", "utm_term": "text",
    "page_url": "text", "referrer": "text", "click_ids": "texts", "received": "moment",
    "is_client": "yes", "client_value": "number", "client_days": "number",
}  # fmt: skip

#: The fact that names the region of the imported numbering plan in which the caller's number lies.
PLAN_REGION: Final = "phone_region"

MOST_DEPTH: Final = 8
MOST_CLAUSES: Final = 200
MOST_VALUES: Final = 1000
LONGEST_TEXT: Final = 500  # of a value in a rule, and of a fact as far as it is looked at

_TEXT_OPS: Final = frozenset({"eq", "in", "prefix", "contains", "glob", "exists"})
#: How each kind may be asked.
OPS: Final[Mapping[FactKind, frozenset[str]]] = {
    "text": _TEXT_OPS,
    "texts": frozenset({"contains", "exists"}),
    "id": frozenset({"eq", "in", "exists"}),
    "number": frozenset({"eq", "gte", "lte", "between", "exists"}),
    "phone": frozenset({"eq", "in", "prefix", "between", "phone_region", "exists"}),
    "yes": frozenset({"eq"}),
    "moment": frozenset({"weekday", "time_in"}),
}


@dataclass(frozen=True, slots=True)
class Context:
    """What conditions are read against: the zone of weekdays and times, and the named ranges of numbers, each bound in E.164 digits."""

    zone: ZoneInfo
    ranges: Mapping[str, tuple[tuple[int, int], ...]]


def compile_condition(tree: Any, context: Context) -> Test:
    """Raises Invalid, with `fields` naming the place in the tree, for what is no condition or is too big."""
    budget = [MOST_CLAUSES]
    return _compile(tree, context, "when", 1, budget)


def clauses_of(tree: Any) -> list[dict[str, Any]]:
    """The single comparisons of a tree that was compiled once, in their order."""
    if not isinstance(tree, Mapping):
        return []
    for name in ("all", "any"):
        if name in tree:
            return [clause for part in tree[name] for clause in clauses_of(part)]
    return clauses_of(tree["not"]) if "not" in tree else [dict(tree)] if tree else []


def traced(tree: Any, facts: Facts, context: Context) -> list[dict[str, Any]]:
    """Each comparison with what stood there: [{"fact","op","value","turned","actual","holds": true|false|null}]. `turned`: it stands
    below a `not`; `holds` is of the comparison itself all the same."""
    return [
        {
            **clause,
            "turned": turned,
            "actual": _shown(facts.get(clause["fact"])),
            "holds": compile_condition(clause, context)(facts),
        }
        for clause, turned in _turned_clauses(tree, turned=False)
    ]


def _turned_clauses(tree: Any, *, turned: bool) -> list[tuple[dict[str, Any], bool]]:
    if "not" in tree:
        return _turned_clauses(tree["not"], turned=not turned)
    parts = tree.get("all") or tree.get("any")
    if parts is not None:
        return [one for part in parts for one in _turned_clauses(part, turned=turned)]
    return [(dict(tree), turned)] if tree else []


def facts_asked(tree: Any) -> frozenset[str]:
    return frozenset(
        name
        for clause in clauses_of(tree)
        for name in (clause["fact"], *((PLAN_REGION,) if clause["op"] == "phone_region" else ()))
    )


def regions_asked(tree: Any) -> frozenset[str]:
    """Names of regions that comparisons by `phone_region` give, folded: a named range of the version, or a region of the numbering plan."""
    return frozenset(
        _folded(clause["value"])
        for clause in clauses_of(tree)
        if clause["op"] == "phone_region" and isinstance(clause["value"], str)
    )


def _compile(tree: Any, context: Context, place: str, depth: int, budget: list[int]) -> Test:
    if depth > MOST_DEPTH:
        raise _wrong("condition_too_deep", f"A condition nests at most {MOST_DEPTH} levels.", place)
    if not isinstance(tree, Mapping):
        raise _wrong("condition_unreadable", "A condition is an object.", place)
    if not tree:
        return _always
    for name, combined in (("all", _all), ("any", _any)):
        if name in tree:
            parts = tree[name]
            if len(tree) > 1 or not isinstance(parts, Sequence) or isinstance(parts, str) or not parts:
                raise _wrong("condition_unreadable", f"{name} stands alone and holds a list of conditions.", f"{place}.{name}")
            return combined([_compile(part, context, f"{place}.{name}.{n}", depth + 1, budget) for n, part in enumerate(parts)])
    if "not" in tree:
        if len(tree) > 1:
            raise _wrong("condition_unreadable", "not stands alone.", f"{place}.not")
        return _not(_compile(tree["not"], context, f"{place}.not", depth + 1, budget))
    budget[0] -= 1
    if budget[0] < 0:
        raise _wrong("condition_too_big", f"A rule compares at most {MOST_CLAUSES} times.", place)
    return _clause(tree, context, place)


def _always(_facts: Facts) -> bool | None:
    return True


def _all(parts: Sequence[Test]) -> Test:
    def test(facts: Facts) -> bool | None:
        unknown = False
        for part in parts:
            told = part(facts)
            if told is False:
                return False
            unknown = unknown or told is None
        return None if unknown else True

    return test


def _any(parts: Sequence[Test]) -> Test:
    def test(facts: Facts) -> bool | None:
        unknown = False
        for part in parts:
            told = part(facts)
            if told is True:
                return True
            unknown = unknown or told is None
        return None if unknown else False

    return test


def _not(part: Test) -> Test:
    def test(facts: Facts) -> bool | None:
        told = part(facts)
        return None if told is None else not told

    return test


def _clause(clause: Mapping[str, Any], context: Context, place: str) -> Test:
    fact, op, value = clause.get("fact"), clause.get("op"), clause.get("value")
    if not isinstance(fact, str) or fact not in FACTS:
        raise _wrong("fact_unknown", f"There is no fact {fact!r}; there are: {', '.join(FACTS)}.", f"{place}.fact")
    kind = FACTS[fact]
    if not isinstance(op, str) or op not in OPS[kind]:
        raise _wrong("op_unknown", f"{fact} can be asked: {', '.join(sorted(OPS[kind]))}.", f"{place}.op")
    if unknown := clause.keys() - {"fact", "op", "value"}:
        raise _wrong("condition_unreadable", f"A comparison has fact, op and value, not {', '.join(sorted(unknown))}.", place)
    at = f"{place}.value"
    if op == "phone_region" and _text(value, at) not in {_folded(known) for known in context.ranges}:
        # No range of the version's own: a region of the numbering plan, in which the number was looked up when it came.
        fact, kind, op = PLAN_REGION, "text", "eq"
    if op == "exists":
        wanted = value is not False
        return lambda facts: (facts.get(fact) not in (None, "", (), [])) is wanted
    compare = _COMPARES[kind](op, value, context, at)

    def test(facts: Facts) -> bool | None:
        actual = facts.get(fact)
        if actual is None or actual == "":
            return None
        return compare(actual)

    return test


def _of_text(op: str, value: Any, _context: Context, place: str) -> Callable[[Any], bool]:
    if op == "in":
        several = frozenset(_texts(value, place))
        return lambda actual: _folded(actual) in several
    one = _text(value, place)
    if op == "eq":
        return lambda actual: _folded(actual) == one
    if op == "prefix":
        return lambda actual: _folded(actual).startswith(one)
    if op == "contains":
        return lambda actual: one in _folded(actual)
    parts = one.split("*")
    return lambda actual: _glob(parts, _folded(actual))


def _of_texts(_op: str, value: Any, _context: Context, place: str) -> Callable[[Any], bool]:
    one = _text(value, place)
    return lambda actual: any(_folded(each) == one for each in actual)


def _of_id(op: str, value: Any, _context: Context, place: str) -> Callable[[Any], bool]:
    several = frozenset(_texts(value, place) if op == "in" else [_text(value, place)])
    return lambda actual: str(actual) in several


def _of_number(op: str, value: Any, _context: Context, place: str) -> Callable[[Any], bool]:
    if op == "between":
        low, high = _pair(value, place)
        least, most = _number(low, place), _number(high, place)
        return lambda actual: least <= actual <= most
    one = _number(value, place)
    return {"eq": lambda actual: actual == one, "gte": lambda actual: actual >= one, "lte": lambda actual: actual <= one}[op]


def _of_phone(op: str, value: Any, context: Context, place: str) -> Callable[[Any], bool]:
    if op == "between":
        return _within((phone_range(_pair(value, place), place),))
    if op == "phone_region":
        return _within({_folded(known): spans for known, spans in context.ranges.items()}[_text(value, place)])
    if op == "prefix":
        one = "+" + _digits(value, place)
        return lambda actual: str(actual).startswith(one)
    several = frozenset("+" + _digits(each, place) for each in (value if op == "in" and isinstance(value, list) else [value]))
    return lambda actual: actual in several


def _within(spans: Sequence[tuple[int, int]]) -> Callable[[Any], bool]:
    """Bounds of one length are numbers; a number of another length lies in none."""

    def test(actual: Any) -> bool:
        digits = str(actual).lstrip("+")[:20]
        if not (digits.isascii() and digits.isdigit()):
            return False
        number = int(digits)
        return any(low <= number <= high for low, high in spans)

    return test


def _of_yes(_op: str, value: Any, _context: Context, place: str) -> Callable[[Any], bool]:
    if not isinstance(value, bool):
        raise _wrong("value_unreadable", "The value is true or false.", place)
    return lambda actual: actual is value


def _of_moment(op: str, value: Any, context: Context, place: str) -> Callable[[Any], bool]:
    zone = context.zone
    if op == "weekday":
        days = value if isinstance(value, list) else [value]
        if not days or not all(type(day) is int and 1 <= day <= 7 for day in days):
            raise _wrong("value_unreadable", "Weekdays are numbers from 1, Monday, to 7.", place)
        wanted = frozenset(days)
        return lambda actual: (moment := _moment(actual)) is not None and moment.astimezone(zone).isoweekday() in wanted
    low, high = (_minute(each, place) for each in _pair(value, place))

    def test(actual: Any) -> bool:
        moment = _moment(actual)
        if moment is None:
            return False
        local = moment.astimezone(zone)
        minute = local.hour * 60 + local.minute
        return low <= minute < high if low <= high else minute >= low or minute < high

    return test


_COMPARES: Final[Mapping[FactKind, Callable[[str, Any, Context, str], Callable[[Any], bool]]]] = {
    "text": _of_text, "texts": _of_texts, "id": _of_id, "number": _of_number, "phone": _of_phone, "yes": _of_yes, "moment": _of_moment,
}  # fmt: skip


def phone_range(pair: Sequence[Any], place: str) -> tuple[int, int]:
    """Two numbers of one length in E.164. Raises Invalid."""
    low, high = (_digits(each, place) for each in pair)
    if len(low) != len(high) or low > high:
        raise _wrong("value_unreadable", "A range of numbers goes from a lower to a higher one of the same length.", place)
    return int(low), int(high)


def _glob(parts: Sequence[str], text: str) -> bool:
    """Pieces between stars, found one after the other from the left: no backtracking, so no pattern is slow."""
    first, *rest = parts
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _folded(value: Any) -> str:
    return str(value)[:LONGEST_TEXT].casefold()


def _text(value: Any, place: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip() or len(str(value)) > LONGEST_TEXT:
        raise _wrong("value_unreadable", f"The value is a text of 1 to {LONGEST_TEXT} characters.", place)
    return _folded(value)


def _texts(value: Any, place: str) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
        raise _wrong("value_unreadable", f"The value is a list of 1 to {MOST_VALUES} texts.", place)
    return [_text(each, place) for each in value]


def _pair(value: Any, place: str) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise _wrong("value_unreadable", "The value is a list of two: from and to.", place)
    return value[0], value[1]


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise _wrong("value_unreadable", "The value is a number.", place)
    return float(value)


def _digits(value: Any, place: str) -> str:
    digits = str(value).lstrip("+") if isinstance(value, str) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise _wrong("value_unreadable", 'A number is written as in E.164, for instance "+79122000000".', place)
    return digits


def _minute(value: Any, place: str) -> int:
    try:
        at = datetime.strptime(str(value), "%H:%M")  # noqa: DTZ007 - a time on the wall has no zone
    except ValueError as error:
        raise _wrong("value_unreadable", 'A time is written as "09:30".', place) from error
    return at.hour * 60 + at.minute


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _shown(value: Any) -> Any:
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def _wrong(code: str, words: str, place: str) -> Invalid:
    return Invalid(code, words, fields=[place])
