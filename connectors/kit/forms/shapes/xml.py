"""XML into a tree of fields: auto leads (ADF), CommerceML of 1C, anything alike. Entities are refused, depth and size bounded."""

from __future__ import annotations

import re
from typing import Any, Final
from xml.parsers import expat

from connectors.kit.decoding import brackets, jsontext, limits

_DECLARATION: Final = re.compile(r"\s{0,64}<\?xml[^<>]{0,200}\?>", re.IGNORECASE)
_BEGINS: Final = re.compile(r"\s{0,64}(?:<\?\w|<(?!!doctype\s{1,8}html)[^\W\d][\w:.-]{0,100}[\s/>]|<!)", re.IGNORECASE)
_PAGE: Final = re.compile(
    r"\s{0,64}(?:<!doctype\s{1,8}html|<(?:html|head|body|p|div|span|table|br|b|i|a|h\d|ul|ol|font|center|script|style)\b)",
    re.IGNORECASE,
)
_HEAD_CHARS: Final = 1_000
_STRAY: Final = re.compile(r"&(?!#?\w{1,10};)")
_NAMED_ENTITY: Final = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;|#)(\w{1,10};)")  # &nbsp; of a page: unknown to XML
_ELEMENTS: Final = 20_000  # an order of 500 positions has under 10 000
_DEPTH: Final = 64  # SOAP around CommerceML has 12; deeper trees are attacks

_STEM: Final = 5  # letters that a thing and its plural have in common
#: Elements that say by an attribute what they are: <field name="phone">, <param key="…" value="…"/>.
_BARE: Final = frozenset(
    [
        "field",
        "property",
        "param",
        "parameter",
        "attribute",
        "item",
        "value",
        "data",
        "attr",
        "option",
        "var",
        "variable",
        "entry",
        "answer",
        "column",
        "свойство",
        "реквизит",
        "поле",
    ]
)
_NAMING: Final = ("name", "key", "id", "field", "code", "label", "title", "имя", "наименование")
_UNSAID: Final = ("xmlns", "xsi:", "xml:")


class _Refused(Exception):
    """More than is read, or what is never read."""


class _Node:
    __slots__ = ("attributes", "children", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag.rpartition(":")[2]
        self.attributes = {name: said for name, said in attributes.items() if not name.startswith(_UNSAID)}
        self.children: list[_Node] = []
        self.text: list[str] = []


def looks_like(text: str) -> bool:
    return _BEGINS.match(text) is not None and _PAGE.match(text) is None


def fields_of(text: str, flags: set[str]) -> dict[str, Any]:
    """The fields, without the levels around that hold one thing only; empty for what is none. A cut text gives what it had."""
    head = _DECLARATION.sub("", text[:_HEAD_CHARS])  # also where it is not the first thing, which XML wants
    body = (head + text[_HEAD_CHARS:]).lstrip("\ufeff \r\n\t")
    root, is_whole = _parsed(body)
    if not is_whole and ("&" in body):
        again, is_whole = _parsed(_NAMED_ENTITY.sub(r"&amp;\1", _STRAY.sub("&amp;", body)))
        root = again or root
    if root is None:
        return {}
    if not is_whole:
        flags.add(limits.TRUNCATED_BODY)
    inner = _value(root)
    while isinstance(inner, dict) and len(inner) == 1:
        (below,) = inner.values()
        if not isinstance(below, dict):
            break
        inner = below
    if not isinstance(inner, dict) or not any(inner.values()):
        return {}
    bounded: dict[str, Any] = jsontext.bounded(inner, flags)
    return bounded


def _parsed(body: str) -> tuple[_Node | None, bool]:
    """The root as far as it could be read, and whether that was all."""
    parser = expat.ParserCreate("utf-8")
    top = _Node("", {})
    path = [top]
    count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _ELEMENTS or len(path) > _DEPTH:
            raise _Refused
        node = _Node(tag, attributes)
        path[-1].children.append(node)
        path.append(node)

    def refuse(*_: object) -> None:
        raise _Refused

    def text(said: str) -> None:
        path[-1].text.append(said)

    def end(_tag: str) -> None:
        path.pop()

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = refuse
    is_whole = True
    try:
        parser.Parse(body.encode("utf-8", "ignore"), True)
    except (expat.ExpatError, _Refused):
        is_whole = False
    return (top.children[0] if top.children else None), is_whole


def _value(node: _Node) -> Any:
    said = "".join(node.text).strip()
    if not node.children:
        return said
    level: dict[str, Any] = {name: said for name, said in node.attributes.items() if said}
    for child in node.children:
        _put(level, child)
    if said:
        brackets.add(level, "text", said)
    return level


def _put(level: dict[str, Any], child: _Node) -> None:
    """One element among its siblings, under the name that says most; attributes that say more stand beside it."""
    if len(child.children) == 1 and child.children[0].children and not child.attributes:
        (only,) = child.children
        if len(only.tag) > _STEM and only.tag[:_STEM].casefold() == child.tag[:_STEM].casefold():
            child = only  # Контрагенты around one Контрагент
    tag, low = child.tag, {name.casefold(): said for name, said in child.attributes.items() if said}
    value = _value(child)
    if child.children:
        brackets.add(level, tag, value)
        return
    named = next((low[name] for name in _NAMING if name in low), "") if tag.casefold() in _BARE else ""
    if named:
        brackets.add(level, named, value or low.get("value", ""))
        return
    if part := low.pop("part", ""):  # ADF: <name part="first">
        brackets.add(level, f"{part}_{tag}", value)
        return
    if not value and "value" in low:
        value = low.pop("value")
    if not value and low:
        brackets.add(level, tag, dict(child.attributes))
        return
    if value:
        brackets.add(level, tag, value)
        for name, said in low.items():
            brackets.add(level, f"{tag}_{name}", said)
