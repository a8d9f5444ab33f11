"""Advisory locks by name: whoever decides about the same phone, call or mail does it one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from crm_core.base.copying import numbers
from crm_core.batch.rows import Cursor


def lock_number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def lock_names(cursor: Cursor, names: Iterable[str]) -> None:
    """Takes all of them until the transaction ends, in the one order that everybody takes them in."""
    wanted = sorted({lock_number(name) for name in names})
    if wanted:
        cursor.execute("SELECT pg_advisory_xact_lock(k) FROM unnest(%s::bigint[]) AS k", (numbers(wanted),))
