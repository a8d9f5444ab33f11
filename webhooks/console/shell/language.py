"""The console's words in each language: one catalogue file a language, plural forms by CLDR's rules.

A key that is not in the catalogue is a bug and raises; a code that another room invented is shown as plain words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LOCALES = ("en", "ru")

_TEXTS = Path(__file__).parent / "texts"


def _english(count: int) -> str:
    return "one" if count == 1 else "other"


def _russian(count: int) -> str:
    last, last_two = count % 10, count % 100
    if last == 1 and last_two != 11:
        return "one"
    if 2 <= last <= 4 and not 12 <= last_two <= 14:
        return "few"
    return "many"


#: Cardinal rules for whole numbers, CLDR 46 "en" and "ru".
PLURALS: Mapping[str, Callable[[int], str]] = {"en": _english, "ru": _russian}


@cache
def catalogue(locale: str) -> Mapping[str, Any]:
    """Flat key to text, or key to {plural form: text}."""
    texts: dict[str, Any] = json.loads((_TEXTS / f"{locale}.json").read_text("utf-8"))
    return texts


@dataclass(frozen=True, slots=True)
class Language:
    locale: str

    def __call__(self, key: str, /, **values: object) -> str:
        text = catalogue(self.locale)[key]
        return text.format_map(values) if values else str(text)

    def count(self, key: str, count: int, /, **values: object) -> str:
        """The text in the plural form of `count`, which it may name as {n}."""
        forms: Mapping[str, str] = catalogue(self.locale)[key]
        return forms[PLURALS[self.locale](count)].format_map({"n": self.number(count), **values})

    def code(self, group: str, code: str | None, /, **values: object) -> str:
        """Words for a machine's code, e.g. ("outcome", "created"). An unknown code is read out, never shown as a key."""
        if not code:
            return ""
        text = catalogue(self.locale).get(f"{group}.{code}")
        if text is None:
            return code.replace("_", " ").replace(".", ": ")
        return text.format_map(_Missing(values)) if values else str(text)

    def knows(self, group: str, code: str) -> bool:
        return f"{group}.{code}" in catalogue(self.locale)

    def number(self, value: float) -> str:
        """Whole numbers with the language's thousands separator (a thin no-break space in Russian)."""
        grouped = f"{value:,}"
        return grouped if self.locale == "en" else grouped.replace(",", "\u202f").replace(".", ",")

    def at_most(self, count: int, most: int) -> str:
        """A figure that was counted no further than `most`: "1,000+" says that there may be more."""
        return self.number(count) + ("+" if count >= most else "")


class _Missing(dict[str, object]):
    """A code's sentence may name a fact that this event did not carry."""

    def __missing__(self, key: str) -> str:
        return "…"


def pick(wanted: str | None, accepted: str, default: str) -> str:
    """The locale to speak: what the person chose, else the browser's Accept-Language, else the hub's."""
    if wanted in LOCALES:
        return wanted
    for part in accepted.lower().split(","):
        locale = part.split(";")[0].strip()[:2]
        if locale in LOCALES:
            return locale
    return default if default in LOCALES else LOCALES[0]
