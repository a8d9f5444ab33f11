"""Phones in running text, where most digits are something else. Demands +7/8, a label or separators."""

from __future__ import annotations

from collections.abc import Iterator

from crm_core.identity.fieldtext import Part


def phone_parts(text: str, region: str) -> Iterator[Part]:
    yield from ()
