"""What the reason of an event still says after the event went through again and its lead stayed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Why it came to this person and to this lead: decided once, and not decided again when the event is only rewritten.
_EVIDENCE: Final = ("match", "double", "thread", "spam")
#: Codes that say nothing of how the lead came about.
_NO_BEGINNING: Final = frozenset({"replayed", "no_longer_read", "dismissed", "quarantined", "marked_as_spam", "called_spam"})


def with_earlier(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """`after`, with the evidence of `before` where it has none of its own; `first` is the code that the event had first."""
    code = before.get("first") or before.get("code")
    kept = {name: before[name] for name in _EVIDENCE if name in before}
    if code and code not in _NO_BEGINNING and code != after.get("code"):
        kept["first"] = code
    return {**kept, **after}
