"""What a program printed instead of JSON: Python's, JavaScript's or Ruby's way to write the same value, turned into JSON."""

from __future__ import annotations

import json
import re
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<space>\s++|//[^\n]*+|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/)"""
    r"""|[uUbB]?(?P<text>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|`(?:[^`\\]|\\.)*+`)"""
    r"""|(?P<sign>=>|[{}\[\]:,()])|(?P<number>-?\d[\d.]*+(?:[eE][+-]?\d++)?(?![\w]))|(?P<word>[^\W\d][\w$.-]*+)""",
    re.DOTALL,
)
_INSIDE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|(.))|\"", re.DOTALL)
_WORDS: Final = {
    "true": "true", "false": "false", "null": "null", "none": "null", "undefined": "null", "nil": "null", "nan": "null",
}  # fmt: skip
_SIGNS: Final = {"=>": ":", "(": "[", ")": "]"}


def as_json(text: str) -> str:
    """The same value as JSON; "" for what is no such literal. One pass, nothing is evaluated."""
    written: list[str] = []
    at, last = 0, ""
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return ""
        at = match.end()
        kind = match.lastgroup
        if kind == "space":
            continue
        piece = _written(kind or "", match[kind or 0])
        if piece in ("}", "]") and last == ",":
            written.pop()  # a comma before the end
        if kind == "sign" and piece == ":" and last == ":":
            return ""
        written.append(piece)
        last = piece
    return "".join(written)


def _written(kind: str, said: str) -> str:
    if kind == "text":
        return '"' + _INSIDE.sub(_escape, said[1:-1]) + '"'
    if kind == "word":
        return _WORDS.get(said.casefold()) or json.dumps(said)
    return _SIGNS.get(said, said) if kind == "sign" else said


def _escape(match: re.Match[str]) -> str:
    if match[0] == '"':
        return '\\"'
    if match[1]:
        return f"\\u00{match[1]}"
    return match[0] if match[2] in '"\\/bfnrtu' else match[2]
