"""Who a server runs as. PostgreSQL refuses root, so root starts it as somebody else who can still reach the files.

Refuses with words when nobody else can: it never loosens the permissions of a directory it did not make.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from crm_core.base.errors import Misconfigured

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Identity:
    """`mode` as in `leadhub.embedded.launch`; `owner` is who must own the data directory on disk."""

    mode: str
    uid: int
    gid: int
    owner: int


def wrapped(argv: list[str], identity: Identity, death_signal: signal.Signals) -> list[str]:
    """The command line that runs `argv` as `identity` and ends it with `death_signal` when this process dies."""
    return [
        sys.executable, "-S", "-E", str(LAUNCHER), str(os.getpid()), str(int(death_signal)),
        identity.mode, str(identity.uid), str(identity.gid), *argv,
    ]  # fmt: skip


def same_identity() -> Identity:
    return Identity("same", os.geteuid(), os.getegid(), os.geteuid())


def unprivileged_identity(data: Path) -> Identity:
    """Who runs PostgreSQL on `data`: we ourselves, or as root the data's owner, a namespace's user, or `nobody`."""
    euid = os.geteuid()
    named = _has_name(euid)
    if euid != 0 and named:
        return same_identity()
    if euid == 0 and data.exists() and (state := data.stat()).st_uid != 0:
        return Identity("setuid", state.st_uid, _group_of(state), state.st_uid)
    other = _another_user()
    inside = Identity("namespace", other.pw_uid, other.pw_gid, euid)
    if _works(inside):
        return inside
    if euid != 0:  # initdb asks for the user's name and stops without one
        raise Misconfigured(
            "user_without_name",
            f"User id {euid} has no name in /etc/passwd and PostgreSQL insists on one. Add an entry, or set "
            "LEADHUB_DATABASE_URL to a server of your own.",
        )
    return Identity("setuid", other.pw_uid, other.pw_gid, other.pw_uid)


def reachable_by_others(path: Path) -> bool:
    """True when every directory above `path` that is there lets any user pass; those to come are made that way."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents if parent.exists())


def require_reachable(directory: Path, identity: Identity) -> None:
    if identity.mode == "setuid" and not reachable_by_others(directory):
        user = pwd.getpwuid(identity.uid).pw_name
        raise Misconfigured(
            "home_not_reachable",
            f"PostgreSQL does not run as root, this machine gives no user namespaces, and the user {user!r} cannot "
            f"enter {directory.parent}. Set LEADHUB_HOME to a directory that others may enter (for example "
            "/var/lib/leadhub), or run as an ordinary user, or set LEADHUB_DATABASE_URL to a server of your own.",
            path=str(directory),
        )


def reachable_tree(tree: Path, copies: Path, identity: Identity) -> Path:
    """`tree` itself, or a copy of it under `copies` where the other user can execute it (made once)."""
    if identity.mode != "setuid" or reachable_by_others(tree / "bin" / "postgres"):
        return tree
    copy = copies / tree.name
    if not copy.exists():
        half = copies / f"{tree.name}.partial"
        shutil.rmtree(half, ignore_errors=True)
        copies.mkdir(parents=True, exist_ok=True)
        shutil.copytree(tree, half, symlinks=True)
        half.rename(copy)
    return copy


def give_to(path: Path, identity: Identity) -> None:
    """Makes `path` (a directory) and all below it belong to the identity's owner. Only root may and needs to."""
    if os.geteuid() != 0 or path.stat().st_uid == identity.owner:
        return
    for root, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(root, name), identity.owner, -1, follow_symlinks=False)
    os.chown(path, identity.owner, -1)


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _group_of(state: os.stat_result) -> int:
    """The owner's own group; the directory's may be root's, because only its owner was changed."""
    try:
        return pwd.getpwuid(state.st_uid).pw_gid
    except KeyError:
        return state.st_gid


def _another_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        return next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)


def _works(identity: Identity) -> bool:
    probe = wrapped([sys.executable, "-S", "-E", "-c", ""], identity, signal.SIGKILL)
    return subprocess.run(probe, capture_output=True, check=False, timeout=20).returncode == 0
