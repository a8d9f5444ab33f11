"""Which mails there are: a to-do row for each UID, written in one transaction with the cursor, before any is fetched.

The cursor says only "up to here everything stands in mail_ref". A mail that cannot be fetched therefore never holds it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from ingest.mailbox.failpoint import reach
from ingest.mailbox.failures import IMAP_ERRORS, BadAnswer, explain
from ingest.mailbox.folders import Connection, Folder, hold
from ingest.mailbox.session import Examined, Session

#: Clocks of mail servers are a little off; mail this much older than the set-up still counts as new after a resync.
_CLOCK_SLACK = timedelta(minutes=10)


class TooManyResyncs(Exception):
    """The server changes the folder's UIDVALIDITY all day: importing on would fill the journal with repeats."""


@dataclass(frozen=True, slots=True)
class ListedMail:
    """What the server says about one mail before its body is fetched."""

    uid: int
    size: int | None = None
    internaldate: datetime | None = None


def position(connection: Connection, session: Session, folder: Folder, seen: Examined) -> tuple[Folder, int]:
    """The folder with a cursor that is valid for what the server shows, and how many rows a resync wrote."""
    if folder.uidvalidity is None:
        return _baseline(connection, session, folder, seen)
    if folder.uidvalidity != seen.uidvalidity:
        return _resync(connection, session, folder, seen)
    return folder, 0


def list_new(connection: Connection, session: Session, folder: Folder, seen: Examined) -> int:
    """Everything above the cursor, window by window. Returns how many rows were written."""
    written = 0
    metadata = _Metadata(session, seen.uidvalidity)
    for high, uids in session.search_windows(folder.last_uid + 1, session.highest_uid(seen)):
        found = metadata.describe(uids)
        with connection.transaction():
            hold(connection, folder)
            written += _insert(connection, folder, found)
            connection.execute("UPDATE mailbox_folder SET last_uid = greatest(last_uid, %s) WHERE id = %s", (high, folder.id))
            reach("mailbox.in_refs")
        reach("mailbox.after_refs")
    return written


def sweep(connection: Connection, session: Session, folder: Folder, seen: Examined) -> int:
    """The proof: every mail of the last days must stand in mail_ref. Returns how many did not; that must be none."""
    since = (folder.now - timedelta(days=session.limits.sweep_days)).date()
    last_uid = _one(connection, "SELECT last_uid FROM mailbox_folder WHERE id = %s", folder.id)
    missed = 0
    metadata = _Metadata(session, seen.uidvalidity)
    for _, uids in session.search_windows(folder.start_uid + 1, last_uid, since):
        known = {
            row[0]
            for row in connection.execute(
                "SELECT uid FROM mail_ref WHERE folder_id = %s AND uidvalidity = %s AND uid = ANY(%s)",
                (folder.id, folder.uidvalidity, uids),
            )
        }
        found = metadata.describe([uid for uid in uids if uid not in known])
        with connection.transaction():
            hold(connection, folder)
            count = _insert(connection, folder, found)
            connection.execute("UPDATE mailbox_folder SET missed = missed + %s WHERE id = %s", (count, folder.id))
        missed += count
        reach("mailbox.in_sweep")
    connection.execute(
        "UPDATE mailbox_folder SET next_sweep_at = now() + make_interval(secs => %s) WHERE id = %s",
        (session.limits.sweep_seconds, folder.id),
    )
    return missed


class _Metadata:
    """Size and date of mails under one UIDVALIDITY. What cannot be had of one mail costs its neighbours nothing."""

    def __init__(self, session: Session, uidvalidity: int) -> None:
        self._session = session
        self._uidvalidity = uidvalidity
        self._failures = 0

    def describe(self, uids: Sequence[int]) -> list[ListedMail]:
        """A UID for which no row comes, or one that cannot be read, is listed all the same."""
        found: list[ListedMail] = []
        step = self._session.limits.metadata_mails
        for at in range(0, len(uids), step):
            part = uids[at : at + step]
            rows = self._rows(part)
            for uid in part:
                row = rows.get(uid, {})
                size, when = row.get(b"RFC822.SIZE"), row.get(b"INTERNALDATE")
                found.append(ListedMail(uid, size if isinstance(size, int) else None, aware(when)))
        return found

    def _rows(self, uids: Sequence[int]) -> dict[int, dict[bytes, Any]]:
        """By UID. A mail of which the server cannot tell, or whose row cannot be read, spoils the answer of all: they are asked
        for by halves until it stands alone; of that one the size is enough, and nothing is needed."""
        rows = self._ask(uids, "RFC822.SIZE", "INTERNALDATE")
        if rows is None and len(uids) > 1:
            half = len(uids) // 2
            return self._rows(uids[:half]) | self._rows(uids[half:])
        if rows is None:
            rows = self._ask(uids, "RFC822.SIZE")
        return rows or {}

    def _ask(self, uids: Sequence[int], *items: str) -> dict[int, dict[bytes, Any]] | None:
        """None if it failed and the mails may be why; raises if the mailbox is."""
        try:
            return self._session.fetch(uids, ("UID", *items))
        except IMAP_ERRORS as error:
            self._failures += 1
            if self._failures > self._session.limits.metadata_failures or explain(error, self._session.settings).pauses:
                raise
            if not isinstance(error, BadAnswer):  # after anything else the connection is worth nothing
                self._session.reopen(self._uidvalidity)
            return None


def aware(when: Any) -> datetime | None:
    if not isinstance(when, datetime):
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)


def _baseline(connection: Connection, session: Session, folder: Folder, seen: Examined) -> tuple[Folder, int]:
    """First contact: where the import begins is written down before anything else happens."""
    top = session.highest_uid(seen)
    settings = session.settings
    start_uid, last_uid = top, top
    start_at: datetime | None = folder.now
    found: list[ListedMail] = []
    if settings.start == "all":
        start_uid, last_uid, start_at = 0, 0, None
    elif settings.start_date is not None:
        start_at = datetime.combine(settings.start_date, time(), UTC)
        found = _list_since(session, seen, top, settings.start_date)
    placed = replace(folder, uidvalidity=seen.uidvalidity, last_uid=last_uid, start_uid=start_uid, start_at=start_at)
    with connection.transaction():
        hold(connection, folder)
        written = _insert(connection, placed, found)
        _place(connection, placed)
    reach("mailbox.after_baseline")
    return placed, written


def _resync(connection: Connection, session: Session, folder: Folder, seen: Examined) -> tuple[Folder, int]:
    """The UIDs mean other mails now. Recent mail is listed again under the new validity; its dedup key absorbs doubles.

    Nothing imported is ever deleted. Rows still waiting under the old validity cannot be fetched any more: the listing
    reaches back far enough to hold all of them again.
    """
    day_ago = (folder.now - timedelta(days=1)).isoformat()
    recent = [at for at in folder.resyncs if str(at) > day_ago]
    if len(recent) >= session.limits.resyncs_a_day:
        raise TooManyResyncs
    top = session.highest_uid(seen)
    since = _reach_back(connection, folder, session.limits.sweep_days)
    earliest = folder.start_at - _CLOCK_SLACK if folder.start_at else None
    found = [
        one for one in _list_since(session, seen, top, since)
        if earliest is None or one.internaldate is None or one.internaldate >= earliest
    ]  # fmt: skip
    placed = replace(
        folder, uidvalidity=seen.uidvalidity, last_uid=top, start_uid=top, epoch=folder.epoch + 1,
        resyncs=[*recent, folder.now.isoformat()],
    )  # fmt: skip
    reach("mailbox.in_resync")
    with connection.transaction():
        hold(connection, folder)
        connection.execute(
            """UPDATE mail_ref SET status = 'gone', error = '{"code": "uidvalidity_changed"}'
            WHERE folder_id = %s AND uidvalidity = %s AND status = 'seen'""",
            (folder.id, folder.uidvalidity),
        )
        written = _insert(connection, placed, found)
        _place(connection, placed)
    reach("mailbox.after_resync")
    return placed, written


def _reach_back(connection: Connection, folder: Folder, days: int) -> date | None:
    """The day from which the folder is listed again; None: from the beginning."""
    row = connection.execute(
        """SELECT count(*), bool_or(internaldate IS NULL), min(internaldate) FROM mail_ref
        WHERE folder_id = %s AND uidvalidity = %s AND status = 'seen'""",
        (folder.id, folder.uidvalidity),
    ).fetchone()
    assert row is not None
    waiting, undated, oldest = row
    if folder.last_ok_at is None or undated:
        return None
    days_back = timedelta(days=days)
    return (min(folder.last_ok_at - days_back, oldest - timedelta(days=1)) if waiting else folder.last_ok_at - days_back).date()


def _list_since(session: Session, seen: Examined, top: int, since: date | None) -> list[ListedMail]:
    metadata = _Metadata(session, seen.uidvalidity)
    return [one for _, uids in session.search_windows(1, top, since) for one in metadata.describe(uids)]


def _place(connection: Connection, folder: Folder) -> None:
    connection.execute(
        """UPDATE mailbox_folder SET uidvalidity = %s, last_uid = %s, start_uid = %s, start_at = %s, epoch = %s,
        resyncs = %s WHERE id = %s""",
        (
            folder.uidvalidity,
            folder.last_uid,
            folder.start_uid,
            folder.start_at,
            folder.epoch,
            Jsonb(folder.resyncs),
            folder.id,
        ),
    )


def _insert(connection: Connection, folder: Folder, found: Iterable[ListedMail]) -> int:
    rows = list(found)
    if not rows:
        return 0
    done = connection.execute(
        """INSERT INTO mail_ref (folder_id, uidvalidity, uid, size, internaldate)
        SELECT %s, %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[])
        ON CONFLICT (folder_id, uidvalidity, uid) DO NOTHING""",
        (
            folder.id,
            folder.uidvalidity,
            [one.uid for one in rows],
            [one.size for one in rows],
            [one.internaldate for one in rows],
        ),
    )
    return done.rowcount


def _one(connection: Connection, query: str, *values: Any) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    return int(row[0])
