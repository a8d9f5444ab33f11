"""Which rules a lead was held against when it was given, and which of their comparisons held. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm_core.routing.conditions import traced
from crm_core.routing.config import RoutingConfig

MOST_SHOWN: Final = 50  # rules; who has more finds the rest by simulating the version


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of a rule. `holds` None: the fact was not known, so it was neither true nor false."""

    fact: str
    op: str
    value: Any
    turned: bool  # it stands below a `not`: what does not hold speaks for the rule
    actual: Any
    holds: bool | None

    @property
    def speaks_for_it(self) -> bool:
        return self.holds is not None and self.holds is not self.turned


@dataclass(frozen=True, slots=True)
class AskedRule:
    id: str
    name: str
    applies: bool  # the first that does decides; those behind it are not asked
    clauses: Sequence[Clause]


def asked_rules(config: RoutingConfig, facts: Mapping[str, Any]) -> list[AskedRule]:
    """In the order in which they were asked, up to the one that applied."""
    asked: list[AskedRule] = []
    for rule in config.rules[:MOST_SHOWN]:
        applies = bool(rule.test(facts))
        clauses = [
            Clause(one["fact"], one["op"], one.get("value"), one["turned"], one["actual"], one["holds"])
            for one in traced(rule.when, facts, config.context)
        ]
        asked.append(AskedRule(rule.id, rule.name, applies, clauses))
        if applies:
            break
    return asked
