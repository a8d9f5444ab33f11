"""Importing the registry's files. Each replaces what there was of its codes; the others stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import Invalid
from crm_core.numbering.rules import joined, read_registry

IMPORTED = history.Action("numbering.import")

_CHUNK: Final = 20_000
_MOST_SKIPPED: Final = 0.01  # more of a file that is no range: it is another kind of file
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Imported:
    version: int
    blocks: tuple[str, ...]  # first digits of the codes that were replaced
    ranges: int
    skipped: tuple[str, ...]  # "DEF-9xx.csv: line 17", all of them


def import_ranges(connection: Connection, principal: Principal, files: Mapping[str, bytes]) -> Imported:
    """Reads the files (name → bytes) and replaces the ranges of their codes, all or nothing. Two at once: one after the other.

    Raises Invalid (numbering_file) for a file in which nothing, or not nearly everything, is a range.
    """
    demand(principal, "numbering.write")
    registries = {name: read_registry(data) for name, data in files.items()}
    for name, registry in registries.items():
        if not registry.ranges or len(registry.skipped) > _MOST_SKIPPED * len(registry.ranges) + _NAMED:
            wrong = "; ".join(registry.skipped[:_NAMED])
            raise Invalid(
                "numbering_file",
                f"{name} is no file of the numbering plan: {len(registry.ranges)} ranges in it{', wrong: ' + wrong if wrong else ''}. "
                "Expected are lines of code; from; to; capacity; operator; region.",
                fields=["files"],
            )
    if not registries:
        raise Invalid("numbering_file", "Name a file of the numbering plan.", fields=["files"])
    ranges = list(joined(registries.values()))
    blocks = sorted(frozenset[str]().union(*(registry.blocks for registry in registries.values())))
    skipped = tuple(f"{name}: {what}" for name, registry in registries.items() for what in registry.skipped)
    connection.execute(text("LOCK TABLE numbering_import IN SHARE ROW EXCLUSIVE MODE"))
    for block in blocks:
        low = int(block) * 1_000_000_000
        connection.execute(
            text("DELETE FROM numbering_range WHERE first BETWEEN :low AND :high"), {"low": low, "high": low + 999_999_999}
        )
    for start in range(0, len(ranges), _CHUNK):
        chunk = ranges[start : start + _CHUNK]
        connection.execute(
            text(
                "INSERT INTO numbering_range (first, last, region, operator) SELECT * FROM unnest("
                "CAST(:first AS bigint[]), CAST(:last AS bigint[]), CAST(:region AS text[]), CAST(:operator AS text[]))"
            ),
            {name: [getattr(one, name) for one in chunk] for name in ("first", "last", "region", "operator")},
        )
    version = connection.scalar(
        text("INSERT INTO numbering_import (blocks, ranges, skipped) VALUES (:blocks, :ranges, :skipped) RETURNING id"),
        {"blocks": blocks, "ranges": len(ranges), "skipped": len(skipped)},
    )
    assert version is not None
    history.record(connection, principal, IMPORTED, None, {"blocks": blocks, "ranges": len(ranges), "skipped": len(skipped)})
    return Imported(int(version), tuple(blocks), len(ranges), skipped)
