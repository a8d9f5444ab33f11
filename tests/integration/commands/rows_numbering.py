"""Importing ranges of the numbering plan."""

from __future__ import annotations

import atexit
import tempfile
from pathlib import Path

from door_frame import Case, Row, in_transaction

from crm_core.numbering.commands import import_ranges

_FILE = "912;2000000;2999999;1000000;МТС;Свердловская обл.\n"
_FOLDER = tempfile.TemporaryDirectory()
atexit.register(_FOLDER.cleanup)


def _file(text: str) -> str:
    """The command line takes a path."""
    path = Path(_FOLDER.name) / f"{len(text)}.csv"
    path.write_text(text, "utf-8")
    return str(path)


ROWS = (
    Row(
        import_ranges,
        "numbering.write",
        in_transaction(lambda connection, _hub, principal, i: import_ranges(connection, principal, {"file": i["file"].encode()})),
        cli=lambda i: ("numbering", "import", _file(i["file"])),
        again="more",
        cases=(
            Case("mobiles", {"file": _FILE}),
            Case("another kind of file", {"file": "name;phone\nIvan;1\n"}, "numbering_file"),
        ),
    ),
)
