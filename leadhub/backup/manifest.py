"""What a backup says about itself: `manifest.json`, written last, so that a directory without one is no whole backup."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from crm_core.base.errors import Conflict, Invalid

FORMAT = 1
FILE, DUMP, KEY, FILES, ERASURES = "manifest.json", "database.dump", "secret_key", "files", "erasures.log"
AUDIT_HEADS, SETTINGS = "audit_heads", "leadhub.toml"
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """Times are RFC 3339 UTC. Contents of files need no sums: their names are their SHA-256."""

    format: int
    leadhub: str  # version of the program
    revision: str  # of the schema
    taken_at: str  # the moment that the database is of
    postgres: int  # the server's version as libpq says it, 180006 for 18.6
    key: str  # fingerprint of the hub's key, whether it is in the backup or not
    has_key: bool
    rows: dict[str, int]  # of the tables that a restore is checked by
    sums: dict[str, str]  # file of the backup → SHA-256
    files: list[str] = field(default_factory=list)  # SHA-256 of contents that are in the backup
    missing_files: list[str] = field(default_factory=list)  # named by a row, and not on the disk even when this was made


def write(directory: Path, manifest: Manifest) -> None:
    (directory / FILE).write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")


def read(directory: Path) -> Manifest:
    """Invalid if it is no whole backup, or one that this version does not know."""
    try:
        row = json.loads((directory / FILE).read_text(encoding="utf-8"))
        if row["format"] != FORMAT:
            raise Invalid("backup_format", f"{directory} is a backup of format {row['format']}; this version knows {FORMAT}.")
        return Manifest(**row)
    except (FileNotFoundError, NotADirectoryError):
        message = f"{directory} is no whole backup: it has no {FILE}, which is written last."
    except (ValueError, TypeError, KeyError):
        message = f"{directory / FILE} cannot be read, so it is no backup."
    raise Invalid("no_backup", message, fields=["directory"])


def require_sound(directory: Path, manifest: Manifest) -> None:
    """Conflict, with names, if a single byte is not as it was."""
    broken = [name for name, wanted in manifest.sums.items() if sum_of(directory / name) != wanted]
    broken += [name for name in manifest.files if sum_of(place_of(directory, name)) != name]
    if broken:
        shown = ", ".join(broken[:5]) + (f" and {len(broken) - 5} more" if len(broken) > 5 else "")
        raise Conflict("backup_damaged", f"The backup {directory} is damaged: {shown}. Nothing was changed.", broken=broken)


def place_of(directory: Path, sha256: str) -> Path:
    return directory / FILES / sha256[:2] / sha256[2:]


def sum_of(path: Path) -> str:
    """SHA-256 in hexadecimal; "" if there is no such file."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while data := file.read(_CHUNK_BYTES):
                digest.update(data)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()
