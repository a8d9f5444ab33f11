"""Which events of a source would be understood otherwise today than the hub has them: what a replay after a fix is for.

Asked again after the replay it finds none, so that a second click sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.intake import ParsedEvent
from crm_core.parsed import Inquiry
from ingest.journal.raw_event import safe_json
from ingest.processing.process import Processor
from ingest.processing.replay import event_rows, portions, read_rows

#: How far back it is looked, and how many events one order takes: bodies are read again, some thousands a second.
MOST_EVENTS = 2_000
#: What of an inquiry is compared with the touch that it left.
PARTS = ("name", "phones", "emails", "company", "message", "form", "fields")

_IDS = """
SELECT id FROM inbound_event
 WHERE source_id = %s AND state IN ('needs_attention', 'rejected', 'done')
   AND outcome IS DISTINCT FROM 'dismissed' AND outcome IS DISTINCT FROM 'spam' AND erased_at IS NULL
   -- These wait for a person's word, not for a better reading.
   AND coalesce(error->>'code', '') NOT IN ('unclaimed', 'consent_unknown', 'consent_declined')
   AND (%s::text IS NULL OR uid = %s)
 ORDER BY id DESC LIMIT %s
"""
_TOUCHES = """
SELECT event_id, seq, text AS message, data->'name' AS name, data->'phones' AS phones, data->'emails' AS emails,
       data->'company' AS company, data->'fields' AS fields, data->'form' AS form
  FROM touch WHERE event_id = ANY(%s) AND kind = 'form' ORDER BY event_id, seq
"""


@dataclass(frozen=True, slots=True)
class Affected:
    uid: str
    was: str  # its outcome, or the state of an event without one
    differs: tuple[str, ...]  # parts of the inquiry that would be different; empty where there was none


def affected(engine: Engine, config: HubConfig, source_id: int, most: int = MOST_EVENTS) -> list[str]:
    """Their uids, oldest first. What a person dismissed and what is set aside as spam is left as it is. NotFound."""
    return [one.uid for one in affected_events(engine, config, source_id, most)]


def affected_events(
    engine: Engine, config: HubConfig, source_id: int, most: int = MOST_EVENTS, uid: str | None = None
) -> list[Affected]:
    """The same with what would be different of each; with `uid` only of that event."""
    del engine  # this path is psycopg's own
    found: list[Affected] = []
    with closing(Processor(config)) as processor:
        source = processor.source(source_id)
        connection = processor.connection()
        ids = sorted(row["id"] for row in connection.execute(_IDS, (source_id, uid, uid, most)).fetchall())
        for part in portions(processor, ids):
            rows = event_rows(processor, part)
            stored: dict[int, list[dict[str, Any]]] = {}
            for touch in connection.execute(_TOUCHES, (part,)).fetchall():
                stored.setdefault(touch["event_id"], []).append(touch)
            results = read_rows(rows, lambda _: source, processor.our_addresses())
            for row, result in zip(rows, results, strict=True):
                differs = _differs(row, result, stored.get(row["id"], []))
                if differs is not None:
                    found.append(Affected(row["uid"], row["outcome"] or row["state"], differs))
    return found


def _differs(row: Mapping[str, Any], result: Any, touches: Sequence[Mapping[str, Any]]) -> tuple[str, ...] | None:
    """None: nothing does, or nothing would be better for being sent through again."""
    if not isinstance(result, ParsedEvent):
        return None
    if row["state"] != "done":
        return ()
    inquiries = [one for one in result.parsed_items if isinstance(one, Inquiry) and not one.is_test]
    if len(touches) < len(inquiries):
        return ()
    # A replay takes nothing away: what was once read besides these stays, and is no difference.
    pairs = [(touch, _of_inquiry(one)) for touch, one in zip(touches, inquiries, strict=False)]
    return tuple(part for part in PARTS if any(touch[part] != one[part] for touch, one in pairs)) or None


def _of_inquiry(inquiry: Inquiry) -> Any:
    """As it stands in the table, through JSON and back."""
    parts = {
        "name": inquiry.name, "phones": list(inquiry.phones), "emails": list(inquiry.emails),
        "company": inquiry.company, "message": inquiry.message,
        "form": {"id": inquiry.form_id, "name": inquiry.form_name}, "fields": dict(inquiry.fields),
    }  # fmt: skip
    return orjson.loads(safe_json(parts))
