"""`leadhub deadline …`: how soon inquiries are to be answered, and how soon they were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

_Command = TypeVar("_Command", bound=Callable[..., Any])

_MINUTES = {
    "warn": "Minutes after which the owner is warned.", "breach": "Minutes after which it is late.",
    "escalate": "Minutes after which the head is told.", "reassign": "Minutes for which an owner keeps a late lead.",
}  # fmt: skip


def _minutes(name: str, *, required: bool = False) -> Callable[[_Command], _Command]:
    return click.option(f"--{name}", f"{name}_minutes", type=float, help=_MINUTES[name], required=required)


@click.group()
def deadline() -> None:
    """How soon inquiries are to be answered, and how soon they were."""


@deadline.command(name="add")
@_minutes("breach", required=True)
@_minutes("warn")
@_minutes("escalate")
@_minutes("reassign")
@click.option("--hops", "max_hops", type=int, default=3, show_default=True, help="How often a lead is taken from somebody.")
@click.option("--source", "source_id", type=int, help="Of which source; of all by default.")
@click.option("--pool", "pool_id", type=int, help="Of which pool; of all by default.")
@click.option("--head", "head_id", type=int, help="Who decides in the end, an owner; the heads of sales by default.")
@answers
def add_deadline(as_json: bool, **values: Any) -> None:
    """Say how soon, from the next inquiry on. Minutes are of working time."""
    from crm_core.deadlines import commands

    with hub() as (_, engine), engine.begin() as connection:
        policy_id = commands.add_policy(connection, operator(), **values)
    tell({"id": str(policy_id)}, as_json=as_json, words=f"Deadline {policy_id} counts from now on.")


@deadline.command(name="change")
@click.argument("policy_id", metavar="ID", type=int)
@_minutes("breach")
@_minutes("warn")
@_minutes("escalate")
@_minutes("reassign")
@click.option("--hops", "max_hops", type=int, help="How often a lead is taken from somebody.")
@click.option("--head", "head_id", type=int, help="Who decides in the end, an owner.")
@click.option("--without", multiple=True, type=click.Choice(["warn", "escalate", "reassign", "head"]), help="Leave a step out.")
@answers
def change_deadline(policy_id: int, without: tuple[str, ...], as_json: bool, **values: Any) -> None:
    """Change a deadline. What is late already stays late."""
    from crm_core.deadlines import commands

    changes = {name: value for name, value in values.items() if value is not None}
    changes |= {"head_id" if name == "head" else f"{name}_minutes": None for name in without}
    with hub() as (_, engine), engine.begin() as connection:
        commands.change_policy(connection, operator(), policy_id, changes)
    tell({"id": str(policy_id)}, as_json=as_json, words=f"Deadline {policy_id} is changed.")


@deadline.command(name="remove")
@click.argument("policy_id", metavar="ID", type=int)
@answers
def remove_deadline(policy_id: int, as_json: bool) -> None:
    """Take a deadline away."""
    from crm_core.deadlines import commands

    with hub() as (_, engine), engine.begin() as connection:
        commands.remove_policy(connection, operator(), policy_id, datetime.now(UTC))
    tell({"id": str(policy_id)}, as_json=as_json, words=f"Deadline {policy_id} is removed.")


@deadline.command(name="list")
@answers
def list_deadlines(as_json: bool) -> None:
    """Show what counts."""
    from crm_core.deadlines.queries import list_policies
    from webhooks.api.deadlines import DeadlinePage
    from webhooks.api.shape import plain_json

    with hub() as (_, engine), engine.connect() as connection:
        found = plain_json(DeadlinePage, {"items": list_policies(connection), "next": None})
    rows = [
        one | {"source": (one["source"] or {}).get("name", "any"), "pool": (one["pool"] or {}).get("name", "any"),
               "head": (one["head"] or {}).get("name", "heads of sales")}
        for one in found["items"]
    ]  # fmt: skip
    columns = {
        "id": "ID", "source": "SOURCE", "pool": "POOL", "warn_minutes": "WARN", "breach_minutes": "LATE",
        "escalate_minutes": "HEAD TOLD", "reassign_minutes": "TAKEN", "max_hops": "TIMES", "head": "HEAD",
    }  # fmt: skip
    tell(found, as_json=as_json, words=table(rows, columns, "There are no deadlines yet: leadhub deadline add --breach MINUTES"))


@deadline.command(name="report")
@click.option("--by", type=click.Choice(["source", "owner", "hour"]), default="source", show_default=True)
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True, help="How far back.")
@answers
def report(by: Any, days: int, as_json: bool) -> None:
    """Show how soon inquiries were answered."""
    from crm_core.deadlines.queries import response_times
    from webhooks.api.deadlines import ResponseTimesPage
    from webhooks.api.shape import plain_json

    with hub() as (config, engine), engine.connect() as connection:
        since = datetime.now(UTC) - timedelta(days=days)
        items = response_times(connection, operator(), by, since, None, config.timezone)
    found = plain_json(ResponseTimesPage, {"items": items, "next": None})
    rows = [one | {"what": one[by]["name"] if isinstance(one[by], dict) else one[by]} for one in found["items"]]
    columns = {
        "what": by.upper(), "inquiries": "INQUIRIES", "answered": "ANSWERED", "waiting": "WAITING", "unanswered": "CLOSED UNANSWERED",
        "late": "LATE", "median_seconds": "MEDIAN S", "p90_seconds": "P90 S",
    }  # fmt: skip
    tell(found, as_json=as_json, words=table(rows, columns, "Nobody has waited yet."))
