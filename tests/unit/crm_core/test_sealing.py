"""Secrets at rest open with their own key and purpose, and with nothing else."""

from __future__ import annotations

import pytest

from crm_core.base.errors import Misconfigured
from crm_core.base.sealing import masked, seal, unseal

KEY = "k" * 32


@pytest.mark.parametrize("text", ["", "пароль", "x" * 10_000, "line\nbreak\x00nul"])
def test_unseal_gives_the_text_when_key_and_purpose_match(text: str) -> None:
    assert unseal(KEY, seal(KEY, text, "source:1:password"), "source:1:password") == text


def test_seal_differs_when_repeated_and_does_not_show_the_text() -> None:
    first, second = (seal(KEY, "secret-word", "p") for _ in range(2))
    assert first != second
    assert "secret-word" not in first


@pytest.mark.parametrize(
    "key, purpose, change",
    [("other" * 8, "p", ""), (KEY, "q", ""), (KEY, "p", "tail"), (KEY, "p", "format"), (KEY, "p", "short")],
)
def test_unseal_refuses_when_anything_is_different(key: str, purpose: str, change: str) -> None:
    sealed = seal(KEY, "secret-word", "p")
    altered = {
        "": sealed,
        "tail": sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:],
        "format": sealed.removeprefix("v1."),
        "short": "v1.AAAA",
    }[change]
    with pytest.raises(Misconfigured) as caught:
        unseal(key, altered, purpose)
    assert caught.value.code == "secret_unreadable"
    assert "secret-word" not in caught.value.message


def test_masked_says_only_whether_there_is_a_secret() -> None:
    assert masked("") == ""
    assert masked("a") == masked("a much longer one") != ""
