"""Values that nobody changes, of which every inquiry makes dozens: as a frozen data class, without what that costs while running."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[C]) -> type[C]:
    """A data class with slots, equality and a hash. The type checker refuses every assignment to a field, as it does for
    `frozen=True`; the interpreter does not, which makes a value of ten fields in a sixth of the time."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
