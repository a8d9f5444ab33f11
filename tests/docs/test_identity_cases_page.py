"""tests/identity_cases.yaml names a proof for each case of identity and routing, each proof exists, and docs/identity-cases.md is
made of it.

`python tests/docs/test_identity_cases_page.py` writes the page.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "identity-cases.md"
_HEAD = """# Who is who and who gets it, case by case

What people write and do, and where it is proved what the hub makes of it: numbers (1 to 30), addresses (31 to 46), names, companies and merging
(47 to 62), many at once and repeats (63 to 72), routing and deadlines (73 to 95). This page is
made of `tests/identity_cases.yaml`; a test fails if a case has no proof or a proof does not exist.

| # | what is held | where |
|---|---|---|
"""


@cache
def cases() -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = yaml.safe_load((ROOT / "tests" / "identity_cases.yaml").read_text("utf-8"))
    return found


@cache
def functions(file: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def page() -> str:
    rows = []
    for number, case in sorted(cases().items()):
        tests = [f"[{name}](../tests/{file})" for file, name in (proof.split("::") for proof in case["tests"])]
        rows.append(f"| {number} | {case['holds']} | {', '.join(tests)} |\n")
    return _HEAD + "".join(rows)


def test_every_case_of_identity_has_a_proof() -> None:
    assert set(cases()) == set(range(1, 96))
    for number, case in cases().items():
        assert set(case) == {"holds", "tests"}, number
        assert case["holds"].strip(), number
        assert case["tests"], number


def test_proofs_exist_and_run_when_cases_of_identity_name_them() -> None:
    wrong = []
    for number, case in cases().items():
        for file, _, name in (proof.partition("::") for proof in case["tests"]):
            if not (ROOT / "tests" / file).is_file() or name not in functions(file):
                wrong.append(f"{number}: there is no {file}::{name}")
            elif any("skip" in (mark := ast.unparse(one)) or "xfail" in mark for one in functions(file)[name].decorator_list):
                wrong.append(f"{number}: {name} is skipped")
    assert wrong == []


def test_page_of_identity_is_written_anew_when_a_case_changes() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python tests/docs/test_identity_cases_page.py"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
