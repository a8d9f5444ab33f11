"""Python's cycle collector beside a batch."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from ingest.processing.garbage import collection_postponed


@pytest.fixture(autouse=True)
def _on_again() -> Iterator[None]:
    yield
    gc.enable()


class Circle:
    def __init__(self) -> None:
        self.itself = self


def test_nothing_is_collected_within_and_what_was_left_is_soon_after() -> None:
    gc.enable()
    with collection_postponed():
        left = weakref.ref(Circle())
        for _ in range(10_000):
            Circle()
        assert left() is not None
    _ = [[] for _ in range(10_000)]
    assert left() is None


def test_the_collector_is_on_again_after_an_error_and_stays_off_where_it_was() -> None:
    gc.enable()
    with pytest.raises(ValueError, match="x"), collection_postponed():
        raise ValueError("x")
    assert gc.isenabled()
    gc.disable()
    with collection_postponed():
        pass
    assert not gc.isenabled()
