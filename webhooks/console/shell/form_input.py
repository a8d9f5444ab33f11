"""What was typed into an address or a form, as the domain wants it. What does not fit is refused with its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, ValidationError

from crm_core.base.errors import Invalid
from webhooks.api.parameters import read_id
from webhooks.console.shell.request_context import entered

_NUMBER: Final = re.compile(r"-?\d{1,12}(?:[.,]\d{1,6})?", re.ASCII)

Wanted = TypeVar("Wanted", bound=BaseModel)


def filters_of(model: type[Wanted], wanted: Mapping[str, Any]) -> Wanted:
    try:
        return model.model_validate(wanted)
    except ValidationError as error:
        names = sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]})
        raise Invalid("filter", f"This does not fit: {', '.join(names)}.", fields=names, names=", ".join(names)) from error


def row_id(name: str) -> int:
    """The row that was chosen in a field of the posted form. Invalid for what cannot be one."""
    try:
        return cast(int, read_id(entered(name, 20)))
    except ValueError as error:
        raise Invalid("filter", f"This does not fit: {name}.", fields=[name], names=name) from error


def read_number(text: str) -> float:
    """A number as people write one: 15, 0.5 or 0,5. ValueError for all else, also for what the interpreter would take (1_0, 1e9, ٣)."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(text)
    return float(text.replace(",", "."))
