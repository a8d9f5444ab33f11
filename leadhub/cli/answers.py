"""How commands answer: JSON or a table on standard output, one sentence on standard error, exit status 0, 1 or 2."""

from __future__ import annotations

import errno
import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, ParamSpec

import click

from crm_core.base.errors import HubError, Invalid

P = ParamSpec("P")

#: Nothing that a person can mend in the program: no room, no quota, read-only, broken.
_DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)

as_json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


def answers(function: Callable[P, Any]) -> Callable[P, None]:
    """Turns the hub's errors into a sentence and an exit status: 2 for what was asked wrongly, 1 for the rest.

    The command takes `as_json`; with it, errors are JSON too, on standard output like every other answer.
    """

    @as_json_option
    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except HubError as error:
            fail(error.code, error.message, as_json=bool(kwargs.get("as_json")), status=2 if isinstance(error, Invalid) else 1)
        except OSError as error:
            if error.errno not in _DISK_TROUBLE:
                raise
            where = f" ({error.filename})" if error.filename else ""
            fail("disk", f"The disk does not take it: {error.strerror}{where}.", as_json=bool(kwargs.get("as_json")))
        except Exception as error:
            if not _database_away(error):
                raise
            words = f"The database does not answer. {_disk_words()}`leadhub doctor` says more."
            fail("database_away", words, as_json=bool(kwargs.get("as_json")))

    return command


def fail(code: str, message: str, *, as_json: bool, status: int = 1) -> None:
    """Ends the command."""
    if as_json:
        click.echo(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False))
    else:
        click.echo(message, err=True)
    sys.exit(status)


def tell(value: Any, *, as_json: bool, words: str | Callable[[], str]) -> None:
    """`value` as one line of JSON, or the words for people."""
    if as_json:
        click.echo(json.dumps(value, default=plain, ensure_ascii=False))
    else:
        click.echo(words() if callable(words) else words)


def plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], empty: str) -> str:
    """Rows in aligned columns; `columns` is key → heading. `empty` is said when there are none."""
    if not rows:
        return empty
    cells = [list(columns.values())] + [[_cell(row.get(key)) for key in columns] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)


@contextmanager
def hub() -> Iterator[Any]:
    """(config, engine) of the hub that this environment names; the engine is closed at the end."""
    from crm_core.base.database import make_engine

    config = read_config()
    engine = make_engine(config.database_url, "ui", pool_size=2)
    try:
        yield config, engine
    finally:
        engine.dispose()


def read_config() -> Any:
    """The HubConfig of this environment. Misconfigured, with words."""
    import os

    from leadhub import settings

    return settings.hub_config(settings.read(os.environ, Path.cwd()))


def _disk_words() -> str:
    """The usual reason why an embedded database is away; "" if it is another."""
    from ingest.journal.disk_space import look

    try:
        config = read_config()
    except HubError:
        return ""
    disk = look(config.home, config.disk_floor_bytes)
    return "" if disk.takes_events else f"{disk.words} "


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Mapping) and "name" in value:
        return str(value["name"])
    return str(value)


def _database_away(error: Exception) -> bool:
    """True for a connection that could not be made or was cut. Looked up by name: most commands never import it."""
    loaded = sys.modules.get("sqlalchemy.exc")
    driver = sys.modules.get("psycopg")
    return (loaded is not None and isinstance(error, loaded.OperationalError)) or (
        driver is not None and isinstance(error, driver.OperationalError)
    )
