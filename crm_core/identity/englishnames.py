"""English first names and what is short for them: Joe and Joseph. The data set of the package `nicknames`, read once."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType

from nicknames import name_triplets

from crm_core.identity.spelling import fold

_AS_WRITTEN = {"andrew": "andrei"}  # the fold would make Андреев of it
#: First names in the data set that are met far more often as surnames.
_SURNAMES = frozenset(
    fold(word)
    for word in """
    smith wilson anderson jackson lewis hall allen king scott green nelson campbell mitchell morris bell wood ross perry
    washington bryant liu kim lee ali howard
    """.split()  # noqa: SIM905 (words read best as words)
)


@lru_cache(maxsize=1)
def _long_forms() -> MappingProxyType[str, frozenset[str]]:
    """Every form → the names that it may be short for, itself among them, all folded."""
    forms: dict[str, set[str]] = {}
    for name, relationship, short in name_triplets():
        long, brief = (_AS_WRITTEN.get(one) or fold(one) for one in (name, short))
        if relationship == "has_nickname" and long and brief:
            forms.setdefault(long, {long})
            forms.setdefault(brief, {brief}).add(long)
    return MappingProxyType({form: frozenset(names) for form, names in forms.items() if form not in _SURNAMES})


def english_names(folded: str) -> frozenset[str]:
    """English first names, folded, that a folded form may stand for; empty if it is none that is known."""
    return _long_forms().get(folded, frozenset())
