"""GET /c/<token>: a signed time for a form that somebody begins to fill in, and a puzzle if its source wants one.

One answer serves the page snippet (`t`) and the ALTCHA widget (`parameters`, `signature`). Nothing is stored.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import orjson

from connectors.kit.forms.config import FormConfig
from crm_core.base.config import HubConfig
from crm_core.base.errors import Transient
from ingest.screening.challenge import challenge, issue
from ingest.sources.directory import SourceDirectory
from webhooks.entrance.replies import EntranceReply, StartResponse, preflight, refused, retry_after, send
from webhooks.entrance.request import Environ, headers_of

PREFIX: Final = "/c/"

_NO_STORE: Final = (("Cache-Control", "no-store"),)


class Guard:
    """A WSGI callable for everything under /c/."""

    def __init__(self, config: HubConfig, directory: SourceDirectory) -> None:
        self._config = config
        self._directory = directory

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        method: str = environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            answer = preflight(headers_of(environ))
        elif method in ("GET", "HEAD"):
            answer = self._answer(environ["PATH_INFO"][len(PREFIX) :].strip("/"))
        else:
            answer = refused(405, "method", "Use GET.", (("Allow", "GET, HEAD, OPTIONS"),))
        return send(answer, str(environ.get("HTTP_ORIGIN") or ""), start_response, head=method == "HEAD")

    def _answer(self, token: str) -> EntranceReply:
        try:
            address = self._directory.find(token)
        except Transient as error:
            return refused(503, error.code, error.message, retry_after())
        if address is None:
            return refused(404, "unknown_source", "Nobody receives messages at this address.")
        now = datetime.now(UTC)
        told: dict[str, Any] = {"t": issue(self._config, address.source_id, now)}
        settings = address.source.settings if address.source is not None else None
        if isinstance(settings, FormConfig) and settings.altcha != "off":
            told |= challenge(self._config, address.source_id, now)
        return EntranceReply(200, orjson.dumps(told), "application/json", _NO_STORE)
