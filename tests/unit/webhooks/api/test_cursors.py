"""A place in a list as text and back, without a database."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crm_core.base.errors import Invalid
from crm_core.base.paging import Position
from webhooks.api.cursors import decode_cursor, encode_cursor

MOMENTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1))  # noqa: DTZ001


@given(at=st.none() | MOMENTS, row_id=st.integers(0, 2**63 - 1))
def test_a_cursor_says_again_what_was_put_into_it(at: datetime | None, row_id: int) -> None:
    assert decode_cursor(encode_cursor(Position(at, row_id))) == Position(at, row_id)


@given(st.text())
def test_any_other_text_is_no_cursor_or_a_well_formed_one(text: str) -> None:
    try:
        position = decode_cursor(text)
    except Invalid:
        return
    assert position.id >= 0
    assert position.at is None or position.at.tzinfo is not None
