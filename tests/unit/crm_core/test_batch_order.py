"""What the batch knows of its subjects, and they of it."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import crm_core
from crm_core.intake import SUBJECTS

ROOM = Path(crm_core.__file__).parent
_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE)\b")


def texts_of(path: Path) -> Iterator[str]:
    """All literal texts of a module but its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


@pytest.mark.parametrize("path", sorted((ROOM / "intake").glob("*.py")), ids=lambda path: path.name)
def test_the_order_of_a_batch_knows_no_columns(path: Path) -> None:
    assert [text for text in texts_of(path) if _SQL.search(text)] == []


def test_every_subject_that_declares_itself_takes_part_once() -> None:
    declared = [
        importlib.import_module(f"crm_core.{path.parent.name}.{path.stem}").SUBJECT
        for path in ROOM.glob("*/*.py")
        if re.search(r"^SUBJECT = ", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert sorted(subject.name for subject in declared) == sorted(subject.name for subject in SUBJECTS)
    assert all(subject in SUBJECTS for subject in declared)


def test_no_two_subjects_take_the_same_kind_of_item() -> None:
    kinds = [kind for subject in SUBJECTS for kind in subject.takes]
    assert len(kinds) == len(set(kinds)) > 0
