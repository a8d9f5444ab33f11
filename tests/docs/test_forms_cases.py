"""tests/forms_cases.yaml names a proof for each of the 70 cases, each proof exists, and docs/form-cases.md is made of it.

`python tests/docs/test_forms_cases.py` writes the page.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "form-cases.md"
_HEAD = """# What forms bring, case by case

Seventy things that forms really send, or that happen to them on the way, and where it is proved what the hub makes of each. Exact bytes go in at the
door, the same bytes are in the journal, a worker reads them, and rows and answers are looked at. Samples (`connector/folder`) lie in
`connectors/forms/`; `tests/integration/test_forms_presets_end_to_end.py` sends each of them to an address of its own connector and, where the provider
can be known, to one that serves any form. This page is made of `tests/forms_cases.yaml`; a test fails if a case has no proof or a proof does not exist.

| # | what is held | where |
|---|---|---|
"""


@cache
def cases() -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = yaml.safe_load((ROOT / "tests" / "forms_cases.yaml").read_text("utf-8"))
    return found


@cache
def functions(file: str) -> dict[str, ast.FunctionDef]:
    """The test functions of a file below tests/, without importing it."""
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def _proofs() -> Iterator[tuple[int, str]]:
    for number, case in cases().items():
        for proof in case.get("tests", ()):
            yield number, proof


def page() -> str:
    rows = []
    for number, case in sorted(cases().items()):
        tests = [f"[{name}](../tests/{file})" for file, name in (proof.split("::") for proof in case.get("tests", ()))]
        samples = [f"`{sample}`" for sample in case.get("samples", ())]
        rows.append(f"| {number} | {case['holds']} | {', '.join(tests + samples)} |\n")
    return _HEAD + "".join(rows)


def test_every_case_has_a_proof() -> None:
    assert sorted(cases()) == list(range(1, 71))
    for number, case in cases().items():
        assert set(case) <= {"holds", "tests", "samples"}, number
        assert case["holds"].strip(), number
        assert case.get("tests") or case.get("samples"), number


def test_tests_exist_and_run_when_cases_name_them() -> None:
    assert [problem for number, proof in _proofs() if (problem := _wrong_with(number, proof))] == []


def _wrong_with(number: int, proof: str) -> str:
    file, _, name = proof.partition("::")
    if not (ROOT / "tests" / file).is_file():
        return f"{number}: there is no tests/{file}"
    if name not in functions(file):
        return f"{number}: tests/{file} has no {name}"
    marks = [ast.unparse(mark) for mark in functions(file)[name].decorator_list]
    return f"{number}: {name} is skipped" if any("skip" in mark or "xfail" in mark for mark in marks) else ""


def test_sample_exists_when_a_case_names_it() -> None:
    named = {sample for case in cases().values() for sample in case.get("samples", ())}
    missing = [
        sample for sample in sorted(named)
        if not (ROOT / "connectors" / "forms" / sample.replace("/", "/samples/") / "expected.json").is_file()
    ]  # fmt: skip
    assert missing == []


def test_cases_of_odd_bytes_are_each_among_the_bytes_that_are_sent() -> None:
    """Their one test is parametrized: a case that nobody sends would else look proved."""
    sent = (ROOT / "tests/integration/test_forms_case_bytes.py").read_text("utf-8")
    numbers = {int(number) for number in re.findall(r'^    "(\d+) [^"]+": Case\(', sent, re.MULTILINE)}
    named = {
        number for number, proof in _proofs()
        if proof.endswith("::test_bytes_are_answered_kept_and_read_when_they_come_so")
    }  # fmt: skip
    assert numbers == named == set(range(7, 31))


def test_page_is_written_anew_when_a_case_changes() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python tests/docs/test_forms_cases.py"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
