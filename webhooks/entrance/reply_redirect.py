"""Where a browser form may be sent after it was accepted: only to a host that the source allows.

Refuses whatever a browser could read as another host: "//", backslashes, user names, other schemes, control characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl, urljoin, urlsplit, urlunsplit

import orjson

#: Names by which static-form services know the address of the thank-you page, in order of precedence.
NEXT_FIELDS = ("_next", "_redirect", "redirect", "success_url")

_READ_BYTES = 65_536  # the field stands among the visible ones; files come after
_MOST_FIELDS = 500
_MOST_ADDRESS_BYTES = 2000  # what browsers and proxies take of an address
_BY_BYTES = {name.encode(): name for name in NEXT_FIELDS}


def asked_address(content_type: str, body: bytes, query: str = "") -> str:
    """What the form asks for, as sent, in its body or else in its address; "" if nothing.

    Looks at the beginning of the body only and never raises.
    """
    head = body[:_READ_BYTES]
    found: dict[str, str] = {}
    if content_type.startswith("multipart/"):
        _put(found, _of_parts(head))
    elif head.lstrip()[:1] == b"{":
        _put(found, _of_json(head))
    else:
        _put(found, _pairs(head.decode("utf-8", "replace")))
    _put(found, _pairs(query))
    return next((found[name] for name in NEXT_FIELDS if found.get(name)), "")


def page_before(referrer: str) -> str:
    """The page that the form stands on, for a link "back"; "" if what the browser says is no plain web address."""
    try:
        parts = urlsplit(referrer)
        is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    clean = len(referrer) <= 2000 and referrer.isascii() and referrer.isprintable() and not set(referrer) & {"\\", " "}
    return referrer if is_plain and clean else ""


def _put(found: dict[str, str], pairs: Iterable[tuple[str, str]]) -> None:
    for name, value in pairs:
        found.setdefault(name, value.strip())


def _of_parts(body: bytes) -> Iterator[tuple[str, str]]:
    """Each named part's first line. One pass over the lines: what a visitor sends decides nothing about the work."""
    lines = iter(body.split(b"\n")[:-1])  # the last one is cut
    name = None
    for line in lines:
        bare = line.rstrip(b"\r")
        if bare.endswith((b"_next", b"redirect", b"url", b'"')) and (
            named := _BY_BYTES.get(bare.rpartition(b"name=")[2].strip(b'"'))
        ):
            name = named
        elif name is not None and not bare:  # the headers of its part end here
            value = next(lines, b"").rstrip(b"\r")
            if 0 < len(value) <= _MOST_ADDRESS_BYTES:
                yield name, value.decode("utf-8", "replace")
            name = None


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []  # more fields than any form has


def _of_json(body: bytes) -> list[tuple[str, str]]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    return [(name, value) for name, value in data.items() if isinstance(value, str)]


def allowed_address(asked: str, referrer: str, allowed_hosts: Sequence[str]) -> str:
    """The address to send the browser to, with "lead=ok" in its query, or "" if it may not go there.

    A relative path belongs to the site that the form stands on, so it needs a referrer whose host is allowed.
    """
    if not asked or not allowed_hosts or "\\" in asked or not asked.isprintable() or " " in asked:
        return ""
    try:
        if asked.startswith("/") and not asked.startswith("//"):
            if not _is_allowed(referrer, allowed_hosts):
                return ""
            page = urlsplit(referrer)
            asked = urljoin(f"{page.scheme}://{page.netloc}/", asked)
        if not _is_allowed(asked, allowed_hosts):
            return ""
        parts = urlsplit(asked)
        host = parts.netloc if parts.netloc.isascii() else _plain(parts.netloc)
        query = f"{parts.query}&lead=ok" if parts.query else "lead=ok"
        target = urlunsplit((parts.scheme, host, parts.path, query, parts.fragment))
        return target if target.isascii() else _percent_encoded(target)
    except ValueError:
        return ""  # not an address at all


def _is_allowed(address: str, allowed_hosts: Sequence[str]) -> bool:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not parts.hostname:
        return False
    host = _plain(parts.hostname)
    port = f":{parts.port}" if parts.port else ""  # ValueError for a port that there is not, on every host
    allowed = {_plain(name) for name in allowed_hosts}
    return host in allowed or f"{host}{port}" in allowed


def _plain(host: str) -> str:
    """A host, with or without a port, as browsers name it: people write it in their own alphabet (IDNA)."""
    if host.isascii():
        return host
    name, colon, port = host.partition(":")
    try:
        return name.encode("idna").decode() + colon + port
    except UnicodeError:
        return host  # no such name can exist, so no browser can name it


def _percent_encoded(text: str) -> str:
    return "".join(char if char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode()) for char in text)
