"""The row of a folder: who polls it (a lease by the database's clock), where it stands, when it is due again.

Every writing transaction begins with `hold`. A poller whose lease was taken over can then write nothing any more.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from ingest.mailbox.failures import Failure

Connection = psycopg.Connection[Any]


class LeaseLost(Exception):
    """Somebody else polls this folder now. Everything committed stays good; this poll just ends."""


@dataclass(frozen=True, slots=True)
class Folder:
    id: int
    source_id: int
    name: str
    state: str
    uidvalidity: int | None
    last_uid: int
    start_uid: int
    start_at: datetime | None
    epoch: int
    resyncs: list[Any]
    fails: int
    last_ok_at: datetime | None
    last_error: dict[str, Any] | None
    sweep_due: bool
    now: datetime  # the database's clock at the time of the lease
    token: str
    lease_seconds: float


_COLUMNS = """id, source_id, name, state, uidvalidity, last_uid, start_uid, start_at, epoch, resyncs, fails, last_ok_at,
last_error, now() AS now, lease_token AS token, %(lease)s::float8 AS lease_seconds,
(next_sweep_at <= now() OR (fails > 0 AND last_ok_at < now() - interval '10 minutes')) AS sweep_due"""


def acquire(connection: Connection, source_id: int, name: str, owner: str, lease_seconds: float) -> Folder | None:
    """The folder, leased to us, or None while it is not due or somebody else has it. Makes the row at first use."""
    connection.execute(
        "INSERT INTO mailbox_folder (source_id, name) VALUES (%s, %s) ON CONFLICT (source_id, name) DO NOTHING",
        (source_id, name),
    )
    with connection.cursor(row_factory=class_row(Folder)) as cursor:
        return cursor.execute(
            f"""UPDATE mailbox_folder
            SET lease_token = %(token)s, lease_until = now() + make_interval(secs => %(lease)s)
            WHERE id = (SELECT id FROM mailbox_folder
                        WHERE source_id = %(source)s AND name = %(name)s AND next_poll_at <= now()
                          AND (lease_until IS NULL OR lease_until < now())
                        FOR UPDATE SKIP LOCKED)
            RETURNING {_COLUMNS}""",
            {
                "token": f"{owner}/{uuid.uuid4().hex}",
                "lease": lease_seconds,
                "source": source_id,
                "name": name,
            },
        ).fetchone()


def hold(connection: Connection, folder: Folder) -> None:
    """Renews the lease within the caller's transaction and keeps the row locked until its end, or raises LeaseLost."""
    found = connection.execute(
        "UPDATE mailbox_folder SET lease_until = now() + make_interval(secs => %s) WHERE id = %s AND lease_token = %s",
        (folder.lease_seconds, folder.id, folder.token),
    )
    if found.rowcount != 1:
        raise LeaseLost


def release(connection: Connection, owner: str) -> None:
    """Gives back every lease of this owner, at the end of a process whose threads may still wait for a server."""
    connection.execute(
        "UPDATE mailbox_folder SET lease_token = NULL, lease_until = NULL WHERE starts_with(lease_token, %s)",
        (owner + "/",),
    )


def finish(connection: Connection, folder: Folder, pause_seconds: float) -> None:
    """The poll went well: live, no failures, due again after the pause."""
    connection.execute(
        """UPDATE mailbox_folder SET state = 'live', fails = 0, last_error = NULL, last_ok_at = now(),
        next_poll_at = now() + make_interval(secs => %s), lease_token = NULL, lease_until = NULL
        WHERE id = %s AND lease_token = %s""",
        (pause_seconds, folder.id, folder.token),
    )


def fail(connection: Connection, folder: Folder, state: str, failure: Failure, pause_seconds: float) -> None:
    """The poll did not come to its end: what it committed stays, the folder waits with a reason and since when."""
    connection.execute(
        """UPDATE mailbox_folder SET state = %s, fails = fails + 1,
        last_error = %s || jsonb_build_object('since', coalesce(last_error->'since', to_jsonb(now()))),
        next_poll_at = now() + make_interval(secs => %s), lease_token = NULL, lease_until = NULL
        WHERE id = %s AND lease_token = %s""",
        (state, Jsonb(failure.as_json()), pause_seconds, folder.id, folder.token),
    )


def make_due(connection: Connection, source_id: int) -> None:
    """A person changed its settings, resumed it or restarted the role: poll at once, whatever it was waiting for."""
    connection.execute("UPDATE mailbox_folder SET next_poll_at = now(), resyncs = '[]' WHERE source_id = %s", (source_id,))


def seconds_until_due(connection: Connection, source_id: int, name: str) -> float:
    """How long nothing needs to be done for this folder; 0 when it is due or unknown."""
    row = connection.execute(
        """SELECT extract(epoch FROM greatest(next_poll_at, lease_until) - now())::float8 FROM mailbox_folder
        WHERE source_id = %s AND name = %s""",
        (source_id, name),
    ).fetchone()
    return max(0.0, float(row[0])) if row else 0.0
