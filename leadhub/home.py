"""The home of a hub on disk: made, and closed to everybody but its owner, also where an earlier version left it open.

Never loosens what it did not make itself, and never closes a directory that others use too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from crm_core.base.errors import Misconfigured

_PRIVATE_UMASK = 0o077

_DIRECTORY, _FILE = 0o700, 0o600
#: PostgreSQL runs as another user where root has no user namespaces: that user passes through the home and sees nothing.
_PASSABLE = 0o711
_NAMES = frozenset(
    (
        "audit_heads",
        "audit_heads.set-aside",
        "backups",
        "demo_mailbox",
        "erasures.log",
        "files",
        "leadhub.lock",
        "leadhub.toml",
        "log",
        "lost+found",
        "postgres",
        "secret_key",
        "valkey",
    )
)
_PREFIXES = (".", "children.json", "running.json", "postgres-", "postgres.")
_SERVERS_OWN = ("postgres",)  # also postgres-18: binaries, not ours to change. PostgreSQL keeps its own modes


def create_privately() -> None:
    """From now on whatever this process and its children create is their owner's alone (umask(2))."""
    os.umask(_PRIVATE_UMASK)


def make_home(home: Path) -> None:
    """Misconfigured, with words, if that directory cannot be used."""
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=_DIRECTORY, exist_ok=True)
        (home / "log").mkdir(mode=_DIRECTORY, exist_ok=True)
        close_to_others(home)
    except OSError as error:
        raise Misconfigured(
            "home_unusable", f"LEADHUB_HOME is {home}, which cannot be used: {error.strerror}.", path=str(home)
        ) from error


def close_to_others(home: Path) -> None:
    """Takes every right of group and others away, but for the way to PostgreSQL's directory if that is another user's."""
    if is_only_ours(home):
        _close(home, _PASSABLE if _is_anothers(home / "postgres") else _DIRECTORY)
    for entry in home.iterdir():
        if entry.name in _NAMES | {"running.json", "children.json"} and not entry.name.startswith(_SERVERS_OWN):
            _close_tree(entry)


def open_for_server(home: Path) -> None:
    """Lets another user, who is to run PostgreSQL, pass through."""
    if stat.S_IMODE(home.stat().st_mode) == _DIRECTORY and is_only_ours(home):
        home.chmod(_PASSABLE)


def is_only_ours(home: Path) -> bool:
    """True if nothing but a hub's things lie there: a directory such as /srv or /tmp is not ours to close."""
    state = home.stat()
    if state.st_uid != os.geteuid() or state.st_mode & stat.S_ISVTX or home == home.parent:
        return False
    return all(entry.name in _NAMES or entry.name.startswith(_PREFIXES) for entry in home.iterdir()) and home != Path.home()


def open_to_others(home: Path) -> list[Path]:
    """What somebody else could read, for whoever asks whether all is in order. Links are not followed."""
    return [place for place in (home, *_below(home)) if stat.S_IMODE(place.lstat().st_mode) & 0o066 and not place.is_symlink()]


def _below(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith("postgres-"):
            continue
        yield entry
        if entry.is_dir() and not entry.is_symlink() and os.access(entry, os.R_OK | os.X_OK):
            yield from _below(entry)


def _close_tree(place: Path) -> None:
    """A directory that was closed before is not walked again: what was made in it since is private by the umask."""
    state = place.lstat()
    if stat.S_ISDIR(state.st_mode):
        was_open = bool(state.st_mode & 0o077)
        _close(place, _DIRECTORY)
        if was_open or place.name != "files":  # the only one that holds many
            for entry in place.iterdir():
                _close_tree(entry)
    elif stat.S_ISREG(state.st_mode):
        _close(place, _FILE)


def _close(place: Path, mode: int) -> None:
    state = place.stat()
    if state.st_uid == os.geteuid() and stat.S_IMODE(state.st_mode) & ~mode & 0o077:
        place.chmod(stat.S_IMODE(state.st_mode) & mode)


def _is_anothers(place: Path) -> bool:
    return place.exists() and place.stat().st_uid != os.geteuid()
