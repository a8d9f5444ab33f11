"""HTML to text, block by block, without recursion: 20 000 nested divs keep their content."""

from __future__ import annotations

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from connectors.mail.imap import charset, limits

_BLOCKS = frozenset(
    ["address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul"]
)  # fmt: skip
_CELLS = frozenset(("td", "th"))
_SKIPPED = frozenset(("head", "script", "style", "template", "title", "noscript", "svg", "object", "select", "textarea"))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,40})", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_WHOLE_TAG = re.compile(r"<(/?)([a-zA-Z!][a-zA-Z0-9-]{0,20})[^<>]*>")
#: Void elements, and those whose end tag people leave out: the parser closes them before they pile up.
_CLOSED_BY_THEMSELVES = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "td",
        "th",
        "tr",
        "dt",
        "dd",
        "option",
        "thead",
        "tbody",
        "tfoot",
    ]
)
_LINK = re.compile(r"(?:https?:|mailto:|tel:)", re.IGNORECASE)


def decode(data: bytes, declared: str) -> tuple[str, str]:
    """The HTML as text; a <meta charset> is asked when the mail itself declares nothing."""
    data = data[: limits.HTML_BYTES]
    if not charset.canonical(declared):
        meta = _META.search(data, 0, 4_096)
        declared = meta[1].decode("ascii") if meta else ""
    return charset.decode(data, declared)


def to_text(html: str) -> str:
    """Readable text: a line for a block, a tab between cells, targets of links whose text does not say them."""
    html = html[: limits.HTML_BYTES]
    if not _is_cheap(html):
        return _tidy(_without_tags(html))
    tree = LexborHTMLParser(html)
    root = tree.root
    if root is None:
        return ""
    out: list[str] = []
    node: LexborNode | None = root
    links: list[tuple[int, str]] = []  # where the text of an open link began, and its target
    for _ in range(limits.HTML_NODES):
        if node is None:
            break
        child = None if _enter(node, out, links) else node.child
        if child is not None:
            node = child
            continue
        while node is not None:
            _leave(node, out, links)
            if node.next is not None and node.mem_id != root.mem_id:
                node = node.next
                break
            node = node.parent if node.mem_id != root.mem_id else None
    return _tidy("".join(out))


def _is_cheap(html: str) -> bool:
    """False for HTML on which an HTML5 parser takes more than linear time: very many tags, or very many left open."""
    count = 0
    opened: dict[str, int] = {}
    depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if tag[1]:
            if opened.get(name):
                opened[name] -= 1
                depth -= 1
            continue
        count += 1
        if name not in _CLOSED_BY_THEMSELVES:
            opened[name] = opened.get(name, 0) + 1
            depth += 1
        if count > limits.HTML_TAGS or depth > limits.HTML_OPEN_TAGS:
            return False
    return True


def _without_tags(html: str) -> str:
    """Text between tags, in one pass without a tree. Hidden parts and targets of links are not told apart."""
    out: list[str] = []
    at = 0
    skipped = ""  # the name of the style or script that we are in
    for tag in _WHOLE_TAG.finditer(html):
        name = tag[2].lower()
        if not skipped:
            out.append(" ".join(html[at : tag.start()].split()))
        at = tag.end()
        if skipped:
            skipped = "" if tag[1] and name == skipped else skipped
        elif name in ("style", "script", "title") and not tag[1]:
            skipped = name
        out.append("\t" if name in _CELLS else "\n" if name in _BLOCKS or name == "br" else " ")
    if not skipped:
        out.append(" ".join(html[at:].split()))
    return unescape(re.sub(r" {2,}", " ", "".join(out)))


def _enter(node: LexborNode, out: list[str], links: list[tuple[int, str]]) -> bool:
    """Writes what stands before a node's children; True when they are to be skipped."""
    tag = node.tag or ""
    if tag == "-text":
        text = re.sub(r"[ \t\r\n\f]+", " ", node.text_content or "")
        if text != " " or (out and not out[-1].endswith(("\n", " ", "\t"))):
            out.append(text)
        return True
    if tag in _SKIPPED or tag.startswith(("-", "!")) and tag != "-document":
        return True
    attributes = node.attributes if tag not in ("html", "body", "-document") else {}
    if attributes and ("hidden" in attributes or _HIDDEN.search(attributes.get("style") or "")):
        return True
    if tag == "br":
        out.append("\n")
    elif tag in _BLOCKS:
        out.append("\n")
        if tag == "li":
            out.append("- ")
    elif tag == "a":
        links.append((len(out), (attributes.get("href") or "").strip()))
    elif tag == "img" and attributes.get("alt"):
        out.append(f"[{attributes['alt']}]")
    return False


def _leave(node: LexborNode, out: list[str], links: list[tuple[int, str]]) -> None:
    tag = node.tag or ""
    if tag in _BLOCKS:
        out.append("\n")
    elif tag in _CELLS:
        out.append("\t")
    elif tag == "a" and links:
        begin, target = links.pop()
        said = "".join(out[begin:]).strip() if len(out) - begin < 100 else "…"
        scheme = _LINK.match(target)
        if scheme is None or len(target) > 500:
            return
        plain = re.sub(r"^(?:mailto|tel):", "", target, flags=re.IGNORECASE).split("?")[0]
        if not said:
            out.append(target)
        elif scheme[0].lower() in ("mailto:", "tel:") and not _says(said, plain, scheme[0].lower()):
            out.append(f" ({plain})")


def _says(text: str, target: str, scheme: str) -> bool:
    """True when the text of a link shows its target already, a number perhaps with other separators."""
    if scheme == "tel:":
        return re.sub(r"\D", "", target) in re.sub(r"\D", "", text)
    return target.lower() in text.lower()


def _tidy(text: str) -> str:
    text = text.replace("\xa0", " ").replace("\u200b", "").replace("\ufeff", "")
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", text)
    text = re.sub(r"\t{2,}", "\t", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
