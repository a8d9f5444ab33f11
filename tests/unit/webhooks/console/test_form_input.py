"""Numbers that people type into forms."""

from __future__ import annotations

import pytest

from webhooks.console.shell.form_input import read_number


@pytest.mark.parametrize(("text", "number"), [("15", 15.0), ("0,5", 0.5), ("0.25", 0.25), ("-3", -3.0), ("007", 7.0)])
def test_number_is_read_as_people_write_it(text: str, number: float) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text", ["", " ", "٣", "1_0", "1e9", "nan", "inf", "0x10", "1.2.3", "1 000", "15 min", "9" * 20, "+5", "½"]
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_number(text)
