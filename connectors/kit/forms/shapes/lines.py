"""Lines with a label each, as mailers and messengers' bots write a form: "Имя: Анна", "Phone - +7 …", "*Name:* Anna"."""

from __future__ import annotations

import html
import re
from typing import Any, Final

from connectors.kit.decoding import brackets
from connectors.kit.forms.roles import role_of

SHORTEST: Final = 12  # characters of the shortest two lines that could hold a name and how to reach it
_MOST_LINES: Final = 500  # a mailer's form has under 60
_LABEL_CHARS: Final = 60  # a question; what is longer is a sentence with a colon in it
_LABEL_WORDS: Final = 8

_BREAK: Final = re.compile(r"<(?:br|/p|/div|/li|/tr|/h\d)\b[^<>]{0,100}>", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_LABELLED: Final = re.compile(
    r"[\s*•·>#_\-–—]{0,8}([^\W_][^:：=\t\r\n]{0,80}?)[*_\s]{0,4}(?:[:：]|\s=\s|=|\s[-–—]\s|\t)[*_]{0,2}(?!//)\s{0,8}(.*)",
    re.DOTALL,
)
#: Of a form on one line: where the next label begins.
_NEXT: Final = re.compile(r"\s{0,4}[,;|]\s{1,4}(?=[^\W\d_][\w /.-]{1,30}[:：]\s)")
_PERSON: Final = frozenset((
    "phone", "email", "name", "first_name", "last_name", "middle_name", "message", "company", "messenger",
))  # fmt: skip
_REACHED: Final = frozenset(("phone", "email", "messenger"))


def fields_of(text: str) -> dict[str, Any]:
    """The fields, and what stands outside of them as the message; empty where the text is no form: two of its labels must
    mean something about a person, or one of them how to reach him while every line has a label."""
    pieces = _pieces(text)
    told = [_told(piece) for piece in pieces]
    roles = [role_of(one[0]) if one else "" for one in told]
    known = [role for role in roles if role in _PERSON]
    filled = sum(bool(piece.strip()) for piece in pieces)
    is_form = len(set(known)) >= 2 and not _REACHED.isdisjoint(known)
    is_form = is_form or (filled >= 2 and not _REACHED.isdisjoint(known) and sum(one is not None for one in told) == filled)
    if not is_form:
        return {}
    found: dict[str, Any] = {}
    loose: list[str] = []
    last, role = "", ""
    for piece, one, of in zip(pieces, told, roles, strict=True):
        if one is not None:
            last, role = one[0], of
            brackets.add(found, last, one[1])
        elif last and (role == "message" or not found[last]) and isinstance(found[last], str):
            found[last] = f"{found[last]}\n{piece.rstrip()}".strip("\n")
        elif piece.strip():
            loose.append(piece.strip())
    if loose:
        key = "message" if "message" not in found else "text"
        found[key] = "\n".join(loose)
    return found


def _pieces(text: str) -> list[str]:
    if "<" in text and _TAG.search(text):
        text = html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))
    pieces = text.strip().splitlines()[:_MOST_LINES]
    return _NEXT.split(pieces[0])[:_MOST_LINES] if len(pieces) == 1 else pieces


def _told(piece: str) -> tuple[str, str] | None:
    """A label and what it says."""
    match = _LABELLED.match(piece)
    if match is None or len(match[1]) > _LABEL_CHARS or len(match[1].split()) > _LABEL_WORDS:
        return None
    return match[1].strip(" *_"), match[2].strip()
