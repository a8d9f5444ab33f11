"""What every source has beside its connector's settings: name, sites, product line, pool. Typed, checked, as columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ingest.sources.sources import SourceRow
from webhooks.console.shell.choices import Options
from webhooks.console.shell.language import Language
from webhooks.console.shell.request_context import entered
from webhooks.console.sources.setup_form import SetupField

#: A host as a browser names it, or as people write it in their own alphabet; a port may follow.
_HOST = re.compile(r"[\w](?:[\w.-]*[\w])?(?::\d{1,5})?")
_LENGTHS = {"source_name": 200, "source_hosts": 2000, "source_line": 100, "source_pool": 18}


def typed_fields() -> dict[str, str]:
    return {name: entered(name, most) for name, most in _LENGTHS.items()}


def stored_fields(row: SourceRow) -> dict[str, str]:
    return {
        "source_name": row.name, "source_hosts": ", ".join(row.allowed_hosts), "source_line": row.line,
        "source_pool": "" if row.pool_id is None else str(row.pool_id),
    }  # fmt: skip


def fields(
    language: Language, typed: Mapping[str, str], wrong: Mapping[str, str], *, has_hosts: bool,
    pools: Options | None = None, has_line: bool = False,
) -> list[SetupField]:  # fmt: skip
    """The fields of a new source, or of an existing one where `has_line`; a pool is asked for if there is a choice."""
    names = ["source_name"]
    names += ["source_hosts"] if has_hosts else []
    names += ["source_line"] if has_line else []
    names += ["source_pool"] if pools else []
    return [
        SetupField(
            name=name, label=language.code("source_field", name), help=language.code("source_field_help", name),
            kind="choice" if name == "source_pool" else "text", input="text", required=name == "source_name", extra=False,
            choices=tuple(pools or ()) if name == "source_pool" else (), value=typed.get(name, ""),
            wrong=wrong.get(name, ""), hint="example.com" if name == "source_hosts" else "",
        )
        for name in names
    ]  # fmt: skip


def hosts_of(text: str) -> list[str]:
    """Hosts out of what people paste: names, or whole addresses of pages, between commas or blanks."""
    return [_host(word) for word in re.split(r"[,;\s]+", text) if word]


def wrong_fields(language: Language, typed: Mapping[str, str]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not typed["source_name"]:
        wrong["source_name"] = language("form.required")
    if odd := [host for host in hosts_of(typed["source_hosts"]) if not _HOST.fullmatch(host)]:
        wrong["source_hosts"] = language("wrong.host", host=odd[0][:60])
    if typed["source_pool"] and not (typed["source_pool"].isascii() and typed["source_pool"].isdecimal()):
        wrong["source_pool"] = language("wrong.pool")
    return wrong


def changed_columns(row: SourceRow, typed: Mapping[str, str], asked: Sequence[str]) -> dict[str, Any]:
    """Columns of the source that were typed otherwise than they are; only of the fields that the form asked."""
    pool = typed["source_pool"]
    wanted: dict[str, tuple[str, Any]] = {
        "source_name": ("name", typed["source_name"]),
        "source_hosts": ("allowed_hosts", tuple(sorted({host.lower().rstrip(".") for host in hosts_of(typed["source_hosts"])}))),
        "source_line": ("line", typed["source_line"]),
        "source_pool": ("pool_id", int(pool) if pool else None),
    }  # fmt: skip
    return {
        column: list(value) if isinstance(value, tuple) else value
        for column, value in (wanted[name] for name in asked)
        if getattr(row, column) != value
    }


def _host(word: str) -> str:
    if "//" in word:
        try:
            return urlsplit(word).netloc
        except ValueError:
            return word
    return word.partition("/")[0]
