"""The tools of the kit: a new folder passes the suite as it is made, and the catalogue is current."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.kit import guide, preset
from connectors.kit.tools import catalogue, new
from connectors.kit.tools.samples import samples_of
from crm_core.base.errors import Misconfigured


def test_catalogue_is_current_when_compared() -> None:
    assert catalogue.PAGE.read_text(encoding="utf-8") == catalogue.page(), "run: python -m connectors.kit.tools.catalogue"


@pytest.mark.parametrize("family, is_preset", [("forms", False), ("telephony", False), ("forms", True)])
def test_new_connector_has_samples_and_page_when_made(tmp_path: Path, family: str, is_preset: bool) -> None:
    folder = new.create("acme_cloud", family, preset=is_preset, root=tmp_path)
    assert (folder / "README.md").read_text().startswith("# Acme Cloud\n")
    assert guide.read(folder / "guide.yaml").summary.ru.startswith("Что приходит")
    assert len(list(folder.glob("samples/*/request.json"))) >= 3
    for code in folder.glob("*.py"):
        compile(code.read_text(), str(code), "exec")
        assert "NAME" not in code.read_text()


def test_new_mapping_reads_its_samples_when_made(tmp_path: Path) -> None:
    folder = new.create("acme_forms", "forms", preset=True, root=tmp_path)
    connector = preset.load(folder)
    samples = {sample.folder.name: sample for sample in samples_of(connector, folder)}
    inquiry = connector.parse(samples["form__all_fields"].request, samples["form__all_fields"].config)[0]
    assert (inquiry.name, inquiry.phones, inquiry.fields["City"]) == ("Ivan", ("+79123456760",), "Tver")  # type: ignore[union-attr]
    assert json.loads((folder / "samples/form__all_fields/request.json").read_text())["body"].startswith("Name=")


@pytest.mark.parametrize("wanted, family", [("Bad-Name", "forms"), ("generic_form", "forms"), ("fine", "mail")])
def test_new_connector_is_refused_when_its_name_cannot_be(tmp_path: Path, wanted: str, family: str) -> None:
    with pytest.raises(Misconfigured):
        new.create(wanted, family, root=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "summary",
    ["Two sentences. Here is the second.", "No full stop", "x" * 120 + ".", "Ends with a question?", "Two\nlines."],
)
def test_summary_is_one_plain_sentence(summary: str) -> None:
    words = {"en": summary, "ru": "Одно предложение."}
    with pytest.raises(ValidationError):
        guide.Guide.model_validate({"summary": words, "steps": {"en": ["x"], "ru": ["x"]}})


def test_guide_that_is_wrong_takes_no_connector_down(tmp_path: Path) -> None:
    folder = new.create("acme_words", "forms", preset=True, root=tmp_path)
    (folder / "guide.yaml").write_text("summary: [not, words]\n")
    with pytest.raises(Misconfigured, match=r"guide\.yaml: summary"):
        guide.read(folder / "guide.yaml")
    connector = replace(preset.load(folder), guide_file=folder / "guide.yaml")
    assert guide.guide_of(connector) is None
