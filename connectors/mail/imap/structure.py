"""Looks at the raw bytes before any parser does, in one linear pass, and says what must be cut off or left alone.

Refuses nothing: a bomb is read as far as is safe, and the raw mail keeps the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.mail.imap import limits

_BLANK = re.compile(rb"\r?\n\r?\n|\r\r")
_FIELD = re.compile(rb"^[^\s:]+[ \t]*:", re.MULTILINE)
#: What shapes a mail: a line that may be a boundary, the declaration of one, an attached mail, a header of structure.
_MARK = re.compile(
    rb"^--(?P<line>[^\r\n]{1,200})\r?$"
    rb"|\bboundary(?:\*\d*\*?)?\s*=\s*(?:\"(?P<quoted>[^\"\r\n]{1,200})\"?|(?P<bare>[^\s;\"]{1,200}))"
    rb"|^content-type[ \t]*:[ \t]*(?P<mail>message/(?:rfc822|global))",
    re.MULTILINE | re.IGNORECASE,
)
_LONG_FIELD = re.compile(rb"^content-(?:type|disposition)[ \t]*:", re.MULTILINE | re.IGNORECASE)
_NEXT_FIELD = re.compile(rb"\r?\n(?![ \t])")


@dataclass(frozen=True, slots=True)
class Look:
    """`raw` is safe for the full parser unless `flat`; warnings say what was cut and why."""

    raw: bytes
    flat: bool
    warnings: tuple[str, ...]


def look(raw: bytes) -> Look:
    raw, warnings = _short_header(raw)
    if _has_long_structure_field(raw):
        return Look(raw, True, (*warnings, "structure_header_too_long"))
    problem, at, depth = _walk(raw)
    if not problem and raw.count(b"\n") * (depth + 1) > limits.LINES_TIMES_DEPTH:
        problem = "too_many_lines"
    if problem == "too_many_parts":
        return Look(raw[:at], False, (*warnings, problem))
    if problem:
        return Look(raw, True, (*warnings, problem))
    return Look(raw, False, warnings)


def header_end(raw: bytes) -> tuple[int, int]:
    """Where the header block ends and where the body begins; both at the end when there is no blank line."""
    if raw[:1] in (b"\r", b"\n"):
        return 0, 2 if raw[:2] == b"\r\n" else 1
    blank = _BLANK.search(raw)
    return (blank.start(), blank.end()) if blank else (len(raw), len(raw))


def _short_header(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Cuts the header block to HEADER_BLOCK_BYTES and HEADER_FIELDS; the body stays."""
    end, body = header_end(raw)
    warnings: tuple[str, ...] = ()
    cut = end
    if end > limits.HEADER_BLOCK_BYTES:
        cut = max(raw.rfind(b"\n", 0, limits.HEADER_BLOCK_BYTES), 1)
        warnings = ("header_too_large",)
    for count, field in enumerate(_FIELD.finditer(raw, 0, cut), start=1):
        if count > limits.HEADER_FIELDS:
            cut = max(field.start() - 1, 0)
            warnings = (*warnings, "too_many_header_fields")
            break
    if cut == end:
        return raw, warnings
    return raw[:cut].rstrip(b"\r\n") + b"\r\n\r\n" + raw[body:], warnings


def _has_long_structure_field(raw: bytes) -> bool:
    for field in _LONG_FIELD.finditer(raw):
        limit = field.end() + limits.STRUCTURE_HEADER_BYTES
        if _NEXT_FIELD.search(raw, field.end(), limit) is None and limit < len(raw):
            return True
    return False


def _walk(raw: bytes) -> tuple[str, int, int]:
    """Follows the boundaries with a stack, as a parser would. Returns a problem ("" for none), where, and the depth.

    A declaration in a text part is counted as well; the next boundary outside of it takes it off again.
    """
    open_ones: list[bytes] = []
    parts = depth = 0
    for mark in _MARK.finditer(raw):
        if mark["line"] is not None:
            name = mark["line"].rstrip()
            if name in open_ones:
                del open_ones[open_ones.index(name) + 1 :]
                parts += 1
                if parts > limits.PARTS:
                    return "too_many_parts", mark.start(), depth
                if _header_is_endless(raw, mark.end()):
                    return "part_header_too_large", mark.start(), depth
            elif name.endswith(b"--") and name[:-2] in open_ones:
                del open_ones[open_ones.index(name[:-2]) :]
            continue
        if mark["mail"] is not None:
            open_ones.append(b"")  # closed by the next boundary of its surroundings
            if _header_is_endless(raw, mark.end()):
                return "part_header_too_large", mark.start(), depth
        else:
            open_ones.append((mark["quoted"] or mark["bare"] or b"").rstrip())
        depth = max(depth, len(open_ones))
        if depth > limits.DEPTH:
            return "too_deep", mark.start(), depth
    return "", 0, depth


def _header_is_endless(raw: bytes, at: int) -> bool:
    end = at + limits.HEADER_BLOCK_BYTES
    return end < len(raw) and _BLANK.search(raw, at, end) is None
