"""One connection to one folder, opened read-only, with a limit on every wait. Any doubt about it, and it is thrown away."""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, ProtocolError
from imapclient.response_parser import parse_fetch_response

from connectors.mail.imap import ImapConfig
from ingest.http_client.addresses import Allowed
from ingest.mailbox.connection import GuardedIMAPClient
from ingest.mailbox.failures import IMAP_ERRORS, BadAnswer, FolderMissing
from ingest.mailbox.limits import DEFAULT, Limits

_NO_FOLDER = re.compile(
    r"\[NONEXISTENT\]|\[TRYCREATE\]|doesn't exist|does not exist|unknown mailbox|no such mailbox|not found",
    re.IGNORECASE,
)


#: What imapclient's parser raises over a row: a date of the 45th of May, a year beyond all, a row that ends in the middle.
UNREADABLE = (ValueError, TypeError, LookupError, OverflowError, ProtocolError)


@dataclass(frozen=True, slots=True)
class Examined:
    uidvalidity: int  # 0: the server names none
    uidnext: int | None  # some servers name none
    exists: int


class Session:
    """Not for several threads. `client` connects when needed; after an error the caller calls `drop`."""

    def __init__(self, settings: ImapConfig, allowed: Callable[[], Allowed], limits: Limits = DEFAULT) -> None:
        """`allowed` says, for each new connection, what may be reached besides the public internet."""
        self.settings = settings
        self.limits = limits
        self._allowed = allowed
        self._client: IMAPClient | None = None
        self.knows_partial = True  # False once the server has called a partial fetch bad syntax
        self._exists = 0  # mails in the folder when it was opened last

    @property
    def client(self) -> IMAPClient:
        if self._client is None:
            self._client = _connect(self.settings, self._allowed(), self.limits)
        return self._client

    def drop(self) -> None:
        """Closes without a word: a connection that failed may not answer a LOGOUT either."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(*IMAP_ERRORS):
                client.shutdown()

    def close(self) -> None:
        """The polite end."""
        client, self._client = self._client, None
        if client is not None:
            try:
                client.logout()
            except IMAP_ERRORS:
                with contextlib.suppress(*IMAP_ERRORS):
                    client.shutdown()

    def examine(self) -> Examined:
        """Opens the folder read-only. A connection that was kept and has died meanwhile is replaced once."""
        kept = self._client is not None
        try:
            seen = _examine(self.client, self.settings.folder)
        except FolderMissing:
            raise
        except IMAP_ERRORS:
            self.drop()
            if not kept:
                raise
            seen = _examine(self.client, self.settings.folder)
        self._exists = seen.exists
        return seen

    def reopen(self, uidvalidity: int) -> None:
        """A new connection to the same folder. If it shows another UIDVALIDITY, this poll's numbers mean nothing any more."""
        self.drop()
        if self.examine().uidvalidity != uidvalidity:
            raise ConnectionError("UIDVALIDITY changed during the poll")

    def search(self, low: int, high: int, since: date | None = None) -> list[int]:
        """UIDs of [low, high] that exist, sorted. "UID SEARCH UID 999:*" would answer the last mail even below 999."""
        criteria: list[Any] = ["UID", f"{low}:{high}"]
        if since is not None:
            criteria += ["SINCE", since]
        return sorted({int(uid) for uid in self.client.search(criteria) if low <= uid <= high})

    def search_windows(self, low: int, high: int, since: date | None = None) -> Iterator[tuple[int, list[int]]]:
        """(upper bound, UIDs) of each window. An empty answer is asked for twice: one omission is no proof.

        Some servers number from hundreds of millions. After a window without a mail the next ones end where the server's
        sequence numbers say that enough mails stand. They choose only how far a window reaches; what is in it is always
        asked for by UID, so a mail that is expunged meanwhile moves nothing out of sight.
        """
        step = self.limits.window_uids
        sequence: int | None = None  # of the first mail from `low` on, once a window was empty
        while low <= high:
            end = low + step - 1
            if sequence is not None:
                end = self._reach(sequence + step - 1, low, high)
                sequence += step
            top = min(end, high)
            uids = self.search(low, top, since) or self.search(low, top, since)
            yield top, uids
            low = top + 1
            if sequence is None and not uids and low <= high:
                sequence = self._sequence_of(low)

    def _reach(self, sequence: int, low: int, high: int) -> int:
        """How far a window may reach to end with the mail of this sequence number; to the end if there are fewer."""
        if sequence >= self._exists:
            return high
        uid = self._uid_at(sequence)
        return low + self.limits.window_uids - 1 if uid is None else max(uid, low)

    def _sequence_of(self, low: int) -> int | None:
        """The sequence number of the first mail with a UID of `low` or above, by halves; None if the server does not say."""
        first, beyond = 1, self._exists + 1
        while first < beyond:
            middle = (first + beyond) // 2
            uid = self._uid_at(middle)
            if uid is None:
                return None
            if uid < low:
                first = middle + 1
            else:
                beyond = middle
        return first

    def _uid_at(self, sequence: int) -> int | None:
        kind, data = self.client._imap.fetch(str(sequence), "(UID)")  # noqa: SLF001 as in `fetch`: the row's own number counts
        try:
            rows = parse_fetch_response(data, normalise_times=False, uid_is_key=False) if kind == "OK" else {}
        except UNREADABLE:
            return None
        uid = rows.get(sequence, {}).get(b"UID")
        return uid if isinstance(uid, int) else None

    def highest_uid(self, seen: Examined) -> int:
        """The highest UID that may exist now. Without UIDNEXT the last mail is asked for its own."""
        if seen.uidnext is not None:
            return max(seen.uidnext - 1, 0)
        if seen.exists == 0:
            return 0
        return max((int(uid) for uid in self.client.search(["UID", "*"])), default=0)

    def fetch(self, uids: Sequence[int], items: Iterable[str]) -> dict[int, dict[bytes, Any]]:
        """Rows by UID. A row without a UID is dropped: imapclient would take its sequence number for one."""
        if not uids:
            return {}
        wanted = ",".join(str(uid) for uid in uids)
        kind, data = self.client._imap.uid(  # noqa: SLF001 imapclient's own fetch cannot tell such rows
            "FETCH", wanted, f"({' '.join(items)})"
        )
        if kind != "OK":
            raise IMAPClientError(f"fetch failed: {_text(data)}")
        try:
            rows = parse_fetch_response(data, normalise_times=False, uid_is_key=False)
        except UNREADABLE as error:
            raise BadAnswer(str(error)) from error
        asked = set(uids)
        return {int(row[b"UID"]): row for row in rows.values() if row.get(b"UID") in asked}


def _connect(settings: ImapConfig, allowed: Allowed, limits: Limits) -> IMAPClient:
    """A connection that is signed in. Encryption is never given up silently: STARTTLS that fails ends the attempt."""
    context = None if settings.security == "plain" else ssl.create_default_context()
    client = GuardedIMAPClient(settings, allowed, limits, context)
    client._imap.debug = 0  # noqa: SLF001 imapclient sets 5, which writes mail text into debug logs and costs 40 % of the speed
    client.normalise_times = False  # else INTERNALDATE becomes naive local time
    try:
        if settings.security == "starttls":
            client.starttls(context)
        if (settings.user + settings.password).isascii():
            client.login(settings.user, settings.password)
        else:
            client.plain_login(settings.user, settings.password)  # LOGIN carries ASCII only; SASL PLAIN is UTF-8
    except BaseException:
        with contextlib.suppress(*IMAP_ERRORS):
            client.shutdown()
        raise
    return client


def _examine(client: IMAPClient, folder: str) -> Examined:
    try:
        found = client.select_folder(folder, readonly=True)
    except imaplib.IMAP4.abort:
        raise
    except IMAPClientError as error:
        if _NO_FOLDER.search(str(error)):
            raise FolderMissing(str(error)) from error
        raise
    uidnext = found.get(b"UIDNEXT")
    return Examined(
        uidvalidity=_number(found.get(b"UIDVALIDITY")) or 0,
        uidnext=_number(uidnext),
        exists=_number(found.get(b"EXISTS")) or 0,
    )


def _number(value: Any) -> int | None:
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _text(data: Any) -> str:
    first = data[0] if isinstance(data, list) and data else b""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else ""
