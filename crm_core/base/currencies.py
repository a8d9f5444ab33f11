"""Currencies by ISO 4217: which there are, and which one a country pays with."""

from __future__ import annotations

from functools import cache

from babel.core import get_global
from babel.numbers import get_territory_currencies, list_currencies


@cache
def known() -> frozenset[str]:
    return frozenset(list_currencies())


@cache
def of_region(region: str) -> str:
    """The currency of an ISO 3166 country today; "USD" for one that has none of its own."""
    if region not in get_global("territory_currencies"):
        return "USD"
    found = get_territory_currencies(region, tender=True)
    return str(found[0]) if found else "USD"
