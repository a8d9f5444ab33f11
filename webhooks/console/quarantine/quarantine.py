"""What was set aside as spam: to look through, to release, to confirm; and what somebody should look at about a source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, cast

from flask import request

from crm_core.base.errors import Invalid
from ingest.alerts.alerts import open_counts
from ingest.quarantine import quarantine
from ingest.quarantine.alerts import AlertView, open_alerts, resolve_alert
from ingest.quarantine.quarantine import MOST_EVENTS, SHELVES, Pick
from webhooks.api.parameters import read_id
from webhooks.console.shell import choices, clock
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen
from webhooks.waking import wake_all


def index(context: RequestContext) -> PageAnswer:
    wanted = chosen("shelf", "source")
    shelf = wanted.get("shelf", "review")
    source_id = _number(wanted["source"]) if "source" in wanted else None
    with context.engine.begin() as connection:
        page = quarantine.list_quarantine(connection, context.config, context.now, shelf, source_id, after=context.after())
        counts = quarantine.count_quarantine(connection, context.now, source_id=source_id)
        source_options = choices.sources(connection, context)
    tabs = choices.tabs(context, "quarantine", "shelf", SHELVES, "shelf", wanted)[1:]
    return context.page(
        "quarantine/quarantine.html",
        items=page.items,
        reason_words=partial(reason_words, context),
        tabs=[
            tab | {"here": name == shelf}
            for tab, name in zip(choices.counted(context, tabs, SHELVES, counts, MOST_EVENTS), SHELVES, strict=True)
        ],
        more=context.more(page.next),
        first=choices.first_page(wanted),
        chosen=wanted,
        shelf=shelf,
        source_options=source_options,
        can_judge=context.may("quarantine.judge"),
        can_see_events=context.may("events.read"),
    )


def release(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        alert = request.form.get("alert", "")
        pick = quarantine.of_alert(connection, _number(alert)) if alert else _picked()
        released = quarantine.release(connection, context.principal, pick, context.now)
    if released:
        wake_all(context.config)
    return _back(context, "released" if released else "nothing_to_release")


def confirm(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        quarantine.confirm(connection, context.principal, _picked(), context.now)
    return _back(context, "confirmed_spam")


def accept_consent(context: RequestContext, event_id: str) -> PageAnswer:
    with context.engine.begin() as connection:
        quarantine.accept_consent(connection, context.principal, [event_id], context.now)
    wake_all(context.config)
    return context.go("event", "consent_accepted", event_id=event_id)


def resolve(context: RequestContext, alert_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        resolve_alert(connection, context.principal, alert_id)
    return context.go("queues", "alert_resolved")


def shown_alerts(context: RequestContext) -> tuple[list[AlertView], int]:
    """The open alerts, for those who may see them, and how many more there are."""
    if not context.may("alerts.read"):
        return [], 0
    with context.engine.begin() as connection:
        total = sum(one.count for one in open_counts(connection))
        alerts = open_alerts(connection)
    return alerts, max(0, total - len(alerts))


def reason_words(context: RequestContext, reason: Mapping[str, Any]) -> str:
    """One sign of spam in words, with its points: "A hidden field was filled in (_gotcha): +4"."""
    said = context.language.code("spam", reason["code"])
    detail = f" ({reason['detail']})" if reason.get("detail") else ""
    points = int(reason.get("points", 0))
    return f"{said}{detail}" + (f": {points:+d}" if points else "")


def alert_words(context: RequestContext, alert: AlertView) -> str:
    facts = dict(alert.data)
    until = facts.get("until")
    if until:
        facts["until"] = clock.exact(datetime.fromisoformat(until), context.config.zone, context.language)
    return context.language.code("alert", alert.code, **{"subject": alert.subject, **facts})


def _picked() -> Pick:
    return Pick(tuple(value for value in request.form.getlist("event") if value.isalnum())[:1000])


def _back(context: RequestContext, done: str) -> PageAnswer:
    """To where the button was."""
    if request.form.get("alert"):
        return context.go("queues", done)
    if request.form.get("at") == "event":
        return context.go("event", done, event_id=request.form.get("event", ""))
    kept = {name: value for name in ("shelf", "source") if (value := request.form.get(name, "")[:40])}
    return context.go("quarantine", done, **kept)


def _number(text: str) -> int:
    try:
        return cast(int, read_id(text))
    except ValueError as error:
        raise Invalid("filter", "This does not fit: source.", fields=["source"], names="source") from error
