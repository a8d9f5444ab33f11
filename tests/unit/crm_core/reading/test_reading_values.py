"""Cursors, ids and times, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from crm_core.errors import Invalid
from crm_core.reading.paging import decode_cursor, encode_cursor
from crm_core.reading.values import RowId, Text, Time, rfc3339

MOMENTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1))  # noqa: DTZ001


@given(at=st.none() | MOMENTS, row_id=st.integers(0, 2**63 - 1))
def test_a_cursor_says_again_what_was_put_into_it(at: datetime | None, row_id: int) -> None:
    assert decode_cursor(encode_cursor(at, row_id)) == (at, row_id)


@given(st.text())
def test_any_other_text_is_no_cursor_or_a_well_formed_one(text: str) -> None:
    try:
        at, row_id = decode_cursor(text)
    except Invalid:
        return
    assert row_id >= 0
    assert at is None or at.tzinfo is not None


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
