"""Files, modules, links and make targets that a page names exist: whoever follows a name must arrive somewhere."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from crm_core.models import Base

ROOT = Path(__file__).parents[2]
ROOMS = ("leadhub", "webhooks", "workers", "ingest", "connectors", "crm_core", "tests", "bench", "docs", "deploy", ".ci")

_PATH = re.compile(rf"(?<![\w./-])((?:{'|'.join(map(re.escape, ROOMS))})/[\w./-]*[\w-]/?)(?![\w*<{{]|: [A-Z])")
_MODULE = re.compile(rf"`(?:python -m )?((?:{'|'.join(room for room in ROOMS if room.isidentifier())})(?:\.[A-Za-z_]\w*)+)[`( ]")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
_TARGET = re.compile(r"`make ([a-z-]+)")
#: Names of other things than files: the settings' file, the entry point of connectors from elsewhere, the subject of a commit.
_NO_FILE = {"leadhub.toml", "leadhub.connectors"}
#: "x" and "acme" stand for whatever the reader is about to add.
_EXAMPLE = re.compile(r"(?:^|/)(?:x|acme|my_pbx|NAME)(?:[/.]|$)")


def pages() -> Iterator[Path]:
    yield from sorted(path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md")  # which tells what was
    yield from sorted((ROOT / "docs").rglob("*.md"))


def missing(page: Path) -> Iterator[str]:
    told = page.read_text("utf-8")
    for path in sorted(set(_PATH.findall(told))):
        if not _EXAMPLE.search(path) and not _exists(path):
            yield path
    for name in sorted(set(_MODULE.findall(told)) - _NO_FILE):
        if not _resolves(name):
            yield name
    for link in sorted(set(_LINK.findall(told))):
        if not (page.parent / link).exists():
            yield f"({link})"
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in sorted(set(_TARGET.findall(told))):
        if not re.search(rf"^{target}:", makefile, re.MULTILINE):
            yield f"make {target}"


def _exists(path: str) -> bool:
    """Also without its ending: `connectors/forms/tilda`, `crm_core/spam/scoring`."""
    return (ROOT / path).exists() or (ROOT / f"{path}.py").is_file()


@cache
def _resolves(name: str) -> bool:
    """A module, or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if (ROOT / Path(*parts[:length])).is_dir() or (ROOT / Path(*parts[:length])).with_suffix(".py").is_file():
            rest = parts[length:]
            return not rest or (length > 1 and _defines(".".join(parts[:length]), rest[0]))
    return False


def _defines(module: str, name: str) -> bool:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return False
    return re.search(rf"\b{re.escape(name)}\b", Path(spec.origin).read_text("utf-8")) is not None


def test_every_name_in_a_page_leads_somewhere() -> None:
    wrong = {page.relative_to(ROOT).as_posix(): names for page in pages() if (names := list(missing(page)))}
    assert wrong == {}


def test_every_table_is_named_on_the_page_of_the_architecture() -> None:
    told = (ROOT / "docs/architecture.md").read_text("utf-8").partition("## Tables")[2]
    assert [table for table in Base.metadata.tables if f"`{table}`" not in told] == []


def test_names_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`ingest/nowhere.py`, `ingest.nowhere.thing`, `crm_core.base.errors.Nothing`, [a](missing.md), `make nothing`;"
        " `crm_core/x/models.py`, `ingest/`, `crm_core.base.errors.NotFound`, `make test`, [b](page.md)"
    )
    assert list(missing(page)) == [
        "ingest/nowhere.py",
        "crm_core.base.errors.Nothing",
        "ingest.nowhere.thing",
        "(missing.md)",
        "make nothing",
    ]
