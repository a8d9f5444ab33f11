"""Finds the connectors: folders of this package, and entry points of others. There is no list that a new one must edit.

A connector that cannot be loaded is reported by name in `problems()` and never takes the others down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from connectors.kit.connector import Connector
from connectors.kit.replaces import ReplacedAddresses
from crm_core.base.errors import Misconfigured, NotFound

#: Entry points group by which a third party's package offers connectors. The entry's name is the connector's name,
#: its value a package that declares CONNECTOR (or holds preset.yaml), or the `Connector` itself.
GROUP = "leadhub.connectors"

_HERE = Path(__file__).resolve().parent.parent
_NOT_FAMILIES = {"kit"}  # every other folder of the package is a family: forms, telephony, mail, …


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connector lives. `folder` is None for an entry point, whose package is not known before it is loaded."""

    name: str
    family: str  # "" for an entry point
    folder: Path | None
    entry: metadata.EntryPoint | None = None

    @property
    def where(self) -> str:
        if self.entry is not None:
            owner = self.entry.dist.name if self.entry.dist else "an unknown package"
            return f"entry point {self.entry.value} of {owner}"
        return f"connectors/{self.family}/{self.name}"


def discover() -> Mapping[str, Connector]:
    """Every connector that can be used, by name, in order of family and name. Loads all of them."""
    found: dict[str, Connector] = {}
    for name in _places():
        try:
            found[name] = get(name)
        except Misconfigured:
            continue  # told by problems()
    return MappingProxyType(found)


def get(name: str) -> Connector:
    """One connector, loading no other. Raises NotFound (with the names there are) or Misconfigured (it is broken)."""
    places = _places()
    if name not in places:
        known = ", ".join(sorted(places))
        raise NotFound(
            "unknown_connector",
            f"There is no connector named {name!r}. There are: {known}.",
            names=sorted(places),
        )
    result = _load(name)
    if isinstance(result, str):
        raise Misconfigured("broken_connector", result, connector=name)
    return result


def names() -> tuple[str, ...]:
    """The names of all connectors, broken ones included, without loading any."""
    return tuple(_places())


def family_of(name: str) -> str:
    """forms, telephony, mail, …, or "" for a third party's connector."""
    return _places()[name].family


def folder_of(name: str) -> Path | None:
    """The connector's folder (README.md, samples/), if it is one of this package."""
    return _places()[name].folder


def problems() -> Mapping[str, str]:
    """What cannot be used and why: connector's name, a sentence. Loads everything."""
    told = dict(_clashes())
    for name in _places():
        result = _load(name)
        if isinstance(result, str):
            told[name] = result
    return MappingProxyType(told)


@cache
def replaced() -> ReplacedAddresses:
    """The addresses of other services at which the hub answers, as the connectors declare them. Loads all of them, once."""
    return ReplacedAddresses({name: one.replaces for name, one in discover().items() if one.replaces is not None})


def config_schema(name: str) -> dict[str, Any]:
    """JSON Schema of a connector's settings; secret ones carry `"secret": true`. The console's form is made of it."""
    return get(name).config_model.model_json_schema()


def forget() -> None:
    """Looks at the folders anew. For tools that make connectors; a running hub finds them once."""
    _scan.cache_clear()
    _load.cache_clear()
    replaced.cache_clear()


@cache
def _scan() -> tuple[dict[str, Place], dict[str, str]]:
    places: dict[str, Place] = {}
    clashes: dict[str, str] = {}
    for family in sorted(p for p in _HERE.iterdir() if p.is_dir() and p.name not in _NOT_FAMILIES):
        for folder in sorted(p for p in family.iterdir() if p.is_dir() and p.name[:1] not in "._"):
            if not (folder / "__init__.py").exists() and not (folder / "preset.yaml").exists():
                if any(child.name != "__pycache__" for child in folder.iterdir()):
                    clashes[folder.name] = f"connectors/{family.name}/{folder.name} has neither __init__.py nor preset.yaml."
                continue
            place = Place(folder.name, family.name, folder)
            if place.name in places:
                clashes[f"{family.name}/{place.name}"] = f"{place.where} has the name of {places[place.name].where}."
            else:
                places[place.name] = place
    for entry in metadata.entry_points(group=GROUP):
        place = Place(entry.name, "", None, entry)
        if place.name in places:
            clashes[f"{place.name} ({place.where})"] = f"{place.where} has the name of {places[place.name].where}."
        else:
            places[place.name] = place
    return places, clashes


def _places() -> dict[str, Place]:
    return _scan()[0]


def _clashes() -> dict[str, str]:
    return _scan()[1]


@cache
def _load(name: str) -> Connector | str:
    """The connector, or the sentence that says why it cannot be used."""
    place = _places()[name]
    try:
        connector = _declared(place)
    except Exception as error:  # noqa: BLE001 foreign code runs here, and its fault must stay its own
        return f"The connector {name!r} ({place.where}) cannot be loaded: {type(error).__name__}: {error}"
    if connector.name != name:
        return f"{place.where} declares the name {connector.name!r}; it must be {name!r}."
    return connector


def _declared(place: Place) -> Connector:
    if place.entry is None:
        assert place.folder is not None
        if not (place.folder / "__init__.py").exists():
            return _with_docs(_preset(place.folder, place.name), place.folder)
        return _of_module(import_module(f"connectors.{place.family}.{place.name}"), place.name)
    loaded = place.entry.load()
    return loaded if isinstance(loaded, Connector) else _of_module(loaded, place.name)


def _of_module(module: ModuleType, name: str) -> Connector:
    folder = Path(module.__file__).parent if module.__file__ else Path(next(iter(module.__path__)))
    declared = getattr(module, "CONNECTOR", None)
    if declared is None and (folder / "preset.yaml").exists():
        declared = _preset(folder, name)
    if not isinstance(declared, Connector):
        raise Misconfigured("no_connector", f"{module.__name__} declares no CONNECTOR of type connectors.kit.Connector.")
    return _with_docs(declared, folder)


def _with_docs(connector: Connector, folder: Path) -> Connector:
    readme, guide = folder / "README.md", folder / "guide.yaml"
    if not connector.docs and readme.exists():
        connector = replace(connector, docs=readme.read_text(encoding="utf-8"))
    if connector.guide_file is None and guide.exists():
        connector = replace(connector, guide_file=guide)
    return connector


def _preset(folder: Path, name: str) -> Connector:
    from connectors.kit.preset import load

    return replace(load(folder), name=name)  # a third party's package is not named like its connector
