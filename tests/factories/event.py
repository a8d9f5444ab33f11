"""An event of the journal, as it stands after whatever became of it."""

from __future__ import annotations

from typing import Any

from factories.rows import AnyConnection, insert


def make_event(connection: AnyConnection, source_id: int, body: bytes = b"name=Test", **values: Any) -> int:
    """Waiting, unless `state` says otherwise."""
    return insert(connection, "inbound_event", **{"source_id": source_id, "channel": "form", "body": body} | values)
