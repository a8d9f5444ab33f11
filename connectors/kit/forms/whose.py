"""Whose a person's data is: the client's, or that of our own people and of those whom a client only names.

What is not the client's stays among the fields and becomes nobody's identifier.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from connectors.kit.forms import whose_words as words
from connectors.kit.forms.fields import FormField, Path
from connectors.kit.forms.roles import split
from connectors.kit.forms.vocabulary import NAME_WORDS

_CLIENTS: set[str] = set()  # names that were looked at and are nobody else's
_MOST_NAMES = 8192
_LABEL_WORDS = 6  # in a longer question a friend or an office may be mentioned by the way


class Whose(IntEnum):
    CLIENTS = 0
    MAYBE = 1  # the client's, if nobody else is named
    THEIRS = 2


def whose(form_field: FormField) -> Whose:
    """Whose the field is by its own words and by the levels around it."""
    if form_field.name in _CLIENTS and len(form_field.path) == 1 and not form_field.label:
        return Whose.CLIENTS  # nearly all, and quickly
    found = _of_words(form_field.name)
    if found is Whose.CLIENTS and len(_CLIENTS) < _MOST_NAMES:
        _CLIENTS.add(form_field.name)
    if form_field.label and found is not Whose.THEIRS:
        found = max(found, _of_words(form_field.label))
    if len(form_field.path) > 1 and found is not Whose.THEIRS:
        found = max(found, _of_levels(form_field.path[:-1]))
    return found


@lru_cache(maxsize=8192)
def _of_words(text: str) -> Whose:
    parts = split(text)
    if len(parts) > _LABEL_WORDS and " " in text:
        return Whose.CLIENTS
    present = {part.rstrip("0123456789") for part in parts}
    if not present.isdisjoint(words.THEIRS) or any(word in part for part in present for word in words.WITHIN):
        return Whose.THEIRS
    if parts[0:1] == ["to"] or ("by" in present and not present.isdisjoint(words.WHO_DID_IT)):
        return Whose.THEIRS  # to_email: where the page sends it; created_by: a record of the sender's system
    if not present.isdisjoint(words.MAYBE_THEIRS):
        return Whose.THEIRS if "owner" in present and not present.isdisjoint(words.OF_OUR_OWN) else Whose.MAYBE
    return Whose.CLIENTS


@lru_cache(maxsize=1024)
def asks_name(name: str) -> bool:
    """owner_name, гость_имя: a name where it is clear already whose."""
    return not NAME_WORDS.isdisjoint(split(name))


@lru_cache(maxsize=8192)
def _of_levels(levels: Path) -> Whose:
    named = [level for level in levels if type(level) is str]
    if any("owner" in split(level) for level in named):
        return Whose.THEIRS  # a level of its own is a record of the sender's system
    return max((_of_words(level) for level in named), default=Whose.CLIENTS)
