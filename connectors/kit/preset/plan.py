"""A mapping taken apart once: what its rules mean is found out when it is first followed, not for every event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from connectors.kit.forms.fields import Path, without
from connectors.kit.preset.paths import find, matches
from connectors.kit.preset.targets import Fill, fills_of
from connectors.kit.preset.unwrap import Step, steps_of

Rules = Mapping[str, Any]
_Made = TypeVar("_Made")

_MOST = 500  # a hub has some dozens of presets and mappings


class Remembered(Generic[_Made]):
    """What a function makes of rules, by the very object: rules are never changed, and comparing trees would cost more."""

    __slots__ = ("_known", "_make")

    def __init__(self, make: Callable[[Rules], _Made]) -> None:
        self._make = make
        self._known: dict[int, tuple[Rules, _Made]] = {}

    def __call__(self, rules: Rules) -> _Made:
        known = self._known.get(id(rules))
        if known is None or known[0] is not rules:
            if len(self._known) >= _MOST:
                self._known.clear()
            # The rules are kept beside it: as long as they are here, no others have their id.
            known = self._known[id(rules)] = (rules, self._make(rules))
        return known[1]


@dataclass(frozen=True, slots=True)
class Plan:
    """The sections of a mapping as they are followed."""

    rules: Rules
    split: str  # "" where a post is one inquiry
    steps: tuple[Step, ...]
    skip_if: tuple[Rules, ...]
    test_if: tuple[Rules, ...]
    fills: tuple[Fill, ...]
    mapped: Mapping[str, Any]
    by_name: bool
    drop: Drop


@dataclass(frozen=True, slots=True)
class Drop:
    """What `extra.drop` names: keys of the first level, also with stars, and places further below."""

    keys: frozenset[str]
    patterns: tuple[str, ...]
    places: tuple[str, ...]

    def rest_of(self, data: dict[str, Any], taken: set[Path]) -> dict[str, Any]:
        """The tree without what was taken and what is dropped."""
        gone: set[Path] = {(key,) for key in self.keys.intersection(data)}
        if self.patterns:
            gone |= {(key,) for key in data if any(matches(key, pattern) for pattern in self.patterns)}
        below = {place for path in self.places for place, _ in find(data, path)}
        if not below.isdisjoint(taken):  # a key with dots was taken; it may have stood before what is meant
            data = without(data, taken)
            below = {place for path in self.places for place, _ in find(data, path)}
        gone |= taken | below
        return without(data, gone) if gone else data


def _plan(rules: Rules) -> Plan:
    fields = rules.get("fields", {})
    dropped = rules.get("extra", {}).get("drop", ())
    names = [path for path in dropped if not path.startswith("$.")]
    return Plan(
        rules,
        rules.get("split", ""),
        steps_of(rules.get("unwrap", ())),
        tuple(rules.get("skip_if", ())),
        tuple(rules.get("test_if", ())),
        fills_of(fields),
        fields,
        rules.get("read_names", True),
        Drop(
            frozenset(name for name in names if "*" not in name),
            tuple(name for name in names if "*" in name),
            tuple(path for path in dropped if path.startswith("$.")),
        ),
    )


plan_of = Remembered(_plan)
