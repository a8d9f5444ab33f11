"""Events that belong to nobody (set aside, unreadable, rejected, tests, ignored) searched for one person. Changes nothing.

Each is read anew by its source's connector, and every text in it is looked through besides. What has no text to look
through is counted and named: an erasure that passes over something says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Final

from sqlalchemy import Connection, text

from connectors.kit import Request
from connectors.kit.decoding import Upload, decode
from crm_core.base.config import HubConfig
from crm_core.base.errors import HubError
from crm_core.base.values import Named
from crm_core.batch.steps import steps_of
from crm_core.identity.traces import Sought
from crm_core.intake import ParsedEvent
from crm_core.parsed import ParsedItem
from ingest.erasure.person_events import UNLINKED, UNLINKED_AND_DONE
from ingest.journal.claim import Claimed
from ingest.processing.parse import read
from ingest.quarantine.quarantine import source_loader
from ingest.sources.settings import LoadedSource

MOST_FOUND: Final = 10_000  # one order; more is asked for again
MOST_NAMED: Final = 200

_PAGE: Final = 200  # events
_PAGE_BYTES: Final = 8 * 1024 * 1024  # bodies in memory at once, unless one alone weighs more
_MOST_WAITING: Final = 2_000
_DEEPEST: Final = 60
_FILE_TEXT: Final = 1024 * 1024  # bytes of a file that are looked through as text

_ON_THEIR_WAY: Final = f"state IN ('waiting', 'working') AND {UNLINKED}"
_IDS: Final = "SELECT id, octet_length(body) AS bytes FROM inbound_event WHERE id > :after AND {which} ORDER BY id LIMIT :limit"
_ROWS: Final = """
SELECT e.id, e.uid, e.source_id, s.name AS source_name, e.channel, e.received_at, e.method, e.path, e.query, e.headers, e.body,
       e.remote_ip, e.provider_key, e.rejected_key, e.verified_at_door, e.reason, e.error, e.verdict, e.state, e.outcome
  FROM inbound_event e JOIN source s ON s.id = e.source_id WHERE e.id = ANY(:ids) ORDER BY e.id
"""

#: What an encrypted mail says of itself.
_ENCRYPTED: Final = (b"multipart/encrypted", b"application/pkcs7-mime", b"application/x-pkcs7-mime", b"-----BEGIN PGP MESSAGE")


@dataclass(frozen=True, slots=True)
class UnlinkedEvent:
    """One that names the person."""

    uid: str
    source: Named
    received_at: datetime
    state: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An event that could not be looked through."""

    uid: str
    why: str  # encrypted, binary, files or cut


@dataclass(slots=True)
class Search:
    """What was found so far. `next`: the search has not come to the end; ask again from there. `unsearched` counts by why: encrypted, binary,
    files (contents that are no text), cut (longer than what is read), waiting (too many to look through)."""

    found: list[UnlinkedEvent] = field(default_factory=list)  # the first of them
    ids: list[int] = field(default_factory=list)
    searched: int = 0
    unsearched: Counter[str] = field(default_factory=Counter)
    passed_over: list[PassedOver] = field(default_factory=list)  # the first of them
    on_their_way: int = 0  # name the person and are with the workers: nothing is done to these
    next: int | None = None


def search(connection: Connection, config: HubConfig, wanted: Sought, after: int = 0, seconds: float | None = None) -> Search:
    """Looks through the events after `after`, for so many seconds at most (None: to the end). At least one page is done."""
    result = Search()
    if not wanted:
        return result
    load = source_loader(connection, config)
    end = None if seconds is None else monotonic() + seconds
    while True:
        page = connection.execute(text(_IDS.format(which=UNLINKED_AND_DONE)), {"after": after, "limit": _PAGE}).all()
        for portion in _portions(page):
            for row in connection.execute(text(_ROWS), {"ids": portion}).mappings():
                _look(dict(row), wanted, load, result)
            after = portion[-1]
            is_full = len(result.ids) >= MOST_FOUND
            if is_full or (end is not None and monotonic() >= end):
                result.next = after
                return result
        if len(page) < _PAGE:
            break
    _look_at_waiting(connection, wanted, load, result)
    return result


def _look_at_waiting(connection: Connection, wanted: Sought, load: Callable[[int], LoadedSource], result: Search) -> None:
    page = connection.execute(text(_IDS.format(which=_ON_THEIR_WAY)), {"after": 0, "limit": _MOST_WAITING + 1}).all()
    if len(page) > _MOST_WAITING:
        result.unsearched["waiting"] += 1
    for portion in _portions(page[:_MOST_WAITING]):
        for row in connection.execute(text(_ROWS), {"ids": portion}).mappings():
            result.on_their_way += _names(dict(row), wanted, load)[0]


def _portions(page: Sequence[Any]) -> Iterator[list[int]]:
    part: list[int] = []
    weight = 0
    for row in page:
        if part and weight + row.bytes > _PAGE_BYTES:
            yield part
            part, weight = [], 0
        part.append(row.id)
        weight += row.bytes
    if part:
        yield part


def _look(row: Mapping[str, Any], wanted: Sought, load: Callable[[int], LoadedSource], result: Search) -> None:
    result.searched += 1
    is_his, why = _names(row, wanted, load)
    if is_his:
        result.ids.append(row["id"])
        if len(result.found) < MOST_NAMED:
            source = Named(row["source_id"], row["source_name"])
            result.found.append(UnlinkedEvent(row["uid"], source, row["received_at"], row["state"], row["outcome"]))
    elif why:
        result.unsearched[why] += 1
        if len(result.passed_over) < MOST_NAMED:
            result.passed_over.append(PassedOver(row["uid"], why))


def _names(row: Mapping[str, Any], wanted: Sought, load: Callable[[int], LoadedSource]) -> tuple[bool, str]:
    """Whether the event names the person, and why that cannot be said for all of it ("" if it can)."""
    event = Claimed(
        row["id"], row["uid"], row["source_id"], row["channel"], row["received_at"], row["method"], row["path"], row["query"],
        row["headers"], bytes(row["body"]), row["remote_ip"], unclaimed=False, attempts=0, replayed=1,
        verified_at_door=row["verified_at_door"],
    )  # fmt: skip
    missed: set[str] = set()
    beside = [row[name] for name in ("path", "query", "headers", "provider_key", "rejected_key", "reason", "error", "verdict")]
    if any(wanted.is_in(one) for one in _texts(beside, missed)):
        return True, ""
    item = read(event, load)
    if isinstance(item, ParsedEvent):
        keys = {(key.kind, key.value) for step in steps_of([item]) for key in step.person.keys if not key.is_guess}
        if not wanted.keys.isdisjoint(keys) or any(wanted.is_in(one) for one in _of_parsed_items(item.parsed_items, missed)):
            return True, ""
    if any(wanted.is_in(one) for one in _of_body(event, missed)):
        return True, ""
    return False, next((why for why in ("encrypted", "binary", "files", "cut") if why in missed), "")


def _of_parsed_items(parsed_items: Sequence[ParsedItem], missed: set[str]) -> Iterator[str]:
    for parsed_item in parsed_items:
        yield from _texts(asdict(parsed_item), missed)


def _of_body(event: Claimed, missed: set[str]) -> Iterator[str]:
    """Every text of the body: as the decoder of forms sees it, and as it stands there."""
    head = event.body[:65536]
    if any(mark in head for mark in _ENCRYPTED):
        missed.add("encrypted")
    if event.channel == "mail":
        yield event.body.decode("utf-8", "replace")
        if b"attachment" in event.body:
            missed.add("files")
        return
    request = Request(event.method, event.path, event.query, event.headers, event.body, event.received_at, event.remote_ip)
    try:
        decoded = decode(request)
    except HubError:
        missed.add("binary")
        decoded = None
    if decoded is not None:
        if decoded.flags:
            missed.add("cut")
        yield from _texts(decoded.data, missed)
    if decoded is None or decoded.shape == "text" or decoded.flags:
        if b"\x00" in event.body:
            missed.add("binary")
        yield event.body.decode("utf-8", "replace")


def _texts(value: Any, missed: set[str], depth: int = 0) -> Iterator[str]:
    """Every text of a tree, names of fields too; numbers as they are written. Files as far as they are text."""
    if isinstance(value, Upload):
        yield from _of_file(value.content, missed)
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | memoryview):
        yield from _of_file(value, missed)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        yield str(value)
    elif isinstance(value, float):
        yield f"{value:.0f}"
    elif depth >= _DEEPEST:
        missed.add("cut")
    elif isinstance(value, Mapping):
        for name, below in value.items():
            yield str(name)
            yield from _texts(below, missed, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for below in value:
            yield from _texts(below, missed, depth + 1)


def _of_file(content: bytes | memoryview, missed: set[str]) -> Iterator[str]:
    head = bytes(content[:_FILE_TEXT])
    if b"\x00" in head or len(content) > len(head):
        missed.add("files")
    if b"\x00" not in head:
        try:
            yield head.decode()
        except UnicodeDecodeError:
            missed.add("files")
            yield head.decode("latin-1")
