"""A source without its address: for rows that only have to belong to one. `ingest.sources` makes whole ones."""

from __future__ import annotations

from typing import Any

from factories.rows import AnyConnection, insert


def make_source(connection: AnyConnection, name: str = "Site", **values: Any) -> int:
    return insert(connection, "source", **{"name": name, "connector": "generic_form", "channel": "form"} | values)


def make_alert(connection: AnyConnection, source_id: int, code: str = "new_field", subject: str = "city", **values: Any) -> int:
    return insert(connection, "source_alert", source_id=source_id, code=code, subject=subject, **values)
