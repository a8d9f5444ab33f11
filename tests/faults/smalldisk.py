"""A disk of a test's own that can be filled to the last byte and freed again.

A tmpfs where mounting is permitted (root, as in CI). Elsewhere a file large enough to cross a floor that lies just below
what is free: the hub meets the same floor, only PostgreSQL never meets the end of the disk.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MEBIBYTE = 1024 * 1024
_SIZE_MB = 400  # a new hub takes 70 of it
_FLOOR_MB = 100
_CROSSING_MB = 400  # more than others on the same disk write or free in the seconds of a test


@dataclass(frozen=True, slots=True)
class SmallDisk:
    place: Path
    floor_mb: int
    ends: bool  # it has a last byte that we can reach

    def fill(self) -> None:
        # Unbuffered: what a buffer still held when the disk was full would be refused once more in closing the file.
        with (self.place / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            for _ in range((_SIZE_MB if self.ends else 2 * _CROSSING_MB) * 16):
                file.write(b"\0" * (MEBIBYTE // 16))

    def free(self) -> None:
        (self.place / "filler").unlink()


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[SmallDisk]:
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE_MB}m,mode=0755", "leadhub-test", str(directory)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        found = os.statvfs(directory)
        yield SmallDisk(directory, found.f_bavail * found.f_frsize // MEBIBYTE - _CROSSING_MB, ends=False)
        return
    try:
        yield SmallDisk(directory, _FLOOR_MB, ends=True)
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
