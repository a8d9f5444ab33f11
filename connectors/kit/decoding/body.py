"""Which of the shapes a body has, whatever its Content-Type says: JSON, multipart, urlencoded, or just text."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache, partial
from typing import Any, Literal

from connectors.kit.connector import Request
from connectors.kit.decoding import brackets, guess, jsontext, limits, literal, multipart, urlencoded
from connectors.kit.decoding.charset import chosen_charset, codec_of, odd_parts, text_of
from crm_core.base.errors import Malformed
from crm_core.base.frozen import frozen

Shape = Literal["empty", "json", "urlencoded", "multipart", "text"]

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]{1,200})\"|([^;,\s]{1,200}))", re.IGNORECASE)
#: What a form says of its own set: `_charset_` (HTML fills it in), accept-charset and their like, also of XML.
_TOLD = re.compile(
    rb"(?:\A|&)(?:[\w.%-]{1,20}(?:%5B|\[))?_?(?:page_|form_|accept[-_]?)?(?:charset|encoding)_?(?:%5D|\])?=([\w.:-]{3,30})"
    rb"|\"_?(?:page_|form_|accept[-_]?)?(?:charset|encoding)_?\"\s{0,4}:\s{0,4}\"([\w.:-]{3,30})\""
    rb"|name=\"?_?(?:page_|form_|accept[-_]?)?(?:charset|encoding)_?\"?\s{0,4}(?:\r?\n){2}([\w.:-]{3,30})"
    rb"|(?:\A|[\r\n])_?(?:accept[-_]?)?charset_?[=:]\s{0,4}([\w.:-]{3,30})"
    rb"|<\?xml[^<>]{1,80}?encoding\s{0,4}=\s{0,4}[\"']([\w.:-]{3,30})",
    re.IGNORECASE,
)
_TOLD_BYTES = 64 * 1024
_BLANK = re.compile(rb"[\s\x00]*\Z")
_WORDS = re.compile(r"[^\W\d_]{2}|\d{5}")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")


@frozen
class Decoded:
    """A body as plain values: `data` is a mapping for every form, and what JSON says (list, text, number) for JSON."""

    shape: Shape
    data: Any
    query: Mapping[str, Any] = field(default_factory=dict)  # what the address itself carried
    flags: tuple[str, ...] = ()  # limits that were met, see `limits`

    @property
    def fields(self) -> dict[str, Any]:
        """The data if it is a mapping, else nothing."""
        return self.data if isinstance(self.data, dict) else {}


def decode(request: Request, region: str = "") -> Decoded:
    """Body and query of a request; `region` (ISO 3166) is where its source's people are. Raises Malformed only where nothing
    at all can be read."""
    flags: set[str] = set()
    choose_charset = partial(_chosen_charset, request, region)
    query = decode_query(request.query, flags, choose_charset) if request.query else {}
    shape, data = decode_body(
        request.body, request.content_type, request.headers.get("content-encoding", ""), flags, choose_charset
    )
    return Decoded(shape, data, query, tuple(sorted(flags)))


def decode_query(query: str, flags: set[str], choose_charset: urlencoded.ChooseCharset | None = None) -> dict[str, Any]:
    return brackets.tree(urlencoded.pairs(query.encode("utf-8", "surrogateescape"), "", flags, choose_charset), flags)


def _chosen_charset(request: Request, region: str, odd: bytes) -> str:
    """The character set of what is no UTF-8: as the post says of itself, else by what it reads like there."""
    said = _CHARSET.search(request.content_type)
    around = request.body[:_TOLD_BYTES] + b"&" + request.query.encode("utf-8", "surrogateescape")
    told = [said[1]] if said else []
    told += [name.decode("ascii") for match in _TOLD.findall(around) for name in match if name]
    page = request.headers.get("origin", "") or request.headers.get("referer", "")
    languages = guess.hints(
        page.partition("://")[2].partition("/")[0].partition(":")[0],
        request.headers.get("accept-language", ""),
        region,
    )
    declared = next((name for name in told if codec_of(name) and codec_of(name) != "utf-8"), "")
    return chosen_charset(odd, declared, languages)


def decode_body(
    body: bytes, content_type: str, encoding: str, flags: set[str], choose_charset: urlencoded.ChooseCharset | None = None
) -> tuple[Shape, Any]:
    """One body. `flags` collects the limits that were met; `choose_charset` is asked for the character set of what is no UTF-8."""
    if body[:2] == b"\x1f\x8b" or encoding.lower() in ("gzip", "x-gzip", "deflate"):
        body = _unpacked(body, flags)
    media, charset, boundary = _declared(content_type)
    body = _without_bom(body, charset)
    if _BLANK.match(body[:4096]) and _BLANK.match(body):
        return "empty", {}

    if media.startswith("multipart/") or body[:2] == b"--":
        actual = multipart.boundary_of(body, boundary)
        if actual:
            return "multipart", brackets.tree(multipart.parts(body, actual, charset, flags, choose_charset), flags)

    first = body[:64].lstrip()[:1]
    if first == b'"' and body[:64].lstrip()[1:2] in (b"{", b"["):
        first = b"{"  # JSON that was encoded twice
    json_type = media.endswith("json")
    if first in (b"{", b"[") or (json_type and not urlencoded.looks_urlencoded(body)):
        data = _json(body, charset, flags, choose_charset, hopeful=json_type or first == b"{")
        if data is not None:
            return "json", data

    said = media == "application/x-www-form-urlencoded" and b"=" in body[:65536]
    if first == b"%" and body[:3].upper() in (b"%7B", b"%5B"):  # JSON as the only name of a form, as scripts send it by mistake
        data = _json(urlencoded.unescaped(body).rstrip(b"=&"), charset, flags, choose_charset, hopeful=False)
        if data is not None:
            return "json", data
    is_plain = media == "text/plain"
    if said or urlencoded.looks_urlencoded(body) or (is_plain and urlencoded.looks_plain(body)):
        return "urlencoded", brackets.tree(urlencoded.pairs(body, charset, flags, choose_charset, is_plain=is_plain), flags)
    return "text", _text(body, charset, flags, choose_charset)


@lru_cache(maxsize=512)  # but for boundaries there are about ten
def _declared(content_type: str) -> tuple[str, str, str]:
    """Media type, charset and boundary of a Content-Type, "" for what it does not say."""
    charset, boundary = _CHARSET.search(content_type), _BOUNDARY.search(content_type)
    media = content_type.partition(";")[0].strip().lower()
    return media, charset[1] if charset else "", (boundary[1] or boundary[2]) if boundary else ""


def _json(
    body: bytes, charset: str, flags: set[str], choose_charset: urlencoded.ChooseCharset | None, *, hopeful: bool
) -> Any | None:
    """The value, or what could be salvaged of it; None when it is no JSON at all."""
    if len(body) < limits.JSON_TOKENS or body.count(b",") + body.count(b"{") + body.count(b"[") < limits.JSON_TOKENS:
        try:
            value, is_fit = jsontext.measured(body, charset, choose_charset)
        except ValueError:
            pass
        else:
            if type(value) is str and (held := jsontext.inner(value)) is not value:
                return held
            return {} if value is None else value if is_fit else _bounded(value, flags)
    else:
        flags.add(limits.TOO_MANY_FIELDS)
    if not hopeful:
        return None
    cut = body[: limits.SALVAGE_BYTES]
    if choose_charset is not None and (odd := odd_parts([cut])):
        charset = choose_charset(odd)
    text = text_of(cut, charset)
    if len(cut) == len(body) and text.lstrip()[:1] in ("{", "[") and (written := literal.as_json(text)):
        try:
            return jsontext.understood(written)
        except ValueError:
            pass
    return jsontext.bounded(jsontext.salvage(text, flags), flags) or None


def _bounded(value: Any, flags: set[str]) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        if len(value) > limits.ROWS:
            raise Malformed(
                "too_many_rows",
                f"One post carries {len(value)} inquiries; at most {limits.ROWS} are read. Send them in parts.",
            )
        return [jsontext.bounded(row, flags) for row in value]
    return jsontext.bounded(value, flags)


def _text(body: bytes, charset: str, flags: set[str], choose_charset: urlencoded.ChooseCharset | None) -> str:
    """Plain words of a body without any structure. Raises Malformed where there are none."""
    head = body[:4096]
    if 10 * len(_CONTROLS.findall(head)) > len(head):
        raise Malformed("not_text", f"The body is neither a form, nor JSON, nor text: {len(body)} bytes of binary data.")
    # A table or a document is a whole form and no single value of one.
    most = limits.TEXT_CHARS if head.lstrip()[:1] == b"<" or b"\n" in head else limits.VALUE_CHARS
    if choose_charset is not None and (odd := odd_parts(body[: 4 * limits.VALUE_CHARS].splitlines())):
        charset = choose_charset(odd)
    text = text_of(body[: 4 * most], charset)
    if len(text) > most or len(body) > 4 * most:
        flags.add(limits.TRUNCATED_VALUE)
    if not _WORDS.search(text):
        raise Malformed("nothing_readable", f"No field and no word can be read in the {len(body)} bytes of the body.")
    return text[:most]


def _unpacked(body: bytes, flags: set[str]) -> bytes:
    """gzip and both kinds of deflate, at most UNPACKED_BYTES of it; a cut stream gives what it had."""
    for window in (47, -15):  # 32 + 15: gzip or zlib by its own header; -15: bare deflate
        inflater = zlib.decompressobj(window)
        result = bytearray()
        try:
            for start in range(0, len(body), 65536):
                result += inflater.decompress(body[start : start + 65536], limits.UNPACKED_BYTES - len(result))
                if len(result) >= limits.UNPACKED_BYTES or inflater.eof:
                    break
        except zlib.error:
            if not result:
                continue
        if not inflater.eof:
            flags.add(limits.TRUNCATED_BODY)
        if result:
            return bytes(result)
    return body  # said to be packed and is not: read it as it is


def _without_bom(body: bytes, charset: str) -> bytes:
    """UTF-8 bytes without their mark; UTF-16 and UTF-32 are turned into UTF-8, so that the rest need not know them."""
    if body.startswith(b"\xef\xbb\xbf"):
        return body[3:]
    codec = ""
    if body[:4] in (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"):
        codec = "utf-32"
    elif body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        codec = "utf-16"
    elif body[:1] == b"\x00" and body[1:2] in (b"{", b"["):
        codec = "utf-16-be"
    elif body[1:2] == b"\x00" and body[:1] in (b"{", b"["):
        codec = "utf-16-le"
    elif codec_of(charset).startswith(("utf-16", "utf-32")) and b"\x00" in body[:64]:
        codec = codec_of(charset)
    return body.decode(codec, "ignore").encode("utf-8", "ignore") if codec else body
