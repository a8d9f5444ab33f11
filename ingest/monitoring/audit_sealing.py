"""Seals the audit, and notes the head of its chain where the database does not reach: in the log and in the home.

The file `audit_heads` has one line a day, `time position hash`: the last head of that day. Whoever empties or rewrites the
audit in the database contradicts it.
"""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from crm_core.access.audit_chain import Connection, Head, Verification, holds, seal, verify
from crm_core.base.log import get_logger

HEADS: Final = "audit_heads"
SET_ASIDE: Final = "audit_heads.set-aside"
#: A longer history than a person waits for; `leadhub audit verify` goes through all of it.
RECENT: Final = 20_000

_log = get_logger(__name__)


def seal_audit(connection: Connection, home: Path, now: datetime) -> Head | None:
    """Seals what is new and notes the head; None if nothing was new. psycopg.OperationalError, OSError (of the note)."""
    head = seal(connection)
    if head is not None:
        _log.info("audit_sealed", position=head.position, hash=head.hash.hex())
        known = noted(home)[-1:]
        if known and not holds(connection, known[0]):
            # The note stays as it is: it is the proof of what was there.
            _log.error("audit_chain_broken", position=known[0].position)
        else:
            note(home, head, now)
    return head


def verify_audit(connection: Connection, home: Path, now: datetime, last: int | None = None) -> Verification:
    """The whole chain, or its last rows, against itself and every noted head; notes the head if all of it holds."""
    found = verify(connection, noted(home), last)
    if found.broken is None and found.head is not None:
        note(home, found.head, now)
    return found


def note(home: Path, head: Head, now: datetime) -> None:
    """Puts the head into the day's line, unless a later one stands there already."""
    path = home / HEADS
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = file.read().splitlines()
        known = _read(lines[-1]) if lines else None
        if known is not None and known.position >= head.position:
            return
        at = now.astimezone(UTC)
        if lines and lines[-1].startswith(f"{at:%Y-%m-%d}T"):
            lines.pop()
        lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ} {head.position} {head.hash.hex()}")
        file.seek(0)
        file.write("\n".join(lines) + "\n")
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def set_back(home: Path, position: int) -> int:
    """After a restore: heads beyond the restored chain no longer tell of tampering. They move into a file of their own, where
    they still prove what was there; returns how many."""
    path = home / HEADS
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return 0
    beyond = [line for line in lines if (head := _read(line)) is not None and head.position > position]
    if beyond:
        _append(home / SET_ASIDE, beyond)
        half = home / f".{HEADS}.partial"
        half.unlink(missing_ok=True)
        _append(half, [line for line in lines if line not in beyond])
        half.rename(path)
    return len(beyond)


def _append(path: Path, lines: list[str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())


def noted(home: Path) -> list[Head]:
    """The noted heads, oldest first. Lines that cannot be read are left out: half of one after a power cut."""
    try:
        lines = (home / HEADS).read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [head for line in lines if (head := _read(line)) is not None]


def _read(line: str) -> Head | None:
    try:
        _, position, digest = line.split(" ")
        return Head(int(position), bytes.fromhex(digest))
    except ValueError:
        return None
