"""The console's and the documentation's own files, read once: small, part of the program, and never a path of a request."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from flask import Response, abort, request

#: A file's address carries its content's hash, so that it never has to be asked for again.
_YEAR_SECONDS = 365 * 24 * 3600


def answer(folder: Path, filename: str) -> Response:
    """404 for whatever does not lie in that folder itself."""
    found = _files(folder).get(filename)
    if found is None:
        abort(404)
    body, media_type, tag = found
    response = Response(body, mimetype=media_type)
    response.set_etag(tag)
    response.cache_control.public = True
    response.cache_control.max_age = _YEAR_SECONDS
    return response.make_conditional(request)  # type: ignore[return-value]


def version(folder: Path, filename: str) -> str:
    """What to put behind `?v=`."""
    return _files(folder)[filename][2]


@cache
def _files(folder: Path) -> dict[str, tuple[bytes, str, str]]:
    """{name: (content, media type, its hash)}"""
    return {
        path.name: (body := path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream",
                    hashlib.sha256(body).hexdigest()[:16])
        for path in folder.iterdir() if path.is_file()
    }  # fmt: skip
