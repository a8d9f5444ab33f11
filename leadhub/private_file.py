"""Small files that only their owner reads: passwords, keys, addresses. Each is written whole or not at all.

A disk that is full in the middle would else leave an empty password, which is worse than none.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Replaces the file at once. OSError if the disk does not take it; then the earlier one is still there."""
    with _written_beside(path, text) as half:
        half.rename(path)


def write_if_other(path: Path, text: str) -> None:
    """`write`, unless the file says so already: nothing to write needs no room."""
    with contextlib.suppress(FileNotFoundError):
        if path.read_text(encoding="utf-8") == text:
            return
    write(path, text)


def make_once(path: Path, text: str) -> str:
    """What the file says; it is made with `text` if there is none. Of two who make it at once, both get the first one's."""
    if not path.exists():
        with _written_beside(path, text) as half, contextlib.suppress(FileExistsError):
            try:
                path.hardlink_to(half)  # unlike a rename it does not replace what somebody else has just made
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.EOPNOTSUPP):  # a file system without links
                    raise
                half.rename(path)
    return path.read_text(encoding="utf-8")


@contextmanager
def _written_beside(path: Path, text: str) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600 by itself
    half = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield half
    finally:
        half.unlink(missing_ok=True)
