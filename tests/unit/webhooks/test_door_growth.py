"""What the door does with a visitor's bytes grows as they do: four times the bytes, nowhere near sixteen times the work.

Asked of everything that runs in the web process before or after the commit. Work is the thread's own processor time, and
only its growth is judged: quadratic work grows sixteenfold, linear work fourfold, whatever machine this is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from connectors.kit import Connector, Request, registry
from crm_core.base.errors import UnknownSource
from webhooks.entrance import dropins
from webhooks.entrance.replies import preflight
from webhooks.entrance.reply_page import language
from webhooks.entrance.reply_redirect import asked_address, page_before
from webhooks.entrance.visitor import is_browser_form, only_looks

_FEW, _MANY = 8_000, 32_000  # bytes; the redirect looks at 65,536
_MOST_GROWTH = 10.0  # between 4 and 16, with room for a noisy clock at both ends
_NOISE_SECONDS = 0.008  # below that a figure says nothing; quadratic work over 32,000 bytes takes far longer

_TYPES = (
    "multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "application/json", "text/plain", "application/xml",
)  # fmt: skip
_FRAGMENTS = (
    b"name=_next\n", b'name="_next"\r\nx\r\n', b'name="redirect"\r\n\r\n', b"\r\n\r\n", b'; name="', b'"key":', b'access_key="',
    b"name=access_key;", b"&key=", b"[", b'{"a":', b"[{", b'"', b"\\", b" ", b"\t", b"=", b"%", b"+", b"a", b"1", b"<", b"<a>",
    b"[a]=1&", b"a[", b"\xc3\xa9", b"\xff", b"--b\r\n", b"a=b\n", b"a: b\n", b",", b"@", b"http://", b"charset=", b"a=b&",
    b'\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', b'"a":"b",', b"\x00", b"'",
)  # fmt: skip


def _seconds(function: Callable[[bytes], object], body: bytes) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.thread_time()
        function(body)
        best = min(best, time.thread_time() - began)
        if best < _NOISE_SECONDS:
            break
    return best


def _grows_too_fast(function: Callable[[bytes], object], fragment: bytes) -> str | None:
    many = _seconds(function, fragment * (_MANY // len(fragment)))
    if many < _NOISE_SECONDS:
        return None
    few = _seconds(function, fragment * (_FEW // len(fragment)))
    return f"{fragment!r}: {many / few:.1f} times" if many > _MOST_GROWTH * few else None


def _require_linear(functions: Iterator[tuple[str, Callable[[bytes], object]]]) -> None:
    found = [
        f"{name} {slow}"
        for name, function in functions
        for fragment in _FRAGMENTS
        if (slow := _grows_too_fast(function, fragment))
    ]
    assert found == []


def test_redirect_is_found_in_one_pass_whatever_is_posted() -> None:
    beginnings = (b"", b'{"a":"', b'--b\r\nContent-Disposition: form-data; name="_next"')
    _require_linear(
        (f"redirect {kind} {head!r}", lambda body, kind=kind, head=head: asked_address(kind, head + body))  # type: ignore[misc]
        for kind in _TYPES
        for head in beginnings
    )


def test_key_of_a_drop_in_is_found_in_one_pass_whatever_is_posted() -> None:
    def look(path: str, body: bytes) -> None:
        with suppress(UnknownSource):
            dropins.read(path, body.decode("latin-1"), body)

    paths = ("/submit", "/api/proxy/1.0/leads/add", "/f/x", "/ajax/x")
    _require_linear((path, lambda body, path=path: look(path, body)) for path in paths)  # type: ignore[misc]


def test_headers_and_addresses_are_read_in_one_pass() -> None:
    def text(body: bytes) -> str:
        return body.decode("latin-1")

    readers: dict[str, Callable[[bytes], object]] = {
        "path": lambda body: dropins.is_mail_path("/" + text(body)),
        "form": lambda body: dropins.read("/f/" + text(body), "", b""),
        "user-agent": lambda body: only_looks({"user-agent": text(body), "purpose": text(body)}),
        "accept": lambda body: is_browser_form({"accept": text(body)}),
        "accept-language": lambda body: language(text(body), "en"),
        "referer": lambda body: page_before("https://example.com/" + text(body)),
        "preflight": lambda body: preflight({"access-control-request-headers": text(body), "webhook-request-origin": text(body)}),
    }
    _require_linear(iter(readers.items()))


def _asked_at_the_door(connector: Connector) -> Iterator[tuple[str, Callable[[bytes], object]]]:
    """The connector's functions that the web process calls, each over a post of each kind."""
    settings = connector.config_model.model_construct()
    steps = [connector.provider_key, connector.handshake, connector.reply, connector.get_is_event]
    if connector.verify_at_door:
        steps.append(connector.verify)
    for step in steps:
        for kind in _TYPES:

            def ask(body: bytes, step: object = step, kind: str = kind) -> None:
                request = Request("POST", "", "", {"content-type": kind}, body, datetime.now(UTC), "192.0.2.1")
                try:
                    step(request, settings)  # type: ignore[operator]
                except Exception:  # noqa: BLE001 - whatever it says about nonsense, only its work is judged; the door catches it too
                    return

            if callable(step):
                yield f"{connector.name} {kind}", ask


@pytest.mark.parametrize("name", sorted(registry.names()))
def test_connector_asks_a_post_in_one_pass_at_the_door(name: str) -> None:
    _require_linear(_asked_at_the_door(registry.get(name)))
