"""The list of erasures, kept in the home beside the database, so that a restore of an earlier day can repeat them.

It names nobody: uids of events, and digests of identifiers under the hub's key. A line is on the disk before its erasure
is committed; one that cannot be written stops the erasure, because it could not be repeated (docs/adr/0007).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from sqlalchemy import Connection, text

from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict
from crm_core.erasure.commands import digest_of_identifier

FILE = "erasures.log"
_PURPOSE = b"fingerprint of the hub's key"


@dataclass(frozen=True, slots=True)
class ErasureLine:
    """One line of the list. Several lines of one erasure share its `id`."""

    id: str  # stands in the audit too: an erasure that the database knows is not repeated
    at: str  # RFC 3339
    key: str  # fingerprint of the hub's key, under which the digests were made
    events: tuple[str, ...]  # uids
    identifiers: tuple[str, ...]  # digests in hexadecimal, of those that belonged to the person alone
    calls: bool = False  # the identifiers name calls of nobody; no contact is meant


def fingerprint(secret_key: str) -> str:
    """Tells one key from another and nothing about either: a key has far more than the bits that can be tried."""
    return hashlib.sha256(_PURPOSE + secret_key.encode()).hexdigest()[:16]


def note(
    connection: Connection, config: HubConfig, erasure_id: str, event_ids: Sequence[int],
    identifiers: Iterable[tuple[str, str]], *, calls: bool = False,
) -> None:  # fmt: skip
    """Writes a line, within the transaction that erases and as its last step. Of the events those count that were emptied.
    Conflict if the disk does not take it."""
    uids = connection.scalars(
        text("SELECT uid FROM inbound_event WHERE id = ANY(:ids) AND erased_at IS NOT NULL ORDER BY id"),
        {"ids": list(event_ids)},
    ).all()
    digests = sorted(digest_of_identifier(config.secret_key, kind, value).hex() for kind, value in identifiers)
    if not uids and not digests:
        return
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    line = ErasureLine(erasure_id, at, fingerprint(config.secret_key), tuple(map(str, uids)), tuple(digests), calls)
    try:
        append(config.home / FILE, [line])
    except OSError as error:
        raise Conflict(
            "erasure_not_noted",
            f"The list of erasures in {config.home} cannot be written ({error.strerror}), and without it a restored backup "
            "would bring the person back. Nothing was erased; make room and repeat.",
        ) from error


def append(path: Path, lines: Iterable[ErasureLine]) -> None:
    """Durable when it returns; makes no file for nothing. A line that broke off earlier does not spoil the next: each begins on a new one."""
    data = b"".join(b"\n" + orjson.dumps(asdict(line)) + b"\n" for line in lines)
    if not data:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> list[ErasureLine]:
    """All whole lines, in their order; none if there is no such file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for raw in content.splitlines():
        try:
            row = orjson.loads(raw)
            found.append(
                ErasureLine(
                    row["id"], row["at"], row["key"], tuple(row["events"]), tuple(row["identifiers"]), bool(row.get("calls"))
                )
            )
        except (orjson.JSONDecodeError, KeyError, TypeError):
            continue  # empty, or broken off when the machine went away: then the erasure was not committed either
    return found


def merged(*lists: Iterable[ErasureLine]) -> list[ErasureLine]:
    """Each line once, the oldest first."""
    return sorted({line for lines in lists for line in lines}, key=lambda line: (line.at, line.id, line.events))
