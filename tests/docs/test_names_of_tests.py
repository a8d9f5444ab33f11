"""A test file is named after what it tests; when and why somebody wrote it stands in the history."""

from __future__ import annotations

import re
from pathlib import Path

_OF_AN_EDIT = re.compile(r"(?:^|_)(?:review|second|third|round|wave|issue|regression|bugfix|fix|misc)\d*(?:_|$)")
TESTS = Path(__file__).parents[1]


def test_no_test_file_is_named_after_the_edit_that_brought_it() -> None:
    names = [path.stem for path in TESTS.rglob("test_*.py")]
    assert len(names) > 100
    told = [name for name in names if _OF_AN_EDIT.search(name.removeprefix("test_"))]
    assert told == []
