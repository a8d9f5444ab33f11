"""Compressed pages, styles, scripts and JSON, where compression cannot tell anybody what else stands in the answer.

An answer's compressed length says whether what an attacker had put into it occurs a second time (BREACH, CVE-2013-3587).
Therefore: nothing that another site made a browser ask for is compressed, nor a page that shows a secret, nor the answer to a
deed, which may show one for once; the form token is written differently in every answer (`console.form_tokens`). Files, streams and the entrances never come through here.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, g, request
from flask_compress import Compress

#: Fetch Metadata's words for requests that no other site can cause. Without the header it is a program, or a browser that a
#: form token's mask and the pages left out below must do for.
_OWN: Final = ("same-origin", "none", "")


def install(app: Flask) -> None:
    """Prepares `compressed`. Streams stay as they are: what they carry was compressed before, or must not wait."""
    app.config.update(
        COMPRESS_REGISTER=False,
        COMPRESS_MIMETYPES=["text/html", "text/css", "text/javascript", "application/javascript", "application/json",
                            "application/problem+json", "image/svg+xml"],
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_STREAMS=False,
    )  # fmt: skip
    app.extensions["leadhub_compress"] = Compress(app)


def leave_uncompressed() -> None:
    """Says of the answer to this request that it shows a secret."""
    g.shows_secret = True


def compressed(app: Flask, response: Response) -> Response:
    """The answer in an encoding that the client takes, with Vary and an ETag of its own; as it is where it may not be."""
    if request.method not in ("GET", "HEAD") or g.get("shows_secret") or request.headers.get("Sec-Fetch-Site", "") not in _OWN:
        response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
        return response
    answer: Response = app.extensions["leadhub_compress"].after_request(response)
    if answer.mimetype == "text/html":
        answer.vary.add("Sec-Fetch-Site")
    return answer
