"""What all shapes share, and the shape of an error.

A shape is read from what a query returns (`from_attributes`) and says how that looks outside: ids as text, times in UTC.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from crm_core.base.paging import Position
from webhooks.api.cursors import encode_cursor

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

#: Numbers that no client may round travel as text: a row's id, a sum of money.
NumberText = Annotated[str, Field(coerce_numbers_to_str=True)]
Id = NumberText


#: As it was stored, whole or broken; a model's float would write 2 as 2.0.
Number = Annotated[Any, WithJsonSchema({"type": "number"})]

#: A time that is kept as text and has always been shown with +00:00 for UTC.
OffsetTime = Annotated[
    AwareDatetime, PlainSerializer(datetime.isoformat), WithJsonSchema({"type": "string", "format": "date-time"})
]


def _cursor_text(value: object) -> object:
    return encode_cursor(value) if isinstance(value, Position) else value


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True, validate_by_name=True)


class Named(Shape):
    id: Id
    name: str


class Page(Shape, Generic[T]):
    """Named by its subclasses, so that the description calls it LeadPage."""

    items: list[T]
    next: Annotated[str | None, BeforeValidator(_cursor_text)] = Field(description="cursor of the next page; null on the last")


def beside(view: DataclassInstance, **more: object) -> dict[str, object]:
    """What a query returned, with what only this answer knows, for instance a link that is shown once."""
    return {field.name: getattr(view, field.name) for field in fields(view)} | more


def dump(shape: type[BaseModel], answer: object) -> bytes:
    """The answer as JSON. What a shape does not name stays inside; what was not set is left out."""
    told = shape.model_validate(answer).model_dump(exclude_unset=True, by_alias=True)
    return orjson.dumps(told, option=orjson.OPT_UTC_Z)


def plain_json(shape: type[BaseModel], answer: object) -> Any:
    """The same as plain values, for `--json` and for tables of the command line."""
    return orjson.loads(dump(shape, answer))


class ProblemError(Shape):
    path: str
    message: str


class Problem(Shape):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="machine-readable, stable")
    request_id: str
    errors: list[ProblemError] = Field(default_factory=list, description="the wrong places, if any")
