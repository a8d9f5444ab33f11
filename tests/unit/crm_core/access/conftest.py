"""These tests are about counting, not about heat."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _quick(quick_hashes: None) -> None:
    """Every test here."""
