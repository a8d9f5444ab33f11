"""Files inside a body: parts of a multipart, base64 beside a file's name, data: URLs. Content is kept once and never believed.

In the tree a file is a mapping of what was said of it, so that it can be shown and stored anywhere; its bytes hang beside.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from connectors.kit.decoding import limits

_DATA_URL = re.compile(r"data:([\w.+-]{1,64}/[\w.+-]{1,80})?((?:;[\w.+-]{1,40}=[^;,]{0,80}){0,4});base64,", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)
_FILE_NAME = re.compile(r"[^/\\]{1,250}\.[A-Za-z0-9]{1,8}")
_NAMES = ("filename", "fileName", "file_name", "name")
_CONTENTS = ("content", "base64", "data", "contents", "fileContent", "file")
_CONTENT_KEYS = frozenset(_CONTENTS)
_TYPES = ("type", "mimeType", "mimetype", "mime", "contentType", "content_type")


class Upload(dict[str, Any]):
    """{"name","type","size","sha256"} of a file that came along. `content` is a view of the body or bytes of its own."""

    __slots__ = ("content",)

    def __init__(self, name: str, type_: str, content: bytes | memoryview) -> None:
        super().__init__(name=name, type=type_, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        self.content = content


def of_data_url(text: str, name: str = "") -> Upload | None:
    """`data:image/png;base64,…`; None for any other text."""
    match = _DATA_URL.match(text)
    content = _decoded(text[match.end() :]) if match else None
    return Upload(name, match[1] or "", content) if match and content is not None else None


def may_be_file(value: dict[str, Any]) -> bool:
    """False for nearly everything, and quickly."""
    return len(value) > 1 and not _CONTENT_KEYS.isdisjoint(value)


def of_mapping(value: dict[str, Any]) -> Upload | None:
    """{"filename","content"} and its kin. Where the keys could be a form's own, the values must leave no doubt."""
    if not may_be_file(value):
        return None
    content = next((value[key] for key in _CONTENTS if isinstance(value.get(key), str) and value[key]), None)
    if content is None:
        return None
    named = next((key for key in _NAMES if isinstance(value.get(key), str) and value[key]), "")
    if not named:
        return None
    name = str(value[named])[: limits.KEY_CHARS]
    type_ = next((str(value[key]) for key in _TYPES if isinstance(value.get(key), str)), "")[: limits.KEY_CHARS]
    if content.startswith("data:"):
        upload = of_data_url(content, name)
        if upload is not None and type_:
            upload["type"] = type_
        return upload
    if not (_FILE_NAME.fullmatch(name) or (named != "name" and "/" in type_)):
        return None
    raw = _decoded(content)
    return Upload(name, type_, raw) if raw is not None else None


def _decoded(text: str) -> bytes | None:
    """base64 in any of its spellings, also escaped and without padding; None when it is none."""
    if "%" in text[-12:] or "%2" in text[:4096]:
        text = unquote_to_bytes(text).decode("ascii", "replace")
    if " " in text or "\n" in text or "\r" in text:  # a + that was not escaped, or lines as in mails
        text = text.replace("\r", "").replace("\n", "").replace(" ", "+")
    if not _BASE64.fullmatch(text) or len(text.rstrip("=")) % 4 == 1:
        return None
    if "-" in text or "_" in text:
        text = text.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except binascii.Error:
        return None
