"""A merge is taken apart: the domain says what belongs to whom, and the journal's rows follow, in one transaction. Many at once
are looked at first.

Locks: the persons first, as the workers take them, then the events; one that a worker has is not waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, select, text

from crm_core.access import Principal, demand
from crm_core.base import history, reasons
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, HubError
from crm_core.batch.windows import WindowsOf, standard
from crm_core.contacts.merge_review_intake import BECAME_SHARED
from crm_core.contacts.models import Suggestion
from crm_core.merging.commands import DECIDED, Decision, decide_suggestion
from crm_core.merging.queries import MergeFilter, merge_ids
from crm_core.merging.undo import UndoView, look_at_undo, undo
from ingest.journal import transitions
from ingest.sources.settings import windows_of_sources


def undo_merge(
    connection: Connection, principal: Principal, merge_id: int, why: str, now: datetime, config: HubConfig | None = None
) -> UndoView:
    """Both contacts are as if they had never been merged. Raises as `crm_core.merging.undo.undo`, and Conflict while something
    of theirs is on its way through the workers. `config`: whose windows, and those of the sources, decide again what is a lead of its
    own; without it the standard ones."""
    demand(principal, "contacts.merge")
    done = undo(connection, principal, merge_id, why, now, _windows(connection, config))
    ids = [event.event_id for event in done.events]
    held = connection.scalars(
        text(
            "SELECT id FROM inbound_event WHERE id = ANY(:ids) AND state NOT IN ('waiting', 'working') ORDER BY id FOR UPDATE SKIP LOCKED"
        ),
        {"ids": ids},
    ).all()
    there = connection.scalar(text("SELECT count(*) FROM inbound_event WHERE id = ANY(:ids)"), {"ids": ids})
    if len(held) < (there or 0):
        raise Conflict("events_on_their_way", "Something of this person is being worked on. Try again in a moment.")
    transitions.reassign(
        connection, merge_id,
        [{"id": one.event_id, "contact_id": one.contact_id, "lead_id": one.lead_id, "outcome": one.outcome} for one in done.events],
    )  # fmt: skip
    return done.view


def look_at_merge_undo(connection: Connection, principal: Principal, merge_id: int, config: HubConfig) -> UndoView:
    """What `undo_merge` would do; changes nothing."""
    return look_at_undo(connection, principal, merge_id, windows_of_sources(connection, config))


def _windows(connection: Connection, config: HubConfig | None) -> WindowsOf:
    return standard if config is None else windows_of_sources(connection, config)


def decide_pair(
    connection: Connection, principal: Principal, suggestion_id: int, decision: Decision, now: datetime, winner_id: int | None,
    config: HubConfig,
) -> int | None:  # fmt: skip
    """`crm_core.merging.commands.decide_suggestion`; that two are different who are one by a merge takes that merge apart. Raises as
    both. Returns the merge that was made or undone, if any."""
    row = connection.execute(select(Suggestion.why, Suggestion.state).where(Suggestion.id == suggestion_id)).one_or_none()
    if decision != "different" or row is None or row.state != "open" or row.why.get("rule") != BECAME_SHARED:
        return decide_suggestion(connection, principal, suggestion_id, decision, now, winner_id)
    demand(principal, "suggestions.decide")
    merge_id = int(row.why["merge"])
    undo_merge(connection, principal, merge_id, "", now, config)  # which tells the two apart for ever
    history.record(connection, principal, DECIDED, suggestion_id, {"decision": decision, "merge": str(merge_id)})
    return merge_id


@dataclass(frozen=True, slots=True)
class OneOfMany:
    """What became, or would become, of one merge among many."""

    merge_id: int
    view: UndoView | None
    refused: str = ""  # code
    message: str = ""


def undo_merges(
    engine: Engine,
    principal: Principal,
    wanted: MergeFilter,
    why: str,
    now: datetime,
    *,
    dry_run: bool,
    config: HubConfig | None = None,
) -> Iterator[OneOfMany]:
    """Every merge that the filter names, the newest first, each in a transaction of its own: one that cannot be undone costs the
    others nothing. With `dry_run` nothing is changed. Raises Forbidden; Invalid without a reason."""
    demand(principal, "contacts.merge")
    why = why if dry_run else reasons.needed(why)
    with engine.connect() as connection:
        ids: Sequence[int] = merge_ids(connection, principal, wanted)
    for merge_id in ids:
        try:
            with engine.begin() as connection:
                view = (
                    look_at_undo(connection, principal, merge_id, _windows(connection, config))
                    if dry_run
                    else undo_merge(connection, principal, merge_id, why, now, config)
                )
            yield OneOfMany(merge_id, view)
        except HubError as error:
            yield OneOfMany(merge_id, None, error.code, error.message)
