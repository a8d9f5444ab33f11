"""Days that somebody chose on a page, as a span of time in the hub's zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from crm_core.base.errors import Invalid
from webhooks.console.shell.request_context import RequestContext


def day_span(context: RequestContext, wanted: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """The one `day` (2026-11-21), or those `from` one `to` another, as [since, until). Invalid."""
    first, last = (wanted.get("day") or wanted.get(name) for name in ("from", "to"))
    try:
        first_day = date.fromisoformat(first) if first else None
        end = date.fromisoformat(last) + timedelta(days=1) if last else None
    except (ValueError, OverflowError) as error:
        raise Invalid("day_unreadable", "A day is written as 2026-11-21.", fields=["day"]) from error
    since, until = (None if day is None else datetime.combine(day, time(), context.config.zone) for day in (first_day, end))
    return since, until
