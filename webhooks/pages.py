"""Pages and API behind a bound of their own: whatever they do, the entrances keep their places and their pace."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from crm_core.base.errors import HubError, TooLarge
from webhooks.app import MAX_REQUEST_BYTES
from webhooks.entrance.bodies import Bodies
from webhooks.entrance.replies import StartResponse, refused, retry_after, send

#: Twice as many as they have connections to the database (webhooks/engines.py): a page that waits for one holds a place.
PLACES: Final = 16
_WAIT_SECONDS: Final = 10.0  # a person waits so long before anybody would

#: Short, bounded by themselves, and asked by machines that wait for nobody: a ringing telephone, whoever watches the hub.
_WITHOUT_PLACE: Final = ("/route/", "/livez", "/readyz")

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Pages:
    """A WSGI callable around the application: reads the body first, then takes a place."""

    def __init__(self, app: Callable[[dict[str, Any], Any], Iterable[bytes]], bodies: Bodies) -> None:
        self._app = app
        self._bodies = bodies
        self._places = threading.BoundedSemaphore(PLACES)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in _WITH_BODY:
            try:
                body = self._bodies.read(environ, MAX_REQUEST_BYTES)
            except TooLarge:
                environ["CONTENT_LENGTH"] = str(
                    MAX_REQUEST_BYTES + 1
                )  # the application says so in its own words, and reads nothing
            except HubError as error:
                return self._refused(400 if error.code == "incomplete" else 503, error, start_response)
            else:
                environ["wsgi.input"] = io.BytesIO(body)
                environ["CONTENT_LENGTH"] = str(len(body))
                environ.pop("HTTP_TRANSFER_ENCODING", None)
        if environ["PATH_INFO"].startswith(_WITHOUT_PLACE):
            return self._app(environ, start_response)
        if not self._places.acquire(timeout=_WAIT_SECONDS):
            busy = HubError("busy", "The hub has too much to do at the moment; please repeat in some seconds.")
            return self._refused(503, busy, start_response)
        try:
            return self._app(environ, start_response)
        finally:
            self._places.release()

    @staticmethod
    def _refused(status: int, error: HubError, start_response: StartResponse) -> Iterable[bytes]:
        return send(refused(status, error.code, error.message, retry_after()), "", start_response)
