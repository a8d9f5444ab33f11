"""The reason that a person gives for what they do: needed or not, and how long it may be, the same at every door. Pure."""

from __future__ import annotations

from typing import Final

from crm_core.base.errors import Invalid

LONGEST: Final = 1000  # characters: a sentence or two beside a decision; a story is a comment


def needed(why: str, field: str = "why") -> str:
    """The reason without blanks around it. Raises Invalid where there is none, or too much."""
    why = optional(why, field)
    if not why:
        raise Invalid("why_missing", "Say why.", fields=[field])
    return why


def optional(why: str, field: str = "why") -> str:
    """The same where nobody has to say why: "" then."""
    why = why.strip()
    if len(why) > LONGEST:
        raise Invalid("why_too_long", f"A reason has at most {LONGEST} characters.", fields=[field], most=LONGEST)
    return why
