"""Marks of origin that stand in no field of their own: words such as "Источник", texts made of marks, cookies, further addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from connectors.kit.forms import vocabulary as words
from connectors.kit.forms.attribution import Marks, cookies_of, is_address, is_page, told_in
from connectors.kit.forms.fields import FormField
from connectors.kit.forms.roles import split, whole

_ANSWER_CHARS: Final = 100  # of a source's or a campaign's name; what is longer is a sentence
_PAGES: Final = ("page", "url", "uri", "href", "landing", "referr", "referer", "страниц", "сайт", "link")
_JARS: Final = words.COOKIES - {"tildautm", "sbjs_current", "sbjs_first"}  # those hold marks only, and none is dropped
_FLAT: Final = ("source", "medium", "campaign", "term", "content")


def without_bundles(data: Mapping[str, Any], marks: Marks) -> Mapping[str, Any]:
    """The data without cookies that came as a level or a list, whose marks are taken and whose sessions are dropped, and
    without `source`, `medium`, `campaign` where they stand together: alone each may be a question."""
    gone: set[str] = set()
    for name, value in data.items():
        if type(value) is not str and isinstance(value, dict | list) and name.casefold() in _JARS:
            marks.put_cookies(value if isinstance(value, dict) else _listed(value))
            gone.add(name)
    if "medium" in data and ("source" in data or "campaign" in data):
        for name in _FLAT:
            if isinstance(data.get(name), str) and len(data[name]) <= _ANSWER_CHARS:
                marks.put_as("utm", f"utm_{name}", data[name])
                gone.add(name)
    return {name: value for name, value in data.items() if name not in gone} if gone else data


def put_told(loose: Iterable[FormField], marks: Marks) -> None:
    """What fields that stay fields say of the origin; all of it counts only where nothing else says it."""
    for form_field in loose:
        value = form_field.value
        if type(value) is not str or not value:
            continue
        if key := told_mark(form_field.name) or (form_field.label and told_mark(form_field.label)):
            if len(value) <= _ANSWER_CHARS and not is_address(value):
                marks.told.append((key, value))
        elif ("utm" in value or "clid" in value) and (told := told_in(value)):
            for name, said in told:
                marks.put(name, said)
        elif "=" in value and is_page(value) and (_is_page_name(form_field.name) or _is_page_name(form_field.label)):
            marks.pages.append(value)


@lru_cache(maxsize=4096)
def told_mark(name: str) -> str:
    """The mark of a word or a label that people read, "" for any other: "Источник трафика", "Campaign name"."""
    return words.TOLD_MARKS.get(whole(name), "") or words.TOLD_MARKS.get("".join(split(name)), "")


@lru_cache(maxsize=4096)
def _is_page_name(name: str) -> bool:
    low = name.casefold()
    return any(stem in low for stem in _PAGES)


def _listed(items: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        if isinstance(item, dict):
            found[str(item.get("name"))] = str(item.get("value"))
        elif isinstance(item, str):
            found |= cookies_of(item)
    return found
