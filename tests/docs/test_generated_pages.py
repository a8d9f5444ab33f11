"""What the documentation says of settings and commands is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadhub import docs
from leadhub.cli import COMMANDS
from leadhub.settings import SETTINGS

ROOT = Path(__file__).parents[2]


def test_generated_pages_are_current_when_compared_with_the_code() -> None:
    stale = [name for name, page in docs.pages().items() if (ROOT / "docs" / name).read_text(encoding="utf-8") != page]
    assert stale == [], "run `make docs`"


@pytest.mark.parametrize("page", ["README.md", "docs/runbook.md"])
def test_names_exist_when_a_page_mentions_them(page: str) -> None:
    told = (ROOT / page).read_text(encoding="utf-8")
    commands = set(re.findall(r"`(?:\.venv/bin/)?leadhub ([a-z]+)", told))
    assert commands <= set(COMMANDS)
    variables = set(re.findall(r"\bLEADHUB_[A-Z_]+", told))
    assert variables <= {setting.variable for setting in SETTINGS}
    targets = set(re.findall(r"`make ([a-z-]+)", told))
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_alert_has_its_entry_when_somebody_is_woken() -> None:
    alerts = re.findall(r"alert: (\w+)", (ROOT / "deploy/alerts.yml").read_text())
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    assert alerts
    assert [alert for alert in alerts if f"`{alert}`" not in runbook] == []
