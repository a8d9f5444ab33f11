"""Ids, texts and times as parameters, without a database."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from crm_core.base.values import rfc3339
from webhooks.api.parameters import RowId, Text, Time


@given(st.text())
def test_an_id_is_plain_digits_or_refused(text: str) -> None:
    try:
        number = TypeAdapter(RowId).validate_python(text)
    except ValidationError:
        return
    assert str(number) == text
    assert 0 < number < 2**63


@pytest.mark.parametrize("written", [1, 1.0, True, None, b"1", "01", "1 ", "+1", "1_0", "٣", ""])
def test_an_id_in_another_shape_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(RowId).validate_python(written)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 4001])
def test_text_that_cannot_be_stored_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Text).validate_python(text)


def test_times_are_read_with_a_zone_and_shown_in_utc() -> None:
    read = TypeAdapter(Time).validate_python
    for written in ("2026-11-21T12:00:00+03:00", "2026-11-21T12:00:00 03:00", "2026-11-21T09:00:00Z"):
        assert rfc3339(read(written)) == "2026-11-21T09:00:00Z"
    assert rfc3339(datetime(2026, 1, 1, 0, 0, 0, 5, timezone(timedelta(hours=3)))) == "2025-12-31T21:00:00.000005Z"
    assert rfc3339(None) is None
    for wrong in ("2026-11-21T12:00:00", "2026-11-21", "1732180000", 1732180000, "2026-11-21 12:00:00Z"):
        with pytest.raises(ValidationError):
            read(wrong)
