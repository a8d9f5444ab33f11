"""What somebody wrote, made fit for comparing: folded, its addresses of the web taken out, its letters looked at."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from crm_core.parsed import Inquiry

_MOST_CHARS: Final = 20_000  # more in one inquiry is a pasted document; its start tells enough and bounds the time
_URL: Final = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'\])]{3,300}"
    r"|\b(?:[a-z0-9-]{2,40}\.){1,3}(?:com|net|org|info|biz|xyz|top|site|online|shop|club|icu|cyou|ru|su|cc|io|me|ly|link|click|live|pro|store|space|fun|buzz|app)(?:/[^\s<>\"'\])]{0,300})?(?![\w@])",
    re.IGNORECASE,
)
_DOT_WITHIN: Final = re.compile(r"\.\w")
_HOST: Final = re.compile(r"(?:https?://)?(?:www\.)?([^/?#:\s]+)", re.IGNORECASE)
_ZERO_WIDTH: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "ё": "е"})


# The words of one inquiry are asked for three times, one after the other.
@lru_cache(maxsize=32)
def folded(text: str) -> str:
    """For searching phrases: small letters, plain quotes, one space, nothing invisible."""
    text = text[:_MOST_CHARS]
    if not text.isascii():  # there is nothing else to be done to ASCII
        text = unicodedata.normalize("NFKC", text).translate(_ZERO_WIDTH).casefold().translate(_QUOTES)
    return " ".join(text.casefold().split())


def typed(inquiry: Inquiry) -> list[str]:
    """Name, company and message: what people type. Fields that nobody mapped also hold ids and markup of the page's own."""
    return [text for text in (inquiry.name, inquiry.company, inquiry.message) if text.strip()]


def written(inquiry: Inquiry) -> list[str]:
    """What was typed, and the fields that nobody mapped. A field of nothing but addresses of the web is left out: pages
    put their own into hidden fields, and services those of uploaded files."""
    return typed(inquiry) + [
        text
        for text in form_fields(inquiry.fields)
        if any(map(str.isalpha, _URL.sub(" ", text) if _may_hold_url(text) else text))
    ]


def _may_hold_url(text: str) -> bool:
    """A tenth of the time that looking for one takes, and true of few texts."""
    return _DOT_WITHIN.search(text) is not None or "://" in text or "www." in text.casefold()


def form_fields(value: Any, depth: int = 6) -> Iterator[str]:
    """The texts in a tree of fields, `depth` levels deep."""
    if isinstance(value, str):
        yield value[:_MOST_CHARS]
    elif depth and isinstance(value, Mapping):
        for item in value.values():
            yield from form_fields(item, depth - 1)
    elif depth and isinstance(value, (list, tuple)):
        for item in value:
            yield from form_fields(item, depth - 1)


def web_hosts(texts: Iterable[str]) -> list[str]:
    """The host of every address of the web that the texts name, in order, with repetitions. Mail addresses are none."""
    found = []
    for text in filter(_may_hold_url, texts):
        for match in _URL.finditer(text[:_MOST_CHARS]):
            before = text[match.start() - 1] if match.start() else " "
            if before == "@" or "@" in match[0].split("/", 3)[0]:
                continue
            found.append(host_of(match[0]))
    return found


@lru_cache(maxsize=1024)  # a form's pages, and the hub's own address, stand in post after post
def host_of(address: str) -> str:
    """The host of an address, small, without "www." and port, as browsers name it (IDNA); "" if there is none."""
    match = _HOST.match(address.strip())
    return _plain(match[1].casefold().rpartition("@")[2].strip(".")) if match else ""


def is_below(host: str, names: Iterable[str]) -> bool:
    """True if the host is one of the names, or lies below one; "*.example.com" is taken for "example.com"."""
    return any(
        host == name or host.endswith("." + name)
        for name in (_plain(one.strip().casefold().removeprefix("*.").removeprefix("www.")) for one in names)
        if name
    )


def _plain(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host  # a browser knows no such name either


def has_cyrillic(text: str) -> bool:
    return any("\u0400" <= char <= "\u04ff" for char in text)


def letters(text: str) -> int:
    return sum(char.isalpha() for char in text)
