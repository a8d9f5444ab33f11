"""Marks of origin: utm, click ids, visitors' ids, the page and what came before it. Explicit fields first, then addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from connectors.kit import vocabulary as words
from crm_core.arrivals import Attribution

CHARS = 512  # longer marks are mistakes or attacks; the raw body has them

#: A template's variable that the advertising network or the form builder did not fill in.
_MACRO = re.compile(
    r"\{[^{}]*\}|\{\{.*\}\}|\[[A-Za-z_.]+\]|__[A-Z0-9_]+__|%[A-Z_]+%|undefined|null|NaN", re.DOTALL
)
_STILL_ESCAPED = re.compile(r"%(?:25|[CDE][0-9A-F]%)", re.IGNORECASE)
_GA = re.compile(r"GA\d+\.\d+\.(.+)")


@dataclass(slots=True)
class Marks:
    """Collected while fields are read. The first value of a mark wins; an empty one never does."""

    utm: dict[str, str] = field(default_factory=dict)
    click_ids: dict[str, str] = field(default_factory=dict)
    client_ids: dict[str, str] = field(default_factory=dict)
    page_url: str = ""
    referrer: str = ""
    page_title: str = ""
    # The first visit: utm, click_ids (mappings), page_url, referrer, at; empty where nobody remembered it.
    first_touch: dict[str, Any] = field(default_factory=dict)
    fallback_page: str = (
        ""  # the Referer header: often the site's name only, so everything else goes before it
    )

    def put(self, name: str, value: str) -> bool:
        """A mark by the name under which it was sent; False for a name that is none."""
        low = name.casefold().replace("-", "_")
        if low.startswith("utm_"):
            self.put_as("utm", low, value)
        elif low in words.CLICK_IDS:
            self.put_as("click_ids", low, value)
        elif low in words.CLIENT_IDS:
            self.put_as("client_ids", words.CLIENT_IDS[low], value)
        else:
            return False
        return True

    def put_as(self, group: str, key: str, value: str) -> None:
        """A mark of a group (utm, click_ids, client_ids) under a key that somebody chose for it."""
        target: dict[str, str] = getattr(self, group)
        value = settled(value)
        if key == "ga" and (match := _GA.fullmatch(value)):
            value = match[1]  # GA1.2.<client id>: the first parts are about the cookie
        if value and not target.get(key):
            target[key] = value[:CHARS]

    def put_query_of(self, url: str) -> None:
        """The marks in an address' query, and in its fragment where single-page sites put them."""
        if "=" not in url:
            return
        for name, value in query_of(url):
            self.put(name, value)

    def attribution(self, more: Iterable[str] = ()) -> Attribution:
        """The result; `more` are addresses to look into when the page's own says nothing, best first."""
        for url in (self.page_url, *more, self.fallback_page, self.referrer):
            if url:
                self.put_query_of(url)
        page = self.page_url or self.fallback_page
        return Attribution(
            self.utm, self.click_ids, self.client_ids, page[:CHARS], self.referrer[:CHARS], self.page_title[:CHARS],
            self.first_touch,
        )  # fmt: skip


def settled(value: str) -> str:
    """A mark's value: stripped, unescaped once more where it was escaped twice, empty where a macro was not expanded."""
    value = value.strip()
    if "%" in value and _STILL_ESCAPED.search(value):
        value = unquote(value)
    return "" if _MACRO.fullmatch(value) else value


def query_of(url: str) -> list[tuple[str, str]]:
    """Names and values of an address' query. Never raises; an address that is none has no query."""
    try:
        parts = urlsplit(url[:8192])
    except ValueError:
        return []
    query = parts.query + ("&" + parts.fragment.rpartition("?")[2] if "=" in parts.fragment else "")
    return parse_qsl(query[:8192], max_num_fields=None)


def is_address(value: str) -> bool:
    return value.startswith(("http://", "https://", "/", "android-app://"))
