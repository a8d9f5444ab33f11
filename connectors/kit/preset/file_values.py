"""What a mapping's slot `files` takes: uploads, addresses, lists of them, and {filename, content} in base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from connectors.kit.forms.fields import Path, text_of
from connectors.kit.forms.files import ALL_BYTES, FILE_BYTES, FILES, Cabinet, clean_name
from crm_core.parsed import IncomingFile

_NAMES = ("filename", "fileName", "file_name", "name")
_TYPES = ("mimeType", "mimetype", "contentType", "content_type", "type")
_CONTENTS = ("content", "data", "base64", "file")


def take_files(value: Any, place: Path, files: list[IncomingFile]) -> bool:
    """Puts the files that a value means into `files`, within the caps of one inquiry. False where it means none."""
    field = str(place[-1]) if place else ""
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, dict) and _content(item) for item in items):
        return Cabinet(files).take(field, value, is_file=True) is not None
    for item in items:
        files.append(_inline(item, field, files))
    return True


def _content(item: dict[str, Any]) -> str:
    return next((item[key] for key in _CONTENTS if isinstance(item.get(key), str) and item[key]), "")


def _inline(item: dict[str, Any], field: str, files: list[IncomingFile]) -> IncomingFile:
    """A file that stands in the body as text. `data:` addresses hold the same after their comma."""
    name = clean_name(_first(item, _NAMES))
    type_ = _first(item, _TYPES)[:100]
    content = _content(item)
    if content.startswith("data:"):
        content = content.partition(",")[2]
    kept = [file for file in files if not file.note]
    if len(kept) >= FILES:
        return IncomingFile(name, type_, field_name=field, note="too_many")
    size = len(content) * 3 // 4
    if size > FILE_BYTES or size + sum(file.size for file in kept) > ALL_BYTES:
        return IncomingFile(name, type_, size, field_name=field, note="too_large")
    try:
        data = base64.b64decode(content + "=" * (-len(content) % 4))
    except (binascii.Error, ValueError):
        return IncomingFile(name, type_, field_name=field, note="unreadable")
    return IncomingFile(name, type_, len(data), hashlib.sha256(data).hexdigest(), field, data)


def _first(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next(filter(None, (text_of(item.get(key)) for key in keys)), "")
