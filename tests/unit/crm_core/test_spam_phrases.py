"""Phrases of spam are found as their own text says, read by Python's module, which is the oracle here."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from crm_core.spam.phrase_search import found_phrases, says_asking, says_offering
from crm_core.spam.phrases import ASKS, OFFERS, PHRASES
from crm_core.spam.texts import folded

_COMPILED = [re.compile(phrase) for phrase in PHRASES]
_SIGNS = st.characters(
    max_codepoint=0x52F, categories=["L", "N", "P", "S", "Z"]
)  # Latin, Greek, Cyrillic: whoever writes the phrases
_PASSAGES = st.sampled_from([*_COMPILED, re.compile(ASKS), re.compile(OFFERS)]).flatmap(
    lambda one: st.from_regex(one, alphabet=_SIGNS)
)


def _agree(text: str) -> None:
    assert found_phrases(text) == {at for at, phrase in enumerate(_COMPILED) if phrase.search(text)}
    assert says_asking(text) == bool(re.search(ASKS, text))
    assert says_offering(text) == bool(re.search(OFFERS, text))


def test_every_phrase_is_found_when_it_stands_in_a_text() -> None:
    found: set[int] = set()

    @settings(max_examples=300, deadline=None, database=None)
    @given(st.lists(_PASSAGES, max_size=3).map(" ".join).map(folded).filter(lambda text: all(sign < "\u0530" for sign in text)))
    def agree(text: str) -> None:
        _agree(text)
        found.update(found_phrases(text))

    agree()
    assert len(found) > 0.8 * len(PHRASES)


def test_phrases_are_found_quickly_in_the_worst_of_texts() -> None:
    """Ends at all, and with the same result: words of phrases without end, each the beginning of many."""
    for text in (
        "предлагаем " * 600,
        "interested in buying " * 300,
        "earn 1 usd bitcoin offer " * 240,
        "\ud800 we offer \x00" * 300,
    ):
        _agree(text.encode(errors="replace").decode()[:6000])
