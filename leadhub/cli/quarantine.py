"""`leadhub quarantine …` and `leadhub alerts`: what was set aside as spam, and what somebody should look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def quarantine() -> None:
    """What was set aside as spam. Nothing of it is lost: a release delivers it, once."""


@quarantine.command(name="list")
@click.option("--shelf", type=click.Choice(["review", "buried", "confirmed", "all"]), default="review", show_default=True)
@click.option("--source", "source_id", type=int, help="Only of this source.")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Only of the last days.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", help="The `next` of an earlier page.")
@answers
def list_(shelf: str, source_id: int | None, days: int, limit: int, cursor: str | None, as_json: bool) -> None:
    """Show what was set aside, newest first, with score and reasons."""
    from ingest.quarantine.quarantine import list_quarantine
    from webhooks.api.cursors import decode_cursor
    from webhooks.api.quarantine import QuarantinePage
    from webhooks.api.shape import plain_json

    with hub() as (config, engine), engine.connect() as connection:
        now = datetime.now(UTC)
        wanted = None if shelf == "all" else shelf
        page = list_quarantine(connection, config, now, wanted, source_id, days, limit, decode_cursor(cursor) if cursor else None)
    shown = plain_json(QuarantinePage, page)
    columns = {"id": "ID", "received_at": "RECEIVED", "source": "SOURCE", "score": "SCORE", "why": "WHY", "says": "SAYS"}
    nothing = "Nothing is set aside." if shelf == "all" else f"Nothing is on the shelf {shelf}; --shelf all shows every one."
    words = table([_line(row) for row in shown["items"]], columns, nothing)
    if shown["next"]:
        words += f"\nMore: --cursor {shown['next']}"
    tell(shown, as_json=as_json, words=words)


@quarantine.command()
@click.argument("event_ids", metavar="[ID]…", nargs=-1)
@click.option("--source", "source_id", type=int, help="All of this source.")
@click.option("--since", type=_MOMENT, help="Only what was received since, in the hub's time zone.")
@click.option("--until", type=_MOMENT, help="Only what was received before, in the hub's time zone.")
@click.option("--alert", "alert_id", type=int, help="All that this burst set aside.")
@answers
def release(
    event_ids: tuple[str, ...], source_id: int | None, since: datetime | None, until: datetime | None,
    alert_id: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Say that they are genuine: each becomes a lead, once. Status 1 if none of those named is there to be released."""
    from ingest.quarantine.quarantine import release as let_go

    count = _judge(let_go, event_ids, source_id, since, until, alert_id)
    tell({"events": count}, as_json=as_json, words=_done(count, "released"))


@quarantine.command()
@click.argument("event_ids", metavar="[ID]…", nargs=-1)
@click.option("--source", "source_id", type=int, help="All of this source.")
@click.option("--since", type=_MOMENT, help="Only what was received since, in the hub's time zone.")
@click.option("--until", type=_MOMENT, help="Only what was received before, in the hub's time zone.")
@click.option("--alert", "alert_id", type=int, help="All that this burst set aside.")
@answers
def confirm(
    event_ids: tuple[str, ...], source_id: int | None, since: datetime | None, until: datetime | None,
    alert_id: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Say that they are spam: they stay where they are, and nobody is asked again. Status 1 if none of those named is
    there to be confirmed."""
    from ingest.quarantine.quarantine import confirm as mark

    count = _judge(mark, event_ids, source_id, since, until, alert_id)
    tell({"events": count}, as_json=as_json, words=_done(count, "confirmed as spam"))


def _done(count: int, what: str) -> str:
    if not count:
        return f"Nothing was {what}: none of these is set aside and still to be judged."
    return f"{count} event{'s' * (count != 1)} {'was' if count == 1 else 'were'} {what}."


def _judge(
    deed: Any, event_ids: tuple[str, ...], source_id: int | None, since: datetime | None, until: datetime | None,
    alert_id: int | None,
) -> int:  # fmt: skip
    from ingest.quarantine.quarantine import Pick, of_alert

    with hub() as (config, engine), engine.begin() as connection:
        after, before = (moment.replace(tzinfo=config.zone) if moment else None for moment in (since, until))
        pick = of_alert(connection, alert_id) if alert_id else Pick(event_ids, source_id, after, before)
        count: int = deed(connection, operator(), pick, datetime.now(UTC))
    return count


def _line(row: dict[str, Any]) -> dict[str, Any]:
    seen = row["preview"] or {}
    said = " ".join(filter(None, [seen.get("name"), *seen.get("phones", ()), *seen.get("emails", ()), seen.get("message")]))
    return row | {"why": ", ".join(reason["code"] for reason in row["reasons"]), "says": " ".join(said.split())[:60]}


@click.command()
@click.option("--state", type=click.Choice(["open", "resolved", "all"]), default="open", show_default=True)
@click.option("--source", "source_id", type=int, help="Only of this source.")
@click.option("--resolve", "alert_id", type=int, metavar="ID", help="Say that somebody has seen to this one.")
@answers
def alerts(state: str, source_id: int | None, alert_id: int | None, as_json: bool) -> None:
    """Show what somebody should look at about a source, or resolve one."""
    from ingest.quarantine.alerts import list_alerts, resolve_alert
    from webhooks.api.alerts import Alert, AlertPage
    from webhooks.api.shape import plain_json

    with hub() as (_, engine), engine.begin() as connection:
        if alert_id is not None:
            alert = resolve_alert(connection, operator(), alert_id)
            tell(plain_json(Alert, alert), as_json=as_json, words=f"Alert {alert_id} is resolved.")
            return
        page = list_alerts(connection, None if state == "all" else state, source_id, 200)
    columns = {"id": "ID", "source": "SOURCE", "code": "CODE", "subject": "SUBJECT", "raised": "TIMES", "last_at": "LAST"}
    shown = plain_json(AlertPage, page)
    tell(shown, as_json=as_json, words=table(shown["items"], columns, "Nothing to look at."))
