"""Connectors are found where they lie, and a broken one is told by name and takes no other down."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from connectors.kit import Connector, registry
from crm_core.base.errors import Misconfigured, NotFound

PLUGIN = """
from connectors.kit import Connector
from crm_core.parsed import Ignored
CONNECTOR = Connector(name="{name}", channel="form", title="Third party", parse=lambda request, config: [Ignored("x")])
"""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    registry.forget()
    yield
    registry.forget()


def install(site: Path, monkeypatch: pytest.MonkeyPatch, entry: str, code: str, module: str) -> None:
    """A third party's distribution, as pip would lay it down."""
    (site / f"{module}.py").write_text(code)
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{entry} = {module}\n")
    monkeypatch.syspath_prepend(str(site))
    registry.forget()


def test_first_citizens_are_found_when_discovered() -> None:
    assert {"generic_form", "generic_call", "zadarma"} <= set(registry.discover())
    assert registry.family_of("zadarma") == "telephony"


def test_names_are_listed_when_asked_for_an_unknown_one() -> None:
    with pytest.raises(NotFound, match="generic_form"):
        registry.get("nope")


def test_page_is_attached_when_a_connector_is_loaded() -> None:
    assert registry.get("generic_call").docs.startswith("# Any telephone exchange")


def test_secret_settings_are_marked_when_shown_as_schema() -> None:
    properties = registry.config_schema("zadarma")["properties"]
    assert properties["secret"]["secret"] is True
    assert "secret" not in properties["timezone"]


def test_plugin_is_found_when_a_package_offers_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "acme", PLUGIN.format(name="acme"), "leadhub_acme_ok")
    assert isinstance(registry.get("acme"), Connector)
    assert (registry.family_of("acme"), registry.folder_of("acme")) == ("", None)
    assert dict(registry.problems()) == {}


def test_plugin_is_found_when_it_is_a_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "leadhub_acme_mapping"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "preset.yaml").write_text("title: Acme\nchannel: form\n")
    (package / "README.md").write_text("# Acme\n")
    install(tmp_path, monkeypatch, "acme", "", "leadhub_acme_mapping")
    connector = registry.get("acme")
    assert (connector.name, connector.title, connector.docs) == ("acme", "Acme", "# Acme\n")


@pytest.mark.parametrize(
    "entry, code, said",
    [
        ("acme", "1 / 0", "ZeroDivisionError"),
        ("acme", "import no_such_module_anywhere", "ModuleNotFoundError"),
        ("acme", "CONNECTOR = 5", "declares no CONNECTOR"),
        ("acme", PLUGIN.format(name="other"), "declares the name 'other'"),
    ],
)
def test_others_work_when_a_plugin_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, code: str, said: str
) -> None:
    install(tmp_path, monkeypatch, entry, code, f"leadhub_broken_{abs(hash(said))}")
    assert said in registry.problems()["acme"]
    assert "zadarma" in registry.discover()
    assert "acme" not in registry.discover()
    with pytest.raises(Misconfigured, match="acme"):
        registry.get("acme")


def test_plugin_is_refused_when_its_name_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "zadarma", PLUGIN.format(name="zadarma"), "leadhub_acme_twice")
    assert registry.get("zadarma").title == "Zadarma, Novofon (API v1)"
    assert [said for said in registry.problems().values() if "has the name of connectors/telephony/zadarma" in said]


def test_group_is_free_of_strangers_when_nothing_is_installed() -> None:
    assert list(metadata.entry_points(group=registry.GROUP)) == []
