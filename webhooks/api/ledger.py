"""The ledger: received = the sum of the outcomes, and whether that is so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from crm_core.base.errors import Invalid
from ingest.journal.ledger import ledger
from webhooks.api.parameters import Filters, RowId, read_day
from webhooks.api.route import Ask, Route
from webhooks.api.shape import Named, Shape

_MOST_DAYS = 1100  # three years in one answer
_DEFAULT_DAYS = 7

#: A calendar day, 2026-11-21: as it is asked for, and as it is shown.
Day = Annotated[date, BeforeValidator(read_day)]
DayText = Annotated[str, BeforeValidator(lambda day: day.isoformat() if isinstance(day, date) else day)]


class LedgerRow(Shape):
    source: Named | None
    day: DayText | None
    received: int
    created: int
    attached: int
    repeat: int
    auto: int
    spam: int
    test: int
    ignored: int
    dismissed: int
    rejected: int
    waiting: int
    needs_attention: int
    balanced: bool


class Ledger(Shape):
    items: list[LedgerRow]


def _split(value: str) -> str:
    wrong = [name for name in value.split(",") if name not in ("source", "day", "")]
    if wrong:
        raise ValueError("name source, day, both with a comma, or nothing for one total")
    return value


class LedgerQuery(Filters):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=False)

    from_: Day | None = Field(None, alias="from", description="first day, in the hub's time zone")
    to: Day | None = Field(None, description="last day; today if not given")
    source: RowId | None = None
    by: Annotated[str, AfterValidator(_split)] = Field("source,day", description="source, day, both or empty")


def _ledger(ask: Ask) -> Mapping[str, Any]:
    query = cast(LedgerQuery, ask.query)
    to_day = query.to or datetime.now(ask.config.zone).date()
    from_day = query.from_ or to_day - timedelta(days=_DEFAULT_DAYS - 1)
    if not timedelta(0) <= to_day - from_day <= timedelta(days=_MOST_DAYS):
        raise Invalid(
            "bad_range",
            f"from is before to, and there are at most {_MOST_DAYS} days between.",
            fields=["from", "to"],
        )
    by = tuple(name for name in query.by.split(",") if name)
    with ask.engine.begin() as connection:
        return {"items": ledger(connection, ask.config.timezone, from_day, to_day, query.source, by)}


ROUTES = (
    Route("GET", "/ledger", "ledger.read", _ledger, "What came in and what became of it", Ledger,
          query=LedgerQuery),
)  # fmt: skip
