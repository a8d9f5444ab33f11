"""Contents of files by their hash, outside of every web root: `home/files/ab/cdef…`. Names that people gave are never paths.

A content is on the disk before the row that names it: a crash in between leaves a content that nobody names, and that the
next file with the same content uses. Nothing is deleted while any row names it.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from crm_core.base.errors import Transient
from crm_core.intake import ParsedEvent
from crm_core.parsed import IncomingFile, Inquiry

_HASH = re.compile(r"[0-9a-f]{64}")

#: What a content is by its first bytes. Only what no browser runs is here; all else is "application/octet-stream".
_SIGNS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"), (b"%PDF-", "application/pdf"), (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"), (b"ID3", "audio/mpeg"), (b"OggS", "audio/ogg"),
    (b"BM", "image/bmp"), (b"II*\x00", "image/tiff"), (b"MM\x00*", "image/tiff"),
)  # fmt: skip
UNKNOWN_TYPE = "application/octet-stream"


def path_of(home: Path, sha256: str) -> Path:
    """Where a content lies. ValueError for anything but 64 hexadecimal digits."""
    if not _HASH.fullmatch(sha256):
        raise ValueError("not a SHA-256")
    return home / "files" / sha256[:2] / sha256[2:]


def store(home: Path, data: bytes) -> str:
    """Puts a content in its place and returns its hash; once it returns the content survives a power cut. OSError."""
    sha256 = hashlib.sha256(data).hexdigest()
    place = path_of(home, sha256)
    if not _is_whole(place, len(data)):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".part-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, place)  # noqa: PTH105 - the atomic one, said plainly
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(place.parent)
        _sync_folder(place.parent.parent)
    return sha256


def read(home: Path, sha256: str) -> bytes | None:
    """The content, or None if there is none. Its hash is checked: a damaged one is none."""
    try:
        data = path_of(home, sha256).read_bytes()
    except (FileNotFoundError, ValueError):
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None


def forget(connection: psycopg.Connection[Any], home: Path, sha256: str) -> bool:
    """Deletes a content that no row names any more; True if it is gone. For erasure, after the rows were deleted.

    Safe beside inquiries that bring the same content just now: whoever writes a row that names it holds the lock of
    `assure` until the row is committed.
    """
    place = path_of(home, sha256)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('file:' || %s, 0))", (sha256,))
        named = connection.execute("SELECT 1 AS x FROM attachment WHERE sha256 = %s LIMIT 1", (sha256,)).fetchone()
        if named is not None:
            return False
        place.unlink(missing_ok=True)
    return True


def forget_unnamed(config: HubConfig, hashes: Iterable[str]) -> int:
    """`forget` for each of them, after an erasure was committed; returns how many are gone."""
    wanted = sorted(set(hashes))
    if not wanted:
        return 0
    with connect(config.database_url, "worker") as connection:
        return sum(forget(connection, config.home, sha256) for sha256 in wanted)


def assure(cursor: psycopg.Cursor[Any], home: Path, hashes: Iterable[str]) -> None:
    """Within the transaction that writes rows naming these contents: they are on the disk, and stay. Transient if one was
    deleted since it was stored; it is then stored again."""
    for sha256 in sorted(set(hashes)):
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended('file:' || %s, 0))", (sha256,))
        if not path_of(home, sha256).exists():
            raise Transient("file_gone", "A file of this inquiry was deleted while it was taken in.")


def hashes_of(items: Iterable[ParsedEvent]) -> set[str]:
    """The contents that the items name."""
    return {
        file.sha256
        for item in items
        for parsed_item in item.parsed_items
        if isinstance(parsed_item, Inquiry)
        for file in parsed_item.files
        if file.sha256 and not file.url and not file.note
    }


def has_contents(item: ParsedEvent) -> bool:
    """True if files came along that are still to be stored."""
    return any(
        isinstance(parsed_item, Inquiry) and any(file.data is not None for file in parsed_item.files)
        for parsed_item in item.parsed_items
    )


def keep(home: Path, item: ParsedEvent) -> ParsedEvent:
    """The item with the contents of its files on the disk instead of in memory. OSError if the disk does not take them."""
    if not any(isinstance(parsed_item, Inquiry) and parsed_item.files for parsed_item in item.parsed_items):
        return item
    return replace(
        item,
        parsed_items=tuple(
            replace(parsed_item, files=tuple(_kept(home, file) for file in parsed_item.files))
            if isinstance(parsed_item, Inquiry) and parsed_item.files
            else parsed_item
            for parsed_item in item.parsed_items
        ),
    )


def lose(item: ParsedEvent, note: str) -> ParsedEvent:
    """The item with a note in place of contents that cannot be kept now: the inquiry is worth more than its files. The raw
    event still has them, and a replay stores them."""
    return replace(
        item,
        parsed_items=tuple(
            replace(
                parsed_item,
                files=tuple(replace(one, data=None, note=note) if one.data is not None else one for one in parsed_item.files),
            )
            if isinstance(parsed_item, Inquiry)
            else parsed_item
            for parsed_item in item.parsed_items
        ),
    )


def _kept(home: Path, file: IncomingFile) -> IncomingFile:
    if file.data is None:
        return file
    return replace(file, data=None, sha256=store(home, file.data), size=len(file.data))


def sniffed(head: bytes) -> str:
    """The type of a content by its first bytes, for showing; whatever could be run as a page is unknown."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for sign, kind in _SIGNS if head.startswith(sign)), UNKNOWN_TYPE)


def _is_whole(place: Path, size: int) -> bool:
    try:
        return place.stat().st_size == size
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
