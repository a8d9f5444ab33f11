"""Words without which a phrase of sellers cannot stand in a text: true of whatever the phrase can match."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_core.spam.hooks import hooks_of
from crm_core.spam.phrases import PHRASES


@pytest.mark.parametrize(
    "phrase, hooks",
    [
        ("gift cards?", {"gift card"}),
        ("(?:first|top) page", {"first page", "top page"}),
        ("(?:a|the) (?:nike|pills)", {"nike", "pills"}),
        ("pr[êe]ts? rapide", {"prêt", "pret"}),
        (r"\w+ \d", set()),
        ("(?:one word|.)", set()),
        ("a|b", set()),
        ("(?:free )?(?:prize)?", set()),
        ("(?:prize)*", set()),
        ("(?:prize){0,3}", set()),
        ("(?:prize){1,3}", {"prize"}),
        ("(?=prize)x", set()),
        ("^prize", set()),
        ("(prize)", set()),
        ("(?:prize", set()),
        ("prize)", set()),
        ("[a", set()),
        ("prize\\", set()),
        ("", set()),
    ],
)
def test_hooks_are_told_when_they_are_certain(phrase: str, hooks: set[str]) -> None:
    assert hooks_of(phrase) == hooks


def test_most_phrases_have_hooks() -> None:
    assert sum(bool(hooks_of(phrase.pattern)) for phrase in PHRASES) >= 0.9 * len(PHRASES)


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.pattern[:30])
def test_every_match_holds_a_hook_when_a_phrase_has_some(phrase: re.Pattern[str]) -> None:
    hooks = hooks_of(phrase.pattern)

    @settings(max_examples=40, deadline=None, database=None)
    @given(st.from_regex(phrase, fullmatch=True))
    def holds(text: str) -> None:
        assert not hooks or any(hook in text for hook in hooks)

    holds()
