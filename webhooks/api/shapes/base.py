"""What all shapes share, and the shape of an error."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

Id = str


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Named(Shape):
    id: Id
    name: str


class Page(Shape):
    next: str | None = Field(description="cursor of the next page; null on the last")


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
