"""The page snippet as it is served: the source in static/leadhub.js without comments and idle white space, compressed once.

The source follows three rules on which this relies: statements end with a semicolon, a comment has a line of its own, no
template strings. Anything cleverer belongs into a minifier; this keeps the file under four kilobytes without one.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parent / "static" / "leadhub.js"

#: Texts and regular expressions stay as they are.
_LITERAL: Final = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|/(?![/*\s])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[gimsuy]*(?=[.,;)\s])'
)
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
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    parts, at = [], 0
    for literal in _LITERAL.finditer(text):
        parts += [_tight(text[at : literal.start()]), literal[0]]
        at = literal.end()
    return "".join([*parts, _tight(text[at:])]) + "\n"


def _tight(code: str) -> str:
    code = re.sub(r" ?([{}()\[\]=<>+*/%&|?:;,!\-]) ?", r"\1", code)
    code = re.sub(r"(?<=[{(\[;,=+?:&|>])\n|\n(?=[}\])?:.&|])", "", code)
    code = re.sub(r"(?<![\w$])\((\w+)\)=>", r"\1=>", code)
    code = re.sub(r"\bconst ", "let ", code)  # the same to a browser, one word less to pack
    return re.sub(r"[;,](?=[}\])])", "", code)


def keep() -> Path:
    """Keeps the current version beside the source, so that pages that name its hash go on after the next change."""
    path = SOURCE.parent / snippet().name
    path.write_bytes(snippet().body)
    return path


if __name__ == "__main__":
    print(keep())  # noqa: T201 - a command for whoever is about to change the source
