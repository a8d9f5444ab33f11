"""Becomes another program, bound to the life of its parent, if asked as another user. Started as a script, not imported.

Usage: `python -S launch.py PARENT_PID DEATH_SIGNAL MODE UID GID program [argument …]`, MODE is one of
`same` (stay who we are), `namespace` (look like UID inside a user namespace: every file of ours stays ours, so a
home under /root keeps working) and `setuid` (be UID, which must be able to reach the files).

Only the standard library, and as little of it as possible: this runs before every child process.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def enter_user_namespace(uid: int, gid: int) -> None:
    """Only this one user is mapped, so the kernel lets anybody write the map (user_namespaces(7))."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace to be had")
    process = Path("/proc/self")
    (process / "setgroups").write_text("deny")
    (process / "uid_map").write_text(f"{uid} {outer_uid} 1")
    (process / "gid_map").write_text(f"{gid} {outer_gid} 1")


def become(mode: str, uid: int, gid: int) -> None:
    if mode == "namespace":
        enter_user_namespace(uid, gid)
    elif mode == "setuid":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def main(arguments: list[str]) -> None:
    parent, death_signal, mode, uid, gid, *command = arguments
    become(mode, int(uid), int(gid))
    if sys.platform == "linux":
        # After the change of user, which would clear it (prctl(2)). The parent may have died before this line.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != int(parent):
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the purpose of this script


if __name__ == "__main__":
    main(sys.argv[1:])
