"""Events of a call that do not name the caller: he is whom the earlier events of the call named.

Read before the locks, because his number is one of them. Whoever is named meanwhile is noticed under the locks
(`unheard`), and the event is taken once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from crm_core.batch.rows import Cursor
from crm_core.batch.steps import EventItem, person_of
from crm_core.parsed import CallEvent


def with_callers(cursor: Cursor, steps: Sequence[EventItem]) -> list[EventItem]:
    """The same steps, those of nameless call events with the person that their call is known by so far."""
    nameless = sorted(
        {
            (step.item.source_id, step.parsed_item.call_key)
            for step in steps
            if isinstance(step.parsed_item, CallEvent) and not step.parsed_item.remote
        }
    )
    if not nameless:
        return list(steps)
    cursor.execute(
        "SELECT source_id, call_key, coalesce(facts->'final_remotes'->>0, facts->'remotes'->>0, '') AS remote FROM call"
        " JOIN unnest(%s::bigint[], %s::text[]) AS k(s, k) ON source_id = k.s AND call_key = k.k",
        ([source_id for source_id, _ in nameless], [call_key for _, call_key in nameless]),
    )
    told: dict[tuple[int, str], str] = {
        (row["source_id"], row["call_key"]): row["remote"] for row in cursor.fetchall() if row["remote"]
    }
    return [_named(step, step.parsed_item, told) if isinstance(step.parsed_item, CallEvent) else step for step in steps]


def _named(step: EventItem, event: CallEvent, told: dict[tuple[int, str], str]) -> EventItem:
    key = (step.item.source_id, event.call_key)
    if event.remote:
        told.setdefault(key, event.remote)
        return step
    return replace(step, person=person_of(replace(event, remote=told[key]), step.item)) if key in told else step


def unheard(step: EventItem, event: CallEvent, view: Any) -> bool:
    """True if the call is known by a number that this event was not read with: another worker learned it just now."""
    if step.person.keys or event.remote or not view.remote:
        return False
    return bool(person_of(replace(event, remote=view.remote), step.item).keys)
