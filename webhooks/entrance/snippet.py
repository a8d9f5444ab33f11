"""GET /js/leadhub.js, and the same under a name that never changes its content, for pages that name its hash (SRI).

Nothing else is served from here: no directory, no path that is put together out of a request.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from typing import Final

from webhooks.entrance.replies import EntranceReply, StartResponse, preflight, refused, send
from webhooks.entrance.request import Environ
from webhooks.entrance.snippet_file import SOURCE, Snippet, snippet

PREFIX: Final = "/js/"

_TYPE: Final = "text/javascript; charset=utf-8"
_NAME: Final = re.compile(r"leadhub-[0-9a-f]{10}\.js")
_NO_GZIP: Final = re.compile(r"gzip\s*;\s*q\s*=\s*0(?:\.0*)?\s*(?:,|$)")
#: A change reaches every page within ten minutes; while the hub is away a day-old one still serves.
_FRESH: Final = "public, max-age=600, stale-while-revalidate=86400, stale-if-error=604800"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def serve(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """The answer for a path under /js/."""
    method: str = environ["REQUEST_METHOD"]
    # "*" and not the asker's own origin: the same bytes for everybody, so that every cache may keep them.
    if method == "OPTIONS":
        answer = preflight({})
    elif method not in ("GET", "HEAD"):
        answer = refused(405, "method", "Use GET.", (("Allow", "GET, HEAD, OPTIONS"),))
    else:
        answer = _answer(environ["PATH_INFO"][len(PREFIX) :], environ)
    return send(answer, "", start_response, head=method == "HEAD")


def _answer(name: str, environ: Environ) -> EntranceReply:
    current = snippet()
    if name in ("leadhub.js", current.name):
        found: Snippet | None = current
    else:
        found = _earlier(name) if _NAME.fullmatch(name) else None
    if found is None:
        return refused(404, "not_found", "There is no such script.")
    headers = [
        ("ETag", found.etag),
        ("Cache-Control", _FRESH if name == "leadhub.js" else _FOR_EVER),
        ("Vary", "Accept-Encoding"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),  # any page of any site may carry it
    ]
    asked = str(environ.get("HTTP_IF_NONE_MATCH") or "")
    if found.etag in asked or asked.strip() == "*":
        return EntranceReply(304, b"", _TYPE, tuple(headers))
    accepted = str(environ.get("HTTP_ACCEPT_ENCODING") or "").lower()
    if "gzip" in accepted and not _NO_GZIP.search(accepted):
        return EntranceReply(200, found.compressed, _TYPE, (*headers, ("Content-Encoding", "gzip")))
    return EntranceReply(200, found.body, _TYPE, tuple(headers))


@lru_cache(maxsize=32)
def _earlier(name: str) -> Snippet | None:
    """A version that was kept beside the source (python -m webhooks.entrance.snippet_file), for pages that name its hash."""
    path = SOURCE.parent / name
    if not path.is_file():
        return None
    body = path.read_bytes()
    etag = f'"{hashlib.sha384(body).hexdigest()[:10]}"'
    return Snippet(body, gzip.compress(body, 9, mtime=0), etag, "", name)
