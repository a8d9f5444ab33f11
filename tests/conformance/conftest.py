"""One suite for all connectors: each connector and each of its samples is a case, found as the hub finds them."""

from __future__ import annotations

import pytest

from connectors.kit import registry
from connectors.kit.tools.samples import Sample, samples_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`name` runs over the connectors of this repository, `name, sample` over all their samples."""
    names = [name for name in registry.discover() if registry.folder_of(name)]
    if "sample" in metafunc.fixturenames:
        cases = [(name, sample) for name in names for sample in _samples(name)]
        metafunc.parametrize(("name", "sample"), cases, ids=[f"{n}-{s.folder.name}" for n, s in cases])
    elif "name" in metafunc.fixturenames:
        metafunc.parametrize("name", names)


def _samples(name: str) -> list[Sample]:
    folder = registry.folder_of(name)
    return list(samples_of(registry.get(name), folder)) if folder else []
