"""Pages wait for each other, and never a telephone for them."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest

from webhooks import pages
from webhooks.entrance.bodies import Bodies
from webhooks.pages import PLACES, Pages


def _environ(path: str, body: bytes = b"", method: str = "GET", length: str | None = None) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
    }  # fmt: skip


class _Slow:
    """An application whose pages do not end before they are told to."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.end = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/console/slow":
            self.inside.release()
            self.end.wait(30)
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]


def _status(app: Pages, environ: dict[str, Any]) -> tuple[int, bytes]:
    said: list[str] = []
    body = b"".join(app(environ, lambda status, headers: said.append(status)))
    return int(said[0][:3]), body


def test_telephone_and_probes_are_answered_while_all_pages_are_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_WAIT_SECONDS", 0.05)
    slow = _Slow()
    app = Pages(slow, Bodies())
    threads = [threading.Thread(target=_status, args=(app, _environ("/console/slow"))) for _ in range(PLACES)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert slow.inside.acquire(timeout=30)
    assert _status(app, _environ("/route/abc"))[0] == 200
    assert _status(app, _environ("/livez"))[0] == 200
    assert _status(app, _environ("/console/leads"))[0] == 503
    slow.end.set()
    for thread in threads:
        thread.join(30)
    assert _status(app, _environ("/console/leads"))[0] == 200


def test_body_is_handed_on_whole_and_a_large_one_is_left_to_the_application() -> None:
    app = Pages(_Slow(), Bodies())
    assert _status(app, _environ("/api/v1/x", b'{"a":1}', "POST")) == (200, b'{"a":1}')
    assert _status(app, _environ("/api/v1/x", b"half", "POST", "9"))[0] == 400
    large = _environ("/api/v1/x", b"x" * 10, "POST", str(pages.MAX_REQUEST_BYTES + 1))
    assert _status(app, large)[0] == 200
    assert large["CONTENT_LENGTH"] == str(pages.MAX_REQUEST_BYTES + 1)
