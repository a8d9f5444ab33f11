"""Reads the bodies of requests so that slow senders cost the others nothing.

A thread that waits for a body holds nothing but itself, and there are as many threads as connections; only who has read his
body takes one of the places that work. A body must come at a least rate, or its connection is shut: WSGI knows no deadline
for a read, so a thread of its own looks at the process's sockets for those that give nothing (`TCP_INFO`, tcp(7)).
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any, Final

from crm_core.base.errors import Malformed, TooLarge, Transient
from webhooks.entrance.starved_sockets import StarvedSockets

Environ = dict[str, Any]

#: A body that is not here after this must have come at the least rate: what a telephone on the edge of its cell still does.
GRACE_SECONDS: Final = 20.0
LEAST_BYTES_PER_SECOND: Final = 1_000
#: When so many threads wait for bodies, somebody means it: then little patience is left for those that give nothing.
PRESSED_READERS: Final = 256
PRESSED_GRACE_SECONDS: Final = 3.0
#: Bodies above this are read a few at a time, so that what is half read cannot fill the memory.
_LARGE_BYTES: Final = 1024 * 1024
_LARGE_AT_ONCE: Final = 16  # of 32 MB at most each
_LARGE_WAIT_SECONDS: Final = 2.0
#: Whoever holds one of these places must be worth it: a slow telephone line sends so much, and 32 MB take half an hour.
_LARGE_LEAST_BYTES_PER_SECOND: Final = 16_000

_CHUNK: Final = 65_536
_LOOK_SECONDS: Final = 1.0


class Bodies:
    """One a process. Its thread starts with the first body that is read."""

    def __init__(self) -> None:
        self._readers: dict[int, tuple[float, str]] = {}  # thread → since when it waits (monotonic), for whom
        self._large = threading.BoundedSemaphore(_LARGE_AT_ONCE)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._shut_at = float("-inf")  # when a connection was shut last (monotonic)

    def read(self, environ: Environ, limit: int) -> bytes:
        """The body, declared or chunked. TooLarge above `limit` bytes; Malformed if the sender hung up in the middle;
        Transient if it came too slowly, or too many large ones are being read."""
        declared = environ.get("CONTENT_LENGTH") or ""
        expected = int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 19 else None
        if expected is not None and expected > limit:
            raise too_large(limit)
        if expected == 0 or (expected is None and not _is_chunked(environ)):
            return b""
        began = monotonic()
        me = threading.get_ident()
        self._readers[me] = (began, str(environ.get("REMOTE_ADDR") or ""))
        if self._thread is None:
            self._start()
        try:
            body = self._read(environ["wsgi.input"], expected, limit, began)
        except (OSError, ValueError, RuntimeError) as error:
            raise _incomplete(began) from error
        finally:
            del self._readers[me]
        if len(body) > limit:
            raise too_large(limit)
        if expected is not None and len(body) < expected:
            # Nobody is left to hear an answer, and nothing was promised: a half body would be a half lead.
            raise _incomplete(began)
        return body

    def drain(self, environ: Environ, most: int) -> None:
        """Reads on over what is not wanted, up to `most` bytes: a client that is still sending would miss the answer."""
        stream = environ["wsgi.input"]
        declared = environ.get("CONTENT_LENGTH") or ""
        left = min(int(declared), most) if declared.isascii() and declared.isdigit() else most
        began, me = monotonic(), threading.get_ident()
        self._readers[me] = (began, str(environ.get("REMOTE_ADDR") or ""))
        try:
            while left > 0 and monotonic() - began < GRACE_SECONDS:
                read = len(stream.read(min(_CHUNK, left)))
                if not read:
                    return
                left -= read
        except (OSError, ValueError, RuntimeError):
            return  # the client is gone, so there is nobody to drain for
        finally:
            del self._readers[me]

    def _read(self, stream: Any, expected: int | None, limit: int, began: float) -> bytes:
        if expected is not None and expected <= _CHUNK:
            first: bytes = stream.read(expected)
            if len(first) == expected:
                return first  # nearly all: they came with their headers
            chunks = [first] if first else []
        else:
            chunks = []
        got = sum(map(len, chunks))
        most = limit + 1 if expected is None else expected
        has_place, placed_at, placed_got = False, 0.0, 0
        try:
            while got < most:
                if got >= _LARGE_BYTES and not has_place:
                    placed_at, placed_got = monotonic(), got
                    has_place = self._large.acquire(timeout=_LARGE_WAIT_SECONDS)
                    if not has_place:
                        raise Transient(
                            "busy", "Too many large messages are coming in at the moment; please repeat in some seconds."
                        )
                asked, wanted = monotonic(), min(_CHUNK, most - got)
                more = stream.read(wanted)
                # granian takes the end of a connection for the end of a body in chunks. Where we made that end, what there is
                # must not become half a lead.
                is_end = len(more) < wanted
                if is_end and expected is None and self._shut_at > asked + PRESSED_GRACE_SECONDS - _LOOK_SECONDS:
                    raise _too_slow()
                if not more:
                    break
                chunks.append(more)
                got += len(more)
                waited = monotonic() - began
                if waited > GRACE_SECONDS and got < waited * LEAST_BYTES_PER_SECOND:
                    raise _too_slow()
                held = monotonic() - placed_at if has_place else 0.0
                if held > GRACE_SECONDS and got - placed_got < held * _LARGE_LEAST_BYTES_PER_SECOND:
                    raise _too_slow()
        finally:
            if has_place:
                self._large.release()
        return b"".join(chunks)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="slow-bodies", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        """Shuts the connections of those that keep a reader waiting and send next to nothing."""
        sockets = StarvedSockets()
        pause = threading.Event()
        while True:
            pause.wait(_LOOK_SECONDS)
            now = monotonic()
            waiting = [(since, address) for since, address in list(self._readers.values()) if now - since > _LOOK_SECONDS]
            if not waiting:
                sockets.forget()
                continue
            grace = GRACE_SECONDS if len(waiting) < PRESSED_READERS else PRESSED_GRACE_SECONDS
            late = {address for since, address in waiting if now - since > grace}
            sockets.look(now, {address for _, address in waiting})
            if late:
                self._shut_at = now  # before it is done: the reader looks as soon as it is
                sockets.shut(now, late, grace, LEAST_BYTES_PER_SECOND)


def too_large(limit: int) -> TooLarge:
    return TooLarge("too_large", f"The body is larger than {limit} bytes.", limit=limit)


def _incomplete(began: float) -> Malformed | Transient:
    if monotonic() - began > PRESSED_GRACE_SECONDS:
        return _too_slow()  # it was most likely cut by us: whoever sent it may try again
    return Malformed("incomplete", "The request ended before its body did.")


def _too_slow() -> Transient:
    return Transient("too_slow", "The message came too slowly and was not taken; please send it again.")


def _is_chunked(environ: Environ) -> bool:
    return bool(environ.get("wsgi.input_terminated")) or "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING") or "").lower()
