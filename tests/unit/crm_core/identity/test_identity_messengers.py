"""Keys of messengers and conversations."""

from __future__ import annotations

import pytest

from crm_core.identity.messengers import messenger_keys, thread_key


@pytest.mark.parametrize(
    "written",
    ["@Ivan_P", "ivan_p", " https://t.me/ivan_p ", "t.me/ivan_p?start=promo", "http://www.t.me/Ivan_P/", "@ivan_p "],
)
def test_a_handle_is_one_key_when_it_is_written_in_different_ways(written: str) -> None:
    (key,) = messenger_keys({"telegram": written})
    assert (key.kind, key.value, key.strength, key.display) == ("telegram", "ivan_p", "strong", "@ivan_p")


@pytest.mark.parametrize("written", ["", "+7 900 123-45-67", "79001234567", "напишите мне", "a", "two words", "@" * 300])
def test_what_is_no_handle_makes_no_key(written: str) -> None:
    assert messenger_keys({"telegram": written}) == ()


def test_an_id_that_the_provider_gives_comes_before_a_name_that_was_typed() -> None:
    keys = messenger_keys({"telegram": "@ivan", "telegram_id": "501", "unheard_of": "x"})
    assert [(key.kind, key.value) for key in keys] == [("telegram_id", "501"), ("telegram", "ivan")]


def test_a_thread_is_one_of_its_source_only() -> None:
    assert thread_key(1, "chat-7").value != thread_key(2, "chat-7").value
    assert len(thread_key(1, "x" * 5000).value) < 300
    assert thread_key(1, "x" * 5000 + "a").value != thread_key(1, "x" * 5000 + "b").value
