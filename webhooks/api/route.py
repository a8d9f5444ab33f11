"""A route of the API as data: what it needs, what it takes, what it answers. Dispatch and OpenAPI both read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, MAX_LIMIT, Position
from webhooks.api.cursors import decode_cursor
from webhooks.api.parameters import Filters, Text, read_id

T = TypeVar("T")


class NoQuery(Filters):
    """Takes no parameters, and says so to whoever sends one."""


class Paging(Filters):
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    cursor: Text | None = Field(None, description="`next` of the page before")

    @property
    def after(self) -> Position | None:
        """The row after which the page begins."""
        return None if self.cursor is None else decode_cursor(self.cursor)


def narrowed(model: type[T], query: BaseModel) -> T:
    """What the query says of the fields of `model`, a dataclass of the domain, which knows nothing of requests."""
    return model(**{field.name: getattr(query, field.name) for field in fields(model)})  # type: ignore[arg-type]


class Body(BaseModel):
    """What may be sent. A field that it does not know is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Ask:
    """One authenticated, permitted and validated request."""

    config: HubConfig
    engine: Engine
    principal: Principal
    query: BaseModel
    body: BaseModel | None
    path: Mapping[str, str]

    @cached_property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def id(self, noun: str, part: str = "id") -> int:
        """The number in that part of the path. What cannot be an id names nothing: NotFound."""
        written = self.path[part]
        try:
            return cast(int, read_id(written))
        except ValueError as error:
            raise NotFound(f"{noun}_unknown", f"There is no such {noun}.") from error


#: What it returns is shown as `Route.answer` says.
Handler = Callable[[Ask], object]


@dataclass(frozen=True, slots=True)
class Route:
    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
    path: str  # under /api/v1, e.g. "/leads/<id>"
    permission: str
    handler: Handler
    summary: str
    answer: type[BaseModel] | None  # None: no JSON, see `media_type`; 204 if that is empty too
    query: type[BaseModel] = NoQuery
    body: type[BaseModel] | None = None
    status: int = 200
    media_type: str = ""  # of an answer that is not JSON

    @property
    def name(self) -> str:
        """Flask's endpoint and OpenAPI's operationId."""
        words = [word.strip("<>").replace(".", "_") for word in self.path.strip("/").split("/")]
        return "_".join([self.method.lower(), *words])
