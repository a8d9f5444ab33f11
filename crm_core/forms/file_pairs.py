"""Which of an inquiry's files is which after it was read anew: by what they are, never by their place among the others. Pure.

What the hub has of a file stays with it: the provider's copy may be gone by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

Row = Mapping[str, Any]


def refile(known: Sequence[Row], read: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[int]]:
    """`known`: rows with n, url, sha256, name, field, state; `read`: columns of the files as they are read now, in order.

    Returns the columns to write, each with its n, and the n of those that are gone: not read any more, and no content of
    them is here. Contents that are here stay, read or not.
    """
    left = list(known)
    found: dict[int, Row] = {}
    for same in (_same_content, _same_place):  # the surer sign first, for all of them
        for at, file in enumerate(read):
            if at not in found and (row := next((row for row in left if same(row, file)), None)) is not None:
                left.remove(row)
                found[at] = row
    taken = {row["n"] for row in known}
    free = (n for n in count() if n not in taken)
    written = []
    for at, file in enumerate(read):
        known_one = found.get(at)
        if known_one is not None and _is_here(known_one) and file["state"] == "refused":
            continue  # the disk does not take it just now; it has it from before
        written.append({**file, "n": known_one["n"] if known_one is not None else next(free)})
    return written, [row["n"] for row in left if not _is_here(row)]


def _is_here(file: Row) -> bool:
    return bool(file["state"] == "stored")


def _same_content(row: Row, file: Row) -> bool:
    if row["url"] or file["url"]:
        return bool(row["url"] == file["url"])
    return bool(row["sha256"]) and bool(row["sha256"] == file["sha256"])


def _same_place(row: Row, file: Row) -> bool:
    """Where one of both has no content: the file of that name in that field."""
    is_same = not row["url"] and not file["url"] and (row["name"], row["field"]) == (file["name"], file["field"])
    return is_same and not (_is_here(row) and _is_here(file))
