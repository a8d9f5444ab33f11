"""The ledger per source and day. Every figure leads to its rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

from crm_core.base.errors import Invalid
from ingest.journal.ledger import OUTCOMES, PARTS, ledger
from webhooks.api.parameters import read_day, read_id
from webhooks.console.shell import choices
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen

#: Columns that are shown even if nothing stands in them: the zero is what one wants to see.
_ALWAYS = frozenset({"created", "attached", "waiting", "needs_attention"})
_DAYS_SHOWN = 7
_MOST_DAYS = 92  # a quarter; the query reads every event of it
#: The filters that lead from a column's figure to its events. What is being worked on waits too.
_LINKS = {name: {"outcome": name} if name in OUTCOMES else {"state": name} for name in PARTS} | {"waiting": {"state": "pending"}}


def index(context: RequestContext) -> PageAnswer:
    wanted = chosen("from", "to", "source")
    today = context.now.astimezone(context.config.zone).date()
    to_day = _day(wanted.get("to"), today)
    from_day = _day(wanted.get("from"), to_day - timedelta(days=_DAYS_SHOWN - 1))
    if not timedelta(0) <= to_day - from_day <= timedelta(days=_MOST_DAYS):
        raise Invalid("days_out_of_range", f"Choose 1 to {_MOST_DAYS} days.", fields=["from", "to"], most=_MOST_DAYS)
    with context.engine.begin() as connection:
        rows = ledger(connection, context.config.timezone, from_day, to_day, _source(wanted))
        source_options = choices.sources(connection, context)
    total = {name: sum(row.count(name) for row in rows) for name in ("received", *PARTS)}
    return context.page(
        "ledger/ledger.html",
        items=rows,
        columns=[name for name in PARTS if total[name] or name in _ALWAYS],
        total=total,
        links=_LINKS,
        balanced=all(row.balanced for row in rows),
        chosen={"from": from_day.isoformat(), "to": to_day.isoformat(), "source": wanted.get("source", "")},
        days={"from": from_day.isoformat(), "to": to_day.isoformat()},
        source_options=source_options,
    )


def _day(text: str | None, default: date) -> date:
    try:
        return cast(date, read_day(text)) if text else default
    except ValueError as error:
        raise Invalid("day_unreadable", "A day is written as 2026-11-21.", fields=["from", "to"]) from error


def _source(wanted: Any) -> int | None:
    try:
        return cast(int, read_id(wanted["source"])) if "source" in wanted else None
    except ValueError as error:
        raise Invalid("filter", "This does not fit: source.", fields=["source"], names="source") from error
