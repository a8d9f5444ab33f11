"""Whoever is signed in sees on every page that nothing is taken in, in his language, until the disk has room again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Hub

from crm_core.base.config import HubConfig


@pytest.fixture
def config(config: HubConfig) -> HubConfig:
    return replace(config, disk_floor_mb=1_000_000)  # more than any disk of a test has


@pytest.mark.parametrize("path", ["/console/leads", "/console/sources", "/console/queues"])
def test_every_page_says_once_that_the_disk_is_full(hub: Hub, path: str) -> None:
    visitor = hub.signed_in("ops" if path != "/console/leads" else "head")
    for language, words in (
        ("en", "Nothing is taken in until there is room"),
        ("ru", "Пока не появится место, ничего не принимается"),
    ):
        page = visitor.get(path, headers={"Accept-Language": language}).get_data(as_text=True)
        assert page.count(words) == 1


def test_who_is_not_signed_in_learns_nothing_of_the_disk(hub: Hub) -> None:
    page = hub.new_visitor().get("/console/sign-in").get_data(as_text=True)
    assert "MB" not in page
    assert "disk" not in page
