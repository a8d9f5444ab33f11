"""Keeps Python's cycle collector out of a batch: it would look again and again at thousands of values that are all in use."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_postponed() -> Iterator[None]:
    """What the block leaves behind is collected at the first allocation after it. Memory is bounded by what bounds the block."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
