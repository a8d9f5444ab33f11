"""The mails themselves: fetched in batches, stored raw through the one door in the same transaction as their to-do row.

A batch that fails is halved until the mail that fails stands alone; that one waits, its neighbours go on.
"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from ingest.journal.accept import RawEvent, insert_events
from ingest.mailbox.failpoint import reach
from ingest.mailbox.failures import IMAP_ERRORS, Failure, explain
from ingest.mailbox.folders import Connection, Folder, hold
from ingest.mailbox.listing import aware
from ingest.mailbox.session import Session

_BAD_SYNTAX = re.compile(r"\bBAD\b")  # how imaplib tells that status: "UID command error: BAD [b'…']"
_UNKNOWN_SIZE = 1024 * 1024  # what a mail without a size is taken for when batches are made


@dataclass(frozen=True, slots=True)
class Ref:
    id: int
    uid: int
    size: int | None
    internaldate: datetime | None
    attempts: int


@dataclass(slots=True)
class EventResult:
    """What became of the waiting rows in one poll."""

    stored: int = 0
    gone: int = 0
    oversize: int = 0
    quarantined: int = 0
    put_off: int = 0  # will be tried again


@dataclass(slots=True)
class Work:
    """What every step below needs; made by the poll."""

    connection: Connection
    session: Session
    folder: Folder
    wake: Callable[[str], None]
    stopped: Callable[[], bool]
    taken: EventResult = field(default_factory=EventResult)


def take(work: Work) -> None:
    """Everything that waits and is due, oldest UID first, until nothing is left or the role is told to stop."""
    after = 0
    while refs := _waiting(work, after):
        for batch in _batches(refs, work.session.limits.batch_mails, work.session.limits.batch_bytes):
            if work.stopped():
                return
            _take_batch(work, batch)
        after = refs[-1].uid


def _waiting(work: Work, after: int) -> list[Ref]:
    with work.connection.cursor(row_factory=class_row(Ref)) as cursor:
        return cursor.execute(
            """SELECT id, uid, size, internaldate, attempts FROM mail_ref
            WHERE folder_id = %s AND uidvalidity = %s AND status = 'seen' AND next_try_at <= now() AND uid > %s
            ORDER BY uid LIMIT 500""",
            (work.folder.id, work.folder.uidvalidity, after),
        ).fetchall()


def _batches(refs: Sequence[Ref], mails: int, size: int) -> Iterator[list[Ref]]:
    batch: list[Ref] = []
    held = 0
    for ref in refs:
        weight = _UNKNOWN_SIZE if ref.size is None else ref.size
        # A mail that has failed before goes alone, so that it does not spoil a batch again.
        if batch and (len(batch) >= mails or held + weight > size or ref.attempts or batch[0].attempts):
            yield batch
            batch, held = [], 0
        batch.append(ref)
        held += weight
    if batch:
        yield batch


def _take_batch(work: Work, batch: Sequence[Ref]) -> None:
    try:
        rows = _fetch(work.session, batch)
    except (*IMAP_ERRORS, MemoryError) as error:
        failure = explain(error, work.session.settings)
        if failure.pauses:
            work.session.drop()
            raise  # smaller batches would only ask more often
        work.session.reopen(work.folder.uidvalidity or 0)
        if len(batch) > 1:
            half = len(batch) // 2
            _take_batch(work, batch[:half])
            _take_batch(work, batch[half:])
        else:
            _put_off(work, batch[0], failure)
        return
    reach("mailbox.after_fetch")
    whole = [(ref, rows[ref.uid]) for ref in batch if rows.get(ref.uid)]
    _store(work, whole)
    lacking = [ref for ref in batch if not rows.get(ref.uid)]
    if lacking and len(batch) > 1:
        for ref in lacking:
            _take_batch(work, [ref])
    elif lacking:
        _ask_whether_there(work, lacking[0])


def _fetch(session: Session, batch: Sequence[Ref]) -> dict[int, bytes]:
    """Raw bytes by UID. One byte more than allowed is asked for, because the announced size may be too small."""
    limit = session.limits.raw_bytes
    large = [ref.uid for ref in batch if ref.size is not None and ref.size > limit]
    rows: dict[int, bytes] = {}
    for uids, most in (
        (large, session.limits.oversize_bytes),
        ([r.uid for r in batch if r.uid not in large], limit + 1),
    ):
        for uid, row in _fetch_beginnings(session, uids, most, is_large=uids is large).items():
            body = row.get(b"BODY[]<0>", row.get(b"BODY[]", row.get(b"BODY[HEADER]")))
            if isinstance(body, bytes):
                rows[uid] = body
    return rows


def _fetch_beginnings(session: Session, uids: Sequence[int], most: int, *, is_large: bool) -> dict[int, dict[bytes, Any]]:
    """The first `most` bytes of each. From a server without partial fetches (RFC 3501 has them, some gateways have not) the
    whole mail, and of a large one the headers."""
    if session.knows_partial:
        try:
            return session.fetch(uids, ("UID", f"BODY.PEEK[]<0.{most}>"))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            if not _BAD_SYNTAX.search(str(error)):
                raise
            session.knows_partial = False
    return session.fetch(uids, ("UID", "BODY.PEEK[HEADER]" if is_large else "BODY.PEEK[]"))


def _store(work: Work, mails: Sequence[tuple[Ref, bytes]], quarantine: Failure | None = None) -> None:
    """Raw mails into the journal and their rows to fetched, in one transaction; then the workers are woken."""
    if not mails:
        return
    limit = work.session.limits
    parsed_items: list[RawEvent] = []
    statuses: list[str] = []
    for ref, raw in mails:
        large = (ref.size or 0) > limit.raw_bytes or len(raw) > limit.raw_bytes
        status = "quarantined" if quarantine else "oversize" if large else "fetched"
        parsed_items.append(_parsed_item(work.folder, ref, raw[: limit.oversize_bytes] if large else raw, status, quarantine))
        statuses.append(status)
    with work.connection.transaction():
        hold(work.connection, work.folder)
        receipts = insert_events(work.connection, parsed_items)
        reach("mailbox.in_store")
        work.connection.execute(
            """UPDATE mail_ref SET status = new.status, event_id = new.event_id, error = %s
            FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS new(id, status, event_id) WHERE mail_ref.id = new.id""",
            (
                Jsonb(quarantine.as_json()) if quarantine else None,
                [ref.id for ref, _ in mails], statuses, [receipt.event_id for receipt in receipts],
            ),
        )  # fmt: skip
    reach("mailbox.after_store")
    work.taken.stored += len(mails)
    work.taken.oversize += statuses.count("oversize")
    work.taken.quarantined += statuses.count("quarantined")
    work.wake("mail")
    reach("mailbox.after_wake")


def _parsed_item(folder: Folder, ref: Ref, raw: bytes, status: str, quarantine: Failure | None) -> RawEvent:
    headers: dict[str, str] = {"content-type": "message/rfc822"}
    if ref.internaldate is not None:
        headers["x-imap-internaldate"] = (aware(ref.internaldate) or ref.internaldate).isoformat()
    if status == "oversize":
        headers["x-imap-oversize"] = str(ref.size or len(raw))
    if quarantine is not None:
        headers["x-imap-quarantined"] = quarantine.code
    return RawEvent(
        source_id=folder.source_id, channel="mail", body=raw, method="IMAP", path=folder.name,
        query=f"uid={ref.uid}&uidvalidity={folder.uidvalidity}", headers=headers,
        provider_key=f"{folder.uidvalidity}:{ref.uid}:{folder.name}",
    )  # fmt: skip


def _ask_whether_there(work: Work, ref: Ref) -> None:
    """No body came, even alone. Gone is only what a search does not find either."""
    if work.session.search(ref.uid, ref.uid):
        _put_off(work, ref, Failure("no_body", "The server lists this mail but does not hand it out.", "backoff"))
        return
    with work.connection.transaction():
        hold(work.connection, work.folder)
        work.connection.execute(
            """UPDATE mail_ref SET status = 'gone', error = '{"code": "expunged"}' WHERE id = %s AND status = 'seen'""",
            (ref.id,),
        )
    work.taken.gone += 1


def _put_off(work: Work, ref: Ref, failure: Failure) -> None:
    """One more attempt counted; after the last one the mail is kept with what can be had of it."""
    if ref.attempts + 1 >= work.session.limits.attempts:
        _store(work, [(ref, _headers_only(work, ref))], quarantine=failure)
        return
    with work.connection.transaction():
        hold(work.connection, work.folder)
        work.connection.execute(
            """UPDATE mail_ref SET attempts = attempts + 1, error = %s,
            next_try_at = now() + make_interval(secs => %s) WHERE id = %s AND status = 'seen'""",
            (Jsonb(failure.as_json()), work.session.limits.retry_seconds * 2**ref.attempts, ref.id),
        )
    work.taken.put_off += 1


def _headers_only(work: Work, ref: Ref) -> bytes:
    """The header block, or nothing: even then the mail becomes an event, so that somebody goes and looks."""
    try:
        row: dict[bytes, Any] = work.session.fetch([ref.uid], ("UID", "BODY.PEEK[HEADER]")).get(ref.uid, {})
    except IMAP_ERRORS:
        work.session.reopen(work.folder.uidvalidity or 0)
        return b""
    found = row.get(b"BODY[HEADER]")
    return found if isinstance(found, bytes) else b""
