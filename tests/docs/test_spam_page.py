"""docs/spam.md lists every sign with its points, kind and reason, as the code has them. `python tests/docs/test_spam_page.py` writes it."""

from __future__ import annotations

from pathlib import Path

from crm_core.spam import WEIGHTS

PAGE = Path(__file__).parents[2] / "docs" / "spam.md"
_HEAD = "| sign | points | kind | why |\n|---|---|---|---|\n"


def table() -> str:
    return "".join(f"| `{code}` | {weight.points:+d} | {weight.kind} | {weight.why} |\n" for code, weight in WEIGHTS.items())


def with_table(page: str) -> str:
    before, _, after = page.partition(_HEAD)
    return before + _HEAD + table() + after[after.index("\n\n") + 1 :]


def test_page_when_a_weight_changes_is_written_anew() -> None:
    page = PAGE.read_text("utf-8")
    assert _HEAD in page
    assert with_table(page) == page


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
