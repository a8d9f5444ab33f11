"""Hosts that are compared by the screening: the same one in both of its spellings."""

from __future__ import annotations

import pytest

from crm_core.spam.texts import host_of, is_below


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://www.Example.com:8443/a?b", "example.com"),
        ("https://xn--80atjc.xn--p1ai", "xn--80atjc.xn--p1ai"),
        ("https://www.Окна.рф/цены", "xn--80atjc.xn--p1ai"),
        ("null", "null"),
        ("я..я", "я..я"),
    ],
)
def test_host_is_told_as_browsers_name_it(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize("name", ["окна.рф", "*.Окна.рф", "www.окна.рф", "xn--80atjc.xn--p1ai"])
def test_own_site_is_known_when_it_was_named_in_its_own_alphabet(name: str) -> None:
    """Otherwise each visitor of it would come from a foreign page."""
    assert is_below(host_of("https://xn--80atjc.xn--p1ai"), ["example.com", name])
    assert is_below(host_of("https://shop.xn--80atjc.xn--p1ai/x"), [name])
    assert not is_below(host_of("https://xn--80atjc.xn--p1ai.example.net"), [name])
