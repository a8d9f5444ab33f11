"""Contents that no row names any more: what a crash, a replay or an erased person's repetition left on the disk.

Refuses to touch what is young: its row may be on its way. One folder of 256 a turn, so that a turn is short.
"""

from __future__ import annotations

import re
import time

import psycopg

from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from ingest.files.store import forget

FOLDERS = 256
_REST = re.compile(r"[0-9a-f]{62}")  # of a hash; its first two digits are the folder's
YOUNG_SECONDS = 3600.0  # far longer than a worker has between the disk and the row


def tidy(config: HubConfig, folder: int) -> int:
    """Deletes what nobody names in the folder with that number; returns how many files. OperationalError, OSError."""
    place = config.home / "files" / f"{folder:02x}"
    if not place.is_dir():
        return 0
    old = time.time() - YOUNG_SECONDS
    names = [path.name for path in place.iterdir() if path.stat().st_mtime < old]
    halves = [name for name in names if name.startswith(".part-")]
    for name in halves:
        (place / name).unlink(missing_ok=True)
    hashes = [place.name + name for name in names if _REST.fullmatch(name)]
    if not hashes:
        return len(halves)
    with connect(config.database_url, "worker") as connection:
        return len(halves) + sum(forget(connection, config.home, sha256) for sha256 in _unnamed(connection, hashes))


def _unnamed(connection: psycopg.Connection[tuple[object, ...]], hashes: list[str]) -> list[str]:
    rows = connection.execute(
        "SELECT h FROM unnest(%s::text[]) h WHERE NOT EXISTS (SELECT 1 FROM attachment a WHERE a.sha256 = h)", (hashes,)
    ).fetchall()
    return [str(row[0]) for row in rows]
