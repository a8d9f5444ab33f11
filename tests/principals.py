"""Who acts in the tests."""

from __future__ import annotations

from typing import Final

from crm_core.access import Principal

#: Whoever may everything at the command line.
OPERATOR: Final = Principal("cli", 0, "tester", "admin")


def user(number: int, role: str = "admin") -> Principal:
    """Somebody who signed in, with this number."""
    return Principal("user", number, f"User {number}", role)
