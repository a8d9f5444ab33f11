"""What protects a form against robots, taken out of its fields: filled honeypots and signed proofs. Nothing is judged here.

Honeypots are `_gotcha`, `_honey`, `botcheck` and the names that a source lists. Never guessed: `website` is a question.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from connectors.kit.forms.config import FormConfig
from connectors.kit.forms.fields import text_of

HONEYPOTS = frozenset(("_gotcha", "_honey", "botcheck"))
CHARS = 4096  # an ALTCHA solution has about 750 characters

#: Under which names proofs are sent, and what they are called in `Inquiry.guards`.
PROOFS = {
    "_t": "time_token", "leadhub-time": "time_token", "leadhub_time": "time_token", "_time_token": "time_token",
    "altcha": "altcha", "_altcha": "altcha", "_script": "script",
}  # fmt: skip

_UNFILLED = {"", "false", "null", "undefined"}  # of a checkbox as scripts send it


def honeypots_of(config: FormConfig | None) -> frozenset[str]:
    """Names of hidden fields, in lower case."""
    return _with(tuple(config.honeypots)) if config is not None and config.honeypots else HONEYPOTS


@lru_cache(maxsize=256)
def _with(names: tuple[str, ...]) -> frozenset[str]:
    return HONEYPOTS | {name.strip().casefold() for name in names if name.strip()}


def take_honeypot(name: str, value: Any, into: MutableMapping[str, str]) -> None:
    """Notes the first honeypot that somebody filled, as "name=value"."""
    text = text_of(value) if not isinstance(value, bool) else str(value).lower()
    if text.casefold() not in _UNFILLED:
        into.setdefault("honeypot", f"{name}={text}"[:200])


def take_proof(name: str, value: Any, into: MutableMapping[str, str]) -> None:
    """Notes a proof; an empty one is none, and `_t=1768478400` is a page's way round its own cache."""
    text = text_of(value) if value is not True else "1"
    if text and not (name == "_t" and text.isdigit()):
        into.setdefault(PROOFS[name], text[:CHARS])
