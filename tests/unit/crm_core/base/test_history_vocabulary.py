"""History has one writer, and its words are a closed vocabulary: read from the code itself, so that a new one cannot slip by."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_core.base import history
from webhooks.console.shell.language import LOCALES, Language

ROOMS = ("crm_core", "connectors", "ingest", "workers", "webhooks", "leadhub")
ROOT = Path(history.__file__).parents[2]
_WRITER = Path("crm_core/base/history.py")

_INSERT = re.compile(r"INSERT\s+INTO\s+(touch|audit_entry|outbox_entry)\b", re.IGNORECASE)
_TABLES = {"Touch", "AuditEntry", "OutboxEntry", "touch", "audit_entry", "outbox_entry"}


def _files() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT)
            if name != _WRITER and "migrations" not in name.parts:
                yield name.as_posix(), ast.parse(path.read_text("utf-8"))


def _writes_history(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _INSERT.search(node.value) is not None
    if not isinstance(node, ast.Call):
        return False
    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if called == "audit" and len(node.args) > 2:
        return True
    names = [getattr(arg, "id", getattr(arg, "attr", getattr(arg, "value", None))) for arg in node.args[:2]]
    return called in {"insert", "upsert", "insert_rows", "copy_rows"} and bool(
        _TABLES & {name for name in names if isinstance(name, str)}
    )


def _actions() -> dict[str, list[tuple[str, history.Action]]]:
    """Every declared action: name → where it is declared (module.CONSTANT)."""
    found: dict[str, list[tuple[str, history.Action]]] = {}
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if module.name.endswith(".__main__") or ".migrations" in module.name:
                continue
            loaded = importlib.import_module(module.name)
            for name, value in vars(loaded).items():
                if isinstance(value, history.Action) and f"{name} = history.Action(" in Path(loaded.__file__ or "").read_text(
                    "utf-8"
                ):
                    found.setdefault(value.name, []).append((f"{module.name}.{name}", value))
    return found


def test_only_history_writes_history() -> None:
    writers = {name for name, tree in _files() if any(_writes_history(node) for node in ast.walk(tree))}
    assert writers == set(), "these write a touch, an audit row or an outbox row past crm_core.base.history"


@pytest.mark.parametrize(
    "foreign",
    ["audit(connection, actor, 'lead.change', 'lead:1')", "access.audit(c, a, 'x.y', 's')", "insert(Touch)", "insert(models.AuditEntry)",
     "insert_rows(cursor, 'touch', rows)", "copy_rows(cursor, 'touch', rows)", "text('INSERT INTO audit_entry (actor) VALUES (1)')", "f'insert into touch ({x}) SELECT'"],
)  # fmt: skip
def test_a_foreign_writer_is_found(foreign: str) -> None:
    assert any(_writes_history(node) for node in ast.walk(ast.parse(foreign)))


def test_actions_are_declared_once_as_constants_of_a_module() -> None:
    for name, tree in _files():
        declared = {
            id(node.value) for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        }
        made = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Action", "history.Action"}
        ]
        assert [node.lineno for node in made if id(node) not in declared] == [], name
        assert all(ast.unparse(node.func) == "history.Action" for node in made), f"{name}: write history.Action"
    actions = _actions()
    assert {name: places for name, places in actions.items() if len(places) > 1} == {}
    assert "lead.create" in actions


@pytest.mark.parametrize("locale", LOCALES)
def test_every_action_has_words(locale: str) -> None:
    actions = set(_actions())
    assert len(actions) > 40
    assert {name for name in actions if not Language(locale).knows("audit_action", name)} == set()


@pytest.mark.parametrize("name", ["lead", "lead.", "Lead.change", "lead.change.more", "lead change", ""])
def test_an_action_is_named_subject_and_verb(name: str) -> None:
    with pytest.raises(ValueError, match=r"subject\.verb"):
        history.Action(name)


def test_subjects_are_named_by_kind_and_number() -> None:
    assert history.Action("lead.assign").subject(7) == "lead:7"
    assert history.Action("mapping.publish", "source").subject("3") == "source:3"
    assert history.Action("hub.restore").subject(None) == "hub"


def test_a_touch_is_written_for_exactly_those_actions_that_declare_one() -> None:
    touch = history.Touch(1, datetime(2026, 11, 27, tzinfo=UTC))
    with pytest.raises(TypeError, match="needs a touch"):
        history.record(None, "cli", history.Action("lead.change", touch="stage"), 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="leaves no touch"):
        history.record(None, "cli", history.Action("source.pause"), 1, None, touch)  # type: ignore[arg-type]
