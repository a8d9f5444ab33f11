"""Marks of origin: utm, click ids, visitors' ids, the page and what came before it, of the last visit and of the first.

Where several places say the same mark, the order is: a field of its own, a hidden field, the page's address, cookies, the
address of the page before. The first visit is kept apart and never fills in for the last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from urllib.parse import unquote, unquote_plus

from connectors.kit.forms.attribution_names import PLACES, mark_of
from connectors.kit.times import read_time
from crm_core.parsed import Attribution

CHARS = 512  # longer marks are mistakes or attacks; the raw body has them

#: A template's variable that the advertising network or the form builder did not fill in.
_MACRO = re.compile(
    r"\{[^{}]*\}|\{\{.*\}\}|\[[A-Za-z_.]+\]|__[A-Z0-9_]+__|%[A-Z_]+%|undefined|null|NaN|\(not set\)",
    re.DOTALL,
)
_STILL_ESCAPED = re.compile(r"%(?:25|[CDE][0-9A-F]%)", re.IGNORECASE)
_FBC = re.compile(r"fb\.\d+\.\d+\.(.{4,})")  # fb.1.<milliseconds>.<fbclid>
_GCL_AW = re.compile(r"(?:GCL|\d)\.\d+\.(.{4,})")  # GCL.<seconds>.<gclid>
_SHORT_UTM = frozenset(("source", "medium", "campaign", "term", "content"))
#: Cookies of a visitor that say where he came from. Everything else in a cookie line may open a session.
_BUNDLES = {"tildautm": "", "sbjs_current": "sbjs", "sbjs_first": "sbjs_first"}
_SOURCEBUSTER = {
    "src": "utm_source",
    "mdm": "utm_medium",
    "cmp": "utm_campaign",
    "cnt": "utm_content",
    "trm": "utm_term",
}
_TOLD = re.compile(r"[\s?&{,;|\[]{0,4}[\"']?([\w.-]{2,60})[\"']?\s{0,4}[=:]\s{0,4}[\"']?([^&;,|\s\"'{}\]]{1,512})[\"'}\]]{0,3}")
_HOST = re.compile(r"(?:[\w-]{1,63}\.){1,4}[\w-]{2,24}/?(?:[/?#]\S*)?")
_COOKIES = 200  # a cookie line or a bundle of marks has under 50


@dataclass(slots=True)
class Marks:
    """Collected while fields are read. The first value of a mark wins; an empty one never does."""

    utm: dict[str, str] = field(default_factory=dict)
    click_ids: dict[str, str] = field(default_factory=dict)
    client_ids: dict[str, str] = field(default_factory=dict)
    page_url: str = ""
    referrer: str = ""
    page_title: str = ""
    fallback_page: str = ""  # the Referer header: often the site's name only, so everything else goes before it
    first_touch: dict[str, Any] = field(default_factory=dict)  # as `Attribution.first`
    hidden: list[tuple[str, str]] = field(default_factory=list)  # marks out of hidden fields
    cookies: list[tuple[str, str]] = field(default_factory=list)  # marks out of cookies
    pages: list[str] = field(default_factory=list)  # further addresses of the visit, whose marks fill in
    told: list[tuple[str, str]] = field(default_factory=list)  # (key of utm, value) under a word: "Источник: yandex"

    def put(self, name: str, value: str) -> bool:
        """A mark by the name under which it was sent; False for what is none: the name, or the value of a first visit
        (`first_time=yes` is an answer, not when somebody came)."""
        kind = mark_of(name)
        if kind is None:
            return False
        group, key = kind
        if group == "first":
            return self._put_first(key, value)
        self.put_as(group, key, value)
        return True

    def put_as(self, group: str, key: str, value: str) -> None:
        """A mark of a group (utm, click_ids, client_ids) under a key that somebody chose for it."""
        target: dict[str, str] = getattr(self, group)
        value = settled(value)
        if not value or target.get(key):
            return
        if key == "ga" and value[:2] == "GA":
            value = ".".join(value.split(".")[-2:])  # GA1.2.<client id>: the first parts are about the cookie
        elif key == "fbc" and (match := _FBC.fullmatch(value)):
            self.cookies.append(("fbclid", match[1]))
        target[key] = value[:CHARS]

    def put_query_of(self, url: str) -> None:
        """The marks in an address' query, and in its fragment where single-page sites put them."""
        if "=" not in url:
            return
        for name, value in query_of(url):
            self.put(name, value)

    def put_cookies(self, value: Any) -> None:
        """Marks out of a cookie line or a mapping of cookies. No other cookie is looked at: they may open sessions."""
        pairs = value.items() if isinstance(value, Mapping) else cookies_of(value).items()
        for name, text in pairs:
            bundle = _BUNDLES.get(str(name).casefold())
            if bundle is None:
                if isinstance(text, str):
                    self._put_cookie(str(name), text)
                continue
            inside = text.items() if isinstance(text, Mapping) else bundle_of(str(text)).items()
            for key, mark in inside:
                known = _SOURCEBUSTER.get(key, "") if bundle else key
                if known and isinstance(mark, str) and not (bundle and mark in ("(none)", "(direct)")):
                    if bundle == "sbjs_first":
                        self._put_first(known, mark)
                    else:
                        self.cookies.append((known, mark))

    def _put_cookie(self, name: str, text: str) -> None:
        text = unquote(text)
        if name == "_gcl_aw" and (match := _GCL_AW.fullmatch(text)):
            self.cookies.append(("gclid", match[1]))
        elif (kind := mark_of(name)) is not None and kind[0] != "first":
            self.cookies.append((name, text))

    def put_first(self, visit: Mapping[str, Any]) -> None:
        """The first visit as a page remembered it: {"u" or "url", "r", "t"} and marks by their names."""
        for name, value in visit.items():
            if isinstance(value, Mapping):
                self.put_first(value)
            elif isinstance(value, str | int | float) and not isinstance(value, bool):
                self._put_first(str(name).casefold(), str(value))

    def _put_first(self, key: str, value: str) -> bool:
        """False where the value is neither an address nor a time, as the place wants it."""
        value = settled(value)
        place = PLACES.get(key)
        if not value:
            return True  # a macro that nobody filled in
        if place == "at":
            moment = read_time(value, UTC)
            value = moment.isoformat() if moment is not None else ""
        if place is not None:
            if not value or not (place == "at" or is_address(value)):
                return False
            self.first_touch.setdefault(place, value[:CHARS])
            return True
        kind = mark_of("utm_" + key if key in _SHORT_UTM else key)
        if kind is None or kind[0] not in ("utm", "click_ids"):
            return False
        self.first_touch.setdefault(kind[0], {}).setdefault(kind[1], value[:CHARS])
        return True

    def attribution(self) -> Attribution:
        """The result: what the fields said, then the other places in their order."""
        for name, value in self.hidden:
            self.put(name, value)
        self.put_query_of(self.page_url)
        for name, value in self.cookies:
            self.put(name, value)
        for url in (*self.pages, self.fallback_page, self.referrer):
            self.put_query_of(url)
        for key, value in self.told:
            self.put_as("utm", key, value)
        page = self.page_url or self.fallback_page
        first = self.first_touch
        if isinstance(first.get("page_url"), str) and "=" in first["page_url"]:
            for name, value in query_of(first["page_url"]):
                kind = mark_of(name)
                if kind is not None and kind[0] in ("utm", "click_ids"):
                    self._put_first(name.casefold().replace("-", "_"), value)
        return Attribution(
            self.utm, self.click_ids, self.client_ids, page[:CHARS], self.referrer[:CHARS], self.page_title[:CHARS],
            first,
        )  # fmt: skip


def settled(value: str) -> str:
    """A mark's value: stripped, unescaped once more where it was escaped twice, empty where a macro was not expanded."""
    value = value.strip()
    if "%" in value and _STILL_ESCAPED.search(value):
        value = unquote(value)
    return "" if _MACRO.fullmatch(value) else value


def cookies_of(line: Any) -> dict[str, str]:
    """`a=1; b=2` of a Cookie header or a field."""
    return bundle_of(line, ";") if isinstance(line, str) else {}


def bundle_of(text: str, separator: str = "|||") -> dict[str, str]:
    """`a=1|||b=2`, also escaped as a whole, and with the `amp;` that a doubly escaped page leaves before a name."""
    if "%" in text and "=" not in text:
        text = unquote_plus(text)
    found: dict[str, str] = {}
    for piece in text.split(separator, _COOKIES)[:_COOKIES]:
        name, equals, value = piece.strip().removeprefix("amp;").partition("=")
        if equals and name:
            found.setdefault(name, value)
    return found


def query_of(url: str) -> list[tuple[str, str]]:
    """Names and values of an address' query, and of its fragment. Never raises; an address that is none has no query."""
    before, _, fragment = url[:8192].partition("#")
    found = _pairs(before.partition("?")[2])
    return found + _pairs(fragment.rpartition("?")[2]) if "=" in fragment else found


def _pairs(query: str) -> list[tuple[str, str]]:
    """As `urllib.parse.parse_qsl` gives them, in a fifth of its time."""
    pairs = [piece.partition("=") for piece in query.split("&")]
    return [
        (unquote_plus(name) if "%" in name or "+" in name else name, unquote_plus(said) if "%" in said or "+" in said else said)
        for name, _, said in pairs
        if said
    ]


def told_in(text: str) -> list[tuple[str, str]]:
    """Marks in a text that is made of them: `utm_source=ya&utm_medium=cpc`, `utm_source: ya, gclid: 1`, JSON of such; empty for
    any other text."""
    first = _TOLD.match(text)
    if first is None or mark_of(first[1]) is None:
        return []
    return [(name, unquote_plus(said)) for name, said in _TOLD.findall(text[:8192])]


def is_page(value: str) -> bool:
    """An address, also without its scheme."""
    return is_address(value) or _HOST.fullmatch(value) is not None


def is_address(value: str) -> bool:
    return value.startswith(("http://", "https://", "/", "android-app://"))
