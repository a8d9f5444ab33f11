"""The page snippet as it is served: the source in static/leadhub.js without comments and idle white space, compressed once.

The source follows four rules on which this relies: statements end with a semicolon, a comment has a line of its own, no
template strings, no member in braces has one of the names that are sent as a letter. Anything cleverer belongs into a minifier; this keeps the file under four kilobytes without one.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import string
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parent / "static" / "leadhub.js"

#: Texts and regular expressions stay as they are.
_LITERAL: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|/(?![/*\s])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[gimsuy]*(?=[.,;)\s])')
#: Names that are sent as one letter each. None of them stands as a member in braces (`{name}`, `{name: 1}`), where it would be
#: another's: a test looks for that.
_OWN: Final = [
    "item", "event", "form", "options", "element", "address", "pressed", "boxes", "input", "place", "consent", "bytes",
    "stored", "store", "memory", "context", "consents", "addressOf", "collect", "deliver", "withFiles", "natively",
    "onCapture", "onSubmit", "onFocus", "COOKIES", "WORDS", "QUEUE", "MARK", "isOurs", "isFull", "watch", "copies",
    "tokens", "visit", "letter", "limit", "script", "marks", "hashed", "copy", "timer", "going", "busy", "emit", "show",
    "later", "plan", "value", "name", "found", "box", "known", "button", "own", "read", "files", "live", "save",
]  # fmt: skip
_DECLARED: Final = re.compile(r"(?:const|let) [^;]*;")  # a whole declaration on its line
_NAME_CHARS: Final = 10  # of the hash; enough to tell versions apart


@dataclass(frozen=True, slots=True)
class Snippet:
    body: bytes
    compressed: bytes  # gzip
    etag: str  # quoted
    integrity: str  # for the attribute of <script>
    name: str  # "leadhub-<hash>.js": the address that never changes its content


@cache
def snippet() -> Snippet:
    """Read once a process."""
    body = _squeezed(SOURCE.read_text(encoding="utf-8")).encode()
    digest = hashlib.sha384(body).digest()
    mark = digest.hex()[:_NAME_CHARS]
    return Snippet(
        body=body,
        compressed=gzip.compress(body, 9, mtime=0),
        etag=f'"{mark}"',
        integrity=f"sha384-{base64.b64encode(digest).decode()}",
        name=f"leadhub-{mark}.js",
    )


def _squeezed(source: str) -> str:
    lines = (line.strip() for line in source.splitlines())
    joined: list[str] = []
    for line in lines:
        if joined and _DECLARED.fullmatch(line) and _DECLARED.fullmatch(joined[-1]):
            joined[-1] = f"{joined[-1][:-1]}, {line.partition(' ')[2]}"  # const a = 1, b = 2;
        elif line and not line.startswith("//"):
            joined.append(line)
    text = "\n".join(joined)
    parts, at = [], 0
    for literal in _LITERAL.finditer(text):
        parts += [_tight(text[at : literal.start()]), literal[0]]
        at = literal.end()
    return _renamed("".join([*parts, _tight(text[at:])])) + "\n"


def _tight(code: str) -> str:
    code = re.sub(r" ?([{}()\[\]=<>+*/%&|?:;,!\-]) ?", r"\1", code)
    code = re.sub(r"(?<=[{(\[;,=+?:&|>])\n|\n(?=[}\])?:.&|])", "", code)
    code = re.sub(r"(?<![\w$])\((\w+)\)=>", r"\1=>", code)
    code = re.sub(r"\btrue\b", "!0", re.sub(r"\bfalse\b", "!1", code))
    code = re.sub(r"\bconst ", "let ", code)  # the same to a browser, one word less to pack
    return re.sub(r"[;,](?=[}\])])", "", code)


def _renamed(code: str) -> str:
    """With one letter for each of `_OWN`, the most costly first, as far as there are letters."""
    own = sorted(_OWN, key=lambda name: -(len(name) - 1) * len(re.findall(rf"\b{name}\b", code)))
    free = (letter for letter in f"{string.ascii_letters}$_" if not re.search(rf"\b{re.escape(letter)}\b", code))
    short = dict(zip(own, free, strict=False))
    named = re.compile(rf"(?<![\w$])(?:(?<!\.)|(?<=\.\.\.))({'|'.join(short)})(?![\w$])")
    parts, at = [], 0
    for literal in _LITERAL.finditer(code):
        parts += [named.sub(lambda match: short[match[1]], code[at : literal.start()]), literal[0]]
        at = literal.end()
    return "".join([*parts, named.sub(lambda match: short[match[1]], code[at:])])


def keep() -> Path:
    """Keeps the current version beside the source, so that pages that name its hash go on after the next change."""
    path = SOURCE.parent / snippet().name
    path.write_bytes(snippet().body)
    return path


if __name__ == "__main__":
    print(keep())  # noqa: T201 - a command for whoever is about to change the source
