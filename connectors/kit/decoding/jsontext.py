"""JSON as it really arrives: duplicate names, NaN, control characters, a quote that breaks it, an end that is missing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from connectors.kit.decoding import brackets, limits, uploads
from connectors.kit.decoding.charset import clean, decoded, is_clean, odd_parts
from connectors.kit.decoding.guess import EAST
from crm_core.base.errors import Malformed

_MEMBER = re.compile(r'"((?:[^"\\]|\\.){1,120}+)"\s{0,8}:\s{0,8}(?:"|(-?\d{1,40}(?:\.\d{1,40})?|true|false|null))')
#: Escapes that may stand for anything: a control, half a character, a sign that joins another. The others are Cyrillic,
#: Latin, punctuation and what is never part of a word of this program: such text is clean if its bytes are.
_ODD_ESCAPE = re.compile(r"\\(?:[bf]|u(?!04|00(?:[a-fA-F2]|3[c-fC-F])|20(?:1|2[0-7])))")
_CLOSING = re.compile(r'"(?=\s*(?:,\s*["\r\n]|[}\]]|\Z))')
#: What stands between quotes, and between strings: the second byte of an Eastern character may be any other sign of JSON.
_STRING = re.compile(rb"[^\"]{1,4096}")
_ODD_BYTES = 64 * 1024
_ENCODED_AGAIN = 3  # times; twice is a mistake that is seen, more often would be a game
_SCALARS = frozenset((str, int, float, bool, type(None)))
_ELSEWHERE = re.compile("[\udc80-\udcff]")


def loads(text: str) -> Any:
    """The value. Duplicate names become lists. Raises ValueError, also for nesting beyond the interpreter's limit."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def parse(body: bytes, charset: str) -> Any:
    """The value of a body whose encoding is not known. Where the body mixes encodings, each string finds its own."""
    return measured(body, charset)[0]


def measured(body: bytes, charset: str, choose_charset: Callable[[bytes], str] | None = None) -> tuple[Any, bool]:
    """The same, and whether the value is clean and within all limits as it is. `choose_charset` is asked for the character set of
    strings that are no UTF-8."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        if choose_charset is not None and (odd := odd_parts(_STRING.findall(body[:_ODD_BYTES]))):
            charset = choose_charset(odd)
            if charset in EAST:  # the second byte of a character may be a backslash: strings are found in the text only
                try:
                    return loads(body.decode(charset)), False
                except ValueError:
                    pass
        mixed = loads(body.decode("utf-8", "surrogateescape"))
        return _choose_charset(mixed, charset), False
    value = loads(text)
    return value, _is_harmless(text) and _is_in_shape(value, 0)


def understood(text: str) -> Any:
    """The value of a text, cleaned and within the limits of one inquiry. Raises ValueError."""
    value = loads(text)
    return value if _is_harmless(text) and _is_in_shape(value, 0) else bounded(value, set())


def inner(value: Any) -> Any:
    """The value that a text of JSON holds when the whole was encoded twice, or more often; any other value as it is."""
    for _ in range(_ENCODED_AGAIN):
        if type(value) is not str or value.lstrip()[:1] not in ("{", "[", '"'):
            break
        try:
            value = understood(value)
        except ValueError:
            break
    return value


def bounded(value: Any, flags: set[str]) -> Any:
    """The same value, cleaned and within the limits of one inquiry."""
    return _Bound(flags).value(value, 0)


def read_json(text: str) -> Any:
    """JSON that a provider put into a text field, cleaned and within the limits. Raises Malformed where it is none."""
    try:
        return understood(text)
    except ValueError as error:
        raise Malformed("broken_json", f"A field should hold JSON and does not: {error}.") from None


def salvage(text: str, flags: set[str]) -> dict[str, Any]:
    """Names and simple values that can be read out of broken JSON. Linear in the length of the text."""
    flags.add(limits.BROKEN_JSON)
    found: dict[str, Any] = {}
    at, count = 0, 0
    text = text[: limits.TEXT_CHARS]
    while count < limits.KEYS and (match := _MEMBER.search(text, at)):
        count += 1
        if match[2] is not None:
            value, at = _plain(match[2]), match.end()
        else:
            end = _CLOSING.search(text, match.end())
            if end is None:
                flags.add(limits.TRUNCATED_BODY)
            stop, at = (end.start(), end.end()) if end else (len(text), len(text))
            value = _unescaped(text[match.end() : stop])
        brackets.add(found, _unescaped(match[1]), value)
    return found


def _plain(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:  # 007 is no number in JSON
        return text


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        result = {}
        for key, value in pairs:
            brackets.add(result, key, value)
    return result


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= 18 else text  # longer ones are ids; a float would change their digits


def _fraction(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_pairs, parse_int=_integer, parse_float=_fraction, parse_constant=str)


def _choose_charset(value: Any, charset: str, depth: int = 0) -> Any:
    if isinstance(value, str):
        return decoded(value.encode("utf-8", "surrogateescape"), charset) if _ELSEWHERE.search(value) else value
    if depth > 4 * limits.DEPTH:
        return None
    if isinstance(value, dict):
        return _pairs([(_choose_charset(k, charset), _choose_charset(v, charset, depth + 1)) for k, v in value.items()])
    if isinstance(value, list):
        return [_choose_charset(v, charset, depth + 1) for v in value]
    return value


def _is_harmless(text: str) -> bool:
    """True if no part of the text needs cleaning or cutting: then the value is not walked through string by string."""
    return (
        len(text) <= limits.VALUE_CHARS
        and text.count(",") + text.count("{") + text.count("[") < limits.KEYS  # a value follows one of these
        and is_clean(text)
        and '"data:' not in text
        and ("\\" not in text or (("\\u" not in text or text.isascii()) and _ODD_ESCAPE.search(text) is None))
    )


def _is_in_shape(value: Any, depth: int) -> bool:
    """True if the levels of a harmless text need no change: few enough, without files and without doubled names."""
    kind = type(value)
    if kind is dict:
        if depth >= limits.DEPTH or (uploads.may_be_file(value) and uploads.of_mapping(value) is not None):
            return False
        if value and max(map(len, value)) > limits.KEY_CHARS:
            return False
        value = value.values()
    elif kind is list:
        if depth >= limits.DEPTH:
            return False
    else:
        return kind in _SCALARS  # not so a list of doubled names, which is of a kind of its own
    for below in value:
        kind = type(below)
        if kind is not str and kind not in _SCALARS and not _is_in_shape(below, depth + 1):
            return False
    return True


class _Bound:
    """Counts what was taken while the value is walked."""

    def __init__(self, flags: set[str]) -> None:
        self.flags = flags
        self.keys = limits.KEYS
        self.chars = limits.TEXT_CHARS

    def value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            if value[:5] == "data:" and (upload := uploads.of_data_url(value)) is not None:
                self.keys -= 1
                return upload
            return self.text(value)
        if isinstance(value, dict | list):
            if depth >= limits.DEPTH:
                self.flags.add(limits.TOO_DEEP)
                return self.text(_flat(value))
            if isinstance(value, list):
                return self.items(value, depth)
            # A file is no text of the form: its size is not the form's, and a cut one is worth nothing.
            return uploads.of_mapping(value) or self.members(value, depth)
        self.keys -= 1
        return value

    def text(self, value: str) -> str:
        self.keys -= 1
        if not (value.isascii() and value.isprintable()):
            value = clean(value)
        room = min(limits.VALUE_CHARS, self.chars)
        if len(value) > room:
            self.flags.add(limits.TRUNCATED_VALUE)
            value = value[:room]
        self.chars -= len(value)
        return value

    def members(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, below in value.items():
            if self.keys <= 0:
                self.flags.add(limits.TOO_MANY_FIELDS)
                break
            if len(key) > limits.KEY_CHARS:
                self.flags.add(limits.TRUNCATED_VALUE)
                key = key[: limits.KEY_CHARS]  # noqa: PLW2901 - it is the same key
            if not (key.isascii() and key.isprintable()):
                key = clean(key)  # noqa: PLW2901 - it is the same key
            # Texts are nearly all there is: they go straight, what may be a file or a tree goes round.
            read = self.text(below) if type(below) is str and below[:5] != "data:" else self.value(below, depth + 1)
            if key in result:  # two names that are one when cut or cleaned
                brackets.add(result, key, read)
            else:
                result[key] = read
        return result

    def items(self, value: list[Any], depth: int) -> list[Any]:
        if len(value) > self.keys:
            self.flags.add(limits.TOO_MANY_FIELDS)
        return [self.value(below, depth + 1) for below in value[: max(self.keys, 0)]]


def _flat(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return "…"
