"""Every query asks for rows through `select_visible`, or says why it need not. Read from the sources, without a database."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import false, select
from sqlalchemy.orm import aliased

import crm_core
from crm_core.access import Principal
from crm_core.access.visibility import RULES, select_any, select_visible
from crm_core.contacts.models import Contact
from crm_core.leads.models import Lead
from crm_core.models import Base
from crm_core.sources.models import Source

ROOM = Path(crm_core.__file__).parent

#: Tables that belong to rows with a rule, and say something of somebody: they are reached through those rows.
BELONGING = {"consent", "mail_message", "assignment", "merge_event", "suggestion", "contact_identifier", "identifier"}
MODELS = {one.class_.__name__: one.local_table.description for one in Base.registry.mappers}
PROTECTED = {name for name, of_table in MODELS.items() if of_table in {*RULES, *BELONGING}}

MANAGER = Principal("user", 1, "Anna", "manager", 7)


def query_modules() -> list[Path]:
    """Where rows are read for somebody to see. A command, which writes, asks for itself."""
    return [path for path in sorted(ROOM.rglob("*.py")) if _is_query(path)]


def _is_query(path: Path) -> bool:
    source = path.read_text("utf-8")
    asks = any(f"import {name}" in source or f", {name}" in source for name in ("select_visible", "select_any"))
    writes = any(f"{verb}(" in source for verb in ("insert", "update", "delete"))  # with_for_update( too
    return path.name.endswith("queries.py") or (asks and not writes)


def bare_selects(source: str) -> Iterator[int]:
    """Lines of selects that name a protected model, an alias or the columns of one, and ask nobody."""
    tree = ast.parse(source)
    names = set(PROTECTED)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _takes_from(node.value, names):
            for target in node.targets:
                names |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _named(node.func) in ("select", "select_from"):
            if isinstance(node.func, ast.Attribute) and _begins_with_a_rule(node.func.value):
                continue
            if any(_mentions(part, names) for part in node.args):
                yield node.lineno


def _takes_from(value: ast.expr, names: set[str]) -> bool:
    """An alias of a model, or its columns as such."""
    parts = list(ast.walk(value))
    makes = any(isinstance(one, ast.Call) and _named(one.func) == "aliased" for one in parts)
    columns = any(isinstance(one, ast.Attribute) and one.attr == "__table__" for one in parts)
    return (makes or columns) and _mentions(value, names)


def _mentions(part: ast.expr, names: set[str]) -> bool:
    return any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(part))


def _named(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""


def _begins_with_a_rule(chain: ast.expr) -> bool:
    return any(isinstance(one, ast.Call) and _named(one.func) in ("select_visible", "select_any") for one in ast.walk(chain))


@pytest.mark.parametrize("module", query_modules(), ids=lambda path: str(path.relative_to(ROOM)))
def test_a_query_selects_only_what_is_visible(module: Path) -> None:
    assert list(bare_selects(module.read_text("utf-8"))) == []


@pytest.mark.parametrize("planted", [
    "rows = select(Lead.id).where(Lead.id == 1)",
    "_Root = aliased(Contact)\nrows = select(Owner.name, _Root.name)",
    "_COLUMNS = tuple(Touch.__table__.columns)\nrows = select(*_COLUMNS)",
    "rows = select(func.count()).select_from(Call)",
    "rows = select(InboundEvent.uid, Activity.phone).join(Activity)",
    "rows = select_visible(Lead, me).where(Lead.contact_id.in_(select(Contact.id)))",
])  # fmt: skip
def test_a_select_that_asks_nobody_is_found(planted: str) -> None:
    assert list(bare_selects(planted))


@pytest.mark.parametrize("innocent", [
    "rows = select(Owner.id)", "rows = select_visible(Lead, me, Lead.id)", "rows = select_any(Lead.id, because='it was seen')",
    "rows = select_any(func.count(), because='a number').select_from(Lead)",
])  # fmt: skip
def test_a_select_that_asks_is_not_found(innocent: str) -> None:
    assert list(bare_selects(innocent)) == []


def test_there_are_queries_to_look_at() -> None:
    asked = [path for path in query_modules() if "select_visible" in path.read_text("utf-8")]
    assert len(asked) >= 8


def test_a_kind_of_row_without_a_rule_cannot_be_selected() -> None:
    with pytest.raises(KeyError):
        select_visible(Source, MANAGER)


def test_rows_for_anybody_need_a_reason() -> None:
    with pytest.raises(ValueError, match="Say what keeps"):
        select_any(Lead.id, because="")


def test_a_rule_is_about_the_rows_asked_for_and_not_about_others_of_the_statement() -> None:
    other = aliased(Contact)
    statement = select_visible(Contact, MANAGER, Contact.id).join(other, other.root_id == Contact.id)
    told = str(statement)
    assert "contact.owner_id = " in told
    assert str(select_visible(other, MANAGER, other.id)).count("contact_1.owner_id = ") == 1


def test_whoever_is_nobody_sees_nothing() -> None:
    nobody = Principal("token", 1, "stray", "manager")
    assert str(select_visible(Lead, nobody, Lead.id)) == str(select(Lead.id).select_from(Lead).where(false()))
