"""Rows and arrays as PostgreSQL reads them: nothing in a text ends a cell, a row or an array."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum

import pytest

from crm_core.base.copying import as_copied, numbers, texts


class Kind(StrEnum):
    form = "form"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"), ("", ""), (None, r"\N"), (r"\N", r"\\N"), ("a\tb\nc\rd", r"a\tb\nc\rd"), ("C:\\new", r"C:\\new"), (7, "7"), (True, "t"),
        (False, "f"), (1.5, "1.5"), (datetime(2026, 11, 28, 7, tzinfo=UTC), "2026-11-28T07:00:00+00:00"), ({"a": "x\ny\t\\"}, r'{"a":"x\\ny\\t\\\\"}'),
        (date(2026, 11, 28), "2026-11-28"), (Kind.form, "form"), ([], "[]"), ({1: "number"}, '{"1":"number"}'),
    ],
)  # fmt: skip
def test_value_is_written_as_copy_reads_it(value: object, written: str) -> None:
    alone = as_copied(["a"], [{"a": value}])
    beside = as_copied(["a"], [{"a": value}, {"a": "another"}, {"a": value}])
    assert alone == written + "\n"
    assert beside == f"{written}\nanother\n{written}\n"


def test_columns_keep_their_order_and_what_a_row_lacks_is_null() -> None:
    rows = [{"b": 1, "a": "x"}, {"a": "y"}, {"a": "z", "b": 3, "c": "beside"}]
    assert as_copied(["a", "b"], rows) == "x\t1\ny\t\\N\nz\t3\n"


def test_true_is_no_one_and_one_is_no_true_in_a_column_of_both() -> None:
    assert as_copied(["a"], [{"a": True}, {"a": True}]) == "t\nt\n"
    assert as_copied(["a"], [{"a": 2}, {"a": None}]) == "2\n\\N\n"
    assert as_copied(["a"], [{"a": 1}, {"a": True}]) == "1\nt\n"


def test_json_that_python_takes_for_equal_is_written_as_each_row_has_it() -> None:
    rows = [{"a": {"agreed": 1}}, {"a": {"agreed": True}}, {"a": {"agreed": 1.0}}]
    assert as_copied(["a"], rows) == '{"agreed":1}\n{"agreed":true}\n{"agreed":1.0}\n'
    assert as_copied(["a"], [{"a": [0]}, {"a": [False]}]) == "[0]\n[false]\n"


def test_arrays_hold_any_text() -> None:
    assert numbers([1, None, 3]) == "{1,NULL,3}"
    assert texts(['say "no"', "back\\slash", "", "a,b}{", "NULL"]) == '{"say \\"no\\"","back\\\\slash","","a,b}{","NULL"}'
    assert (numbers([]), texts([])) == ("{}", "{}")
