"""How single parameters are read from a request: text that can be stored, ids as text, times with a zone, days.

What does not fit is refused.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_ID = re.compile(r"[1-9][0-9]{0,17}")  # fits a bigint
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


def read_id(value: object) -> object:
    """The number of an id, which travels as text so that no client rounds it."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return int(value)
    raise ValueError('an id is text of digits, for instance "17"')


def _read_time(value: object) -> object:
    if isinstance(value, str):
        value = re.sub(r" (\d\d:\d\d)$", r"+\1", value)  # a "+" in a query string that was not written as %2B
        if _RFC3339.fullmatch(value):
            return value
    raise ValueError('a time is written as in RFC 3339 with a zone, for instance "2026-11-21T09:00:00Z"')


def _of_this_age(value: datetime) -> datetime:
    """PostgreSQL keeps years that Python cannot read again (0 and 10000, by way of a zone); nobody means them."""
    if not 1970 <= value.year <= 2200:
        raise ValueError("a time lies between the years 1970 and 2200")
    return value


def read_day(value: object) -> object:
    """A calendar day of this century: others only come from mistakes, and zones are not defined for them."""
    if isinstance(value, str) and re.fullmatch(r"20\d\d-\d\d-\d\d", value):
        return date.fromisoformat(value)
    raise ValueError('a day is written as "2026-11-21"')


def _without_nul(value: str) -> str:
    if any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("text cannot hold NUL or half of a surrogate pair")
    return value


#: Text that the database can hold; whoever takes it says how long it may be.
StorableText = Annotated[str, AfterValidator(_without_nul)]
Text = Annotated[StorableText, Field(max_length=4000)]
RowId = Annotated[int, BeforeValidator(read_id), WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,17}$"})]
Time = Annotated[
    AwareDatetime,
    BeforeValidator(_read_time),
    AfterValidator(_of_this_age),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Filters(BaseModel):
    """What a list may be narrowed by. A parameter that it does not know is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
