"""Invented people of `leadhub bench match`, few of them: floors of what the hub must know again, and must not join."""

from __future__ import annotations

from bench.match import assess, run
from bench.people import population, traffic
from crm_core.base.config import HubConfig

PEOPLE = 500


def test_people_are_known_again_and_strangers_are_not_joined(config: HubConfig) -> None:
    found = assess(run(config, list(traffic(7, population(7, PEOPLE)))), PEOPLE)
    assert found.precision_named >= 0.994
    assert found.precision >= 0.945
    assert found.recall >= 0.96
    assert found.biggest <= 14  # nobody sends more than seven, and a number's nameless callers are few
    assert found.suggestions <= 0.03 * found.inquiries


def test_same_seed_is_the_same_traffic() -> None:
    once, again = (list(traffic(3, population(3, 50))) for _ in range(2))
    assert once == again
    assert once != list(traffic(4, population(4, 50)))
