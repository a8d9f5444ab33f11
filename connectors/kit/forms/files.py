"""Files of an inquiry: uploads with their bytes, and addresses under a name, type or label that says "file".

A link in a message is never a file. What is above a cap is noted and the inquiry kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from connectors.kit.decoding import Upload
from crm_core.parsed import IncomingFile

FILE_BYTES = 10 * 1024 * 1024  # one file
FILES = 5  # more of one inquiry is a mistake or an attack
ALL_BYTES = 25 * 1024 * 1024  # all files of one inquiry together
NAME_CHARS = 200
URL_CHARS = 2048

_URL = re.compile(r"https?://[^\s\"'<>|]{4,2044}", re.IGNORECASE)
#: Begins where no separator stands before and gives nothing back: a value of line ends only must not cost their number cubed.
_BETWEEN = re.compile(r"(?<![\s,;|])[\s,;|]++(?=https?://)", re.IGNORECASE)
_NAMED = re.compile(r".{1,200}\.[A-Za-z0-9]{2,5}\Z")
_URL_KEYS = ("url", "file_url", "fileUrl", "href", "link")
_URL_KEYS_SET = frozenset(_URL_KEYS)
_NAME_KEYS = ("filename", "fileName", "file_name", "name")
_TYPE_KEYS = ("mimeType", "mimetype", "contentType", "content_type", "type")
_DESCRIBING = (*_NAME_KEYS[:3], *_TYPE_KEYS[:4])


class Cabinet:
    """Collects the files of one inquiry within the caps."""

    __slots__ = ("bytes", "files", "kept")

    def __init__(self, files: list[IncomingFile]) -> None:
        self.files = files  # also those that a connector found by itself
        self.kept = sum(1 for file in files if not file.note)
        self.bytes = sum(file.size for file in files if not file.note)

    def take(self, field_name: str, value: Any, *, is_file: bool) -> Any | None:
        """What stays in the fields, {"file": name} or a list of them; None where the field holds no file.

        `is_file`: the field's name, label or type says so; only then is an address a file.
        """
        if isinstance(value, Upload):
            return self._upload(value, field_name)
        if isinstance(value, list):
            return self._several(value, field_name, is_file=is_file)
        if isinstance(value, Mapping):
            fits = bool(_url_of(value)) and (is_file or _is_described(value))
            return self._described(value, field_name) if fits else None
        if not is_file or not isinstance(value, str) or not _URL.match(value.strip()):
            return None
        urls = _BETWEEN.split(value.strip())
        if not all(map(_URL.fullmatch, urls)):
            return None
        notes = [self._address(url, field_name) for url in urls]
        return notes if len(notes) > 1 else notes[0]

    def _several(self, values: list[Any], field: str, *, is_file: bool) -> Any | None:
        fits = bool(values) and all(
            isinstance(item, Upload)
            or (isinstance(item, Mapping) and _url_of(item) and (is_file or _is_described(item)))
            or (is_file and isinstance(item, str) and _URL.fullmatch(item.strip()))
            for item in values
        )
        if not fits:
            return None
        return [
            self._upload(item, field) if isinstance(item, Upload)
            else self._described(item, field) if isinstance(item, Mapping)
            else self._address(item.strip(), field)
            for item in values
        ]  # fmt: skip

    def _upload(self, upload: Upload, field: str) -> dict[str, str]:
        size, name = upload["size"], clean_name(upload["name"])
        note = ""
        if self.kept >= FILES:
            note = "too_many"
        elif size > FILE_BYTES or self.bytes + size > ALL_BYTES:
            note = "too_large"
        else:
            self.kept += 1
            self.bytes += size
        # Only now are the bytes taken out of the body.
        content = None if note else bytes(upload.content)
        self.files.append(IncomingFile(name, upload["type"], size, upload["sha256"], field, data=content, note=note))
        return {"file": name}

    def _described(self, value: Mapping[str, Any], field: str) -> dict[str, str]:
        name = next((str(value[key]) for key in _NAME_KEYS if value.get(key)), "")
        type_ = next((str(value[key]) for key in _TYPE_KEYS if "/" in str(value.get(key, ""))), "")
        size = value.get("size")
        return self._address(_url_of(value), field, name, type_, size if isinstance(size, int) else 0)

    def _address(self, url: str, field: str, name: str = "", type_: str = "", size: int = 0) -> dict[str, str]:
        name = clean_name(name or _name_in(url))
        note = "too_many" if self.kept >= FILES else ""
        self.kept += not note
        self.files.append(IncomingFile(name, type_[:100], max(size, 0), "", field, url="" if note else url, note=note))
        return {"file": name}


def is_described(value: Mapping[str, Any]) -> bool:
    """True for {"url","filename",…} as services describe an uploaded file."""
    if _URL_KEYS_SET.isdisjoint(value):
        return False  # nearly everything, and quickly
    return bool(_url_of(value)) and _is_described(value)


def clean_name(name: str) -> str:
    """A file's name without its path and without anything that does not show; "file" if nothing is left."""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip(" .")
    if len(name) > NAME_CHARS:
        stem, dot, ending = name.rpartition(".")
        name = stem[: NAME_CHARS - 12] + dot + ending[:11] if dot else name[:NAME_CHARS]
    return name or "file"


def _is_described(value: Mapping[str, Any]) -> bool:
    return any(value.get(key) for key in _DESCRIBING) or "size" in value


def _url_of(value: Mapping[str, Any]) -> str:
    return next((url for key in _URL_KEYS if isinstance(url := value.get(key), str) and _URL.fullmatch(url)), "")


def _name_in(url: str) -> str:
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return ""
    last = path.rpartition("/")[2]
    return last if _NAMED.fullmatch(last) else ""
