"""A file that a stranger sent, handed out for saving. Never shown inside a page, never run, whatever it says it is."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from flask import Response

from crm_core.base.errors import NotFound
from crm_core.forms.attachments import AttachedFile
from ingest.files.store import read, sniffed
from webhooks.security_headers import DATA_CSP


def file_answer(home: Path, file: AttachedFile) -> Response:
    """NotFound where the content is missing or damaged."""
    content = read(home, file.sha256)
    if content is None:
        raise NotFound("file_missing", "The content of this file is not on this machine.")
    answer = Response(content, content_type=sniffed(content[:16]))
    name = "".join(char for char in file.name if char.isprintable() and char not in '/\\"') or f"file-{file.id}"
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    answer.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = DATA_CSP
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
