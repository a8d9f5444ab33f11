"""Whoever reads the database answers with dataclasses: annotations of the whole source are read for rows as dictionaries."""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from sqlalchemy import Connection, Engine

import crm_core
import ingest

#: What is no record: {actor: name}, {contact id: its data} look something up by a key that is data itself.
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def is_record(answer: Any) -> bool:
    """Whether a type holds, at any depth, a dictionary of names to anything: fields that no type checker knows."""
    if is_typeddict(answer) or answer in _MAPPINGS:
        return True
    key_and_value = get_args(answer)
    if get_origin(answer) in _MAPPINGS and key_and_value[0] is str and key_and_value[1] in (Any, object):
        return True
    return any(is_record(part) for part in key_and_value)


def queries(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Public functions of a module that read the database; of a `queries.py` all of them."""
    for name, function in vars(module).items():
        if name.startswith("_") or not inspect.isfunction(function) or function.__module__ != module.__name__:
            continue
        takes = [hint for argument, hint in get_type_hints(function).items() if argument != "return"]
        if module.__name__.endswith(".queries") or Connection in takes or Engine in takes:
            yield f"{module.__name__}.{name}", function


def _modules() -> Iterator[ModuleType]:
    for room in (crm_core, ingest):
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if ".migrations" not in found.name:
                yield importlib.import_module(found.name)


def test_query_when_it_answers_returns_no_dictionary_of_fields() -> None:
    found = dict(query for module in _modules() for query in queries(module))
    assert {"crm_core.leads.queries.get_lead", "ingest.monitoring.health.queue_report"} <= found.keys()
    assert [name for name, function in found.items() if is_record(get_type_hints(function).get("return"))] == []


@dataclass(frozen=True)
class _View:
    id: int


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (dict[str, Any], True),
        (list[dict[str, object]], True),
        (tuple[int, Mapping[str, Any]] | None, True),
        (dict, True),
        (dict[int, list[dict[str, Any]]], True),
        (_View, False),
        (list[_View], False),
        (dict[int, _View], False),
        (dict[str, str], False),
        (None, False),
    ],
)
def test_record_is_told_from_a_view_and_from_a_look_up(answer: Any, expected: bool) -> None:
    assert is_record(answer) is expected
