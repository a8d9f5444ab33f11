"""POST /in/<token> and the addresses of other services: size, token, handshake, signature where its refusal is read by a person, journal, answer.

It stands in front of Flask. Nothing else may refuse here: no parsing, no validation, no search for duplicates. Whatever
a connector does wrong at the door is logged and the arrival is kept; the worker finds out with time and company.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Final

from connectors.kit import Connector, Reply, Request
from crm_core.base.config import HubConfig
from crm_core.base.errors import (
    HubError,
    Malformed,
    NotAuthentic,
    TooLarge,
    Transient,
    UnknownSource,
)
from crm_core.base.log import error_facts, get_logger
from ingest.journal.accept import GroupAcceptor, RawEvent, masked_headers
from ingest.journal.raw_event import VERIFIED_AT_DOOR, VERIFIED_HEADER
from ingest.sources.directory import SourceAddress, SourceDirectory
from webhooks.entrance import dropins
from webhooks.entrance.bodies import Bodies
from webhooks.entrance.connector import get_counts, refusal_of, safely
from webhooks.entrance.replies import (
    EntranceReply,
    StartResponse,
    accepted,
    preflight,
    refused,
    retry_after,
    send,
    wrong_method,
)
from webhooks.entrance.reply_page import PAGE_HEADERS, page
from webhooks.entrance.reply_redirect import allowed_address, asked_address, page_before
from webhooks.entrance.request import Environ, headers_of, readable, remote_ip
from webhooks.entrance.visitor import is_browser_form, only_looks

PREFIX: Final = "/in/"

_STATUS: Final[dict[type[HubError], int]] = {
    HubError: 500,
    UnknownSource: 404,
    TooLarge: 413,
    Transient: 503,
    Malformed: 400,
}
#: Requests of one process that are being answered at once. Group commit makes waiting cheap: with 16 of them one commit
#: carries many, which measured best (docs/performance.md).
PLACES: Final = 16
_HTML: Final = "text/html; charset=utf-8"
#: Methods whose body is an arrival. Some shops and CRMs send a contact with PUT or PATCH as if it were a record of theirs.
_ARRIVALS: Final = frozenset({"POST", "PUT", "PATCH"})
_ANSWER_SECONDS: Final = 3.0  # everything together; providers give up after five, and the promise is four
_COMMIT_SECONDS: Final = 2.6  # what the commit may take of it
_DRAIN_FACTOR: Final = 2  # a sender of up to so many times the limit still gets to read its 413

_log = get_logger(__name__)


class Entrance:
    """A WSGI callable for everything under /in/ and for the drop-in addresses."""

    def __init__(
        self, config: HubConfig, directory: SourceDirectory, acceptor: GroupAcceptor, bodies: Bodies | None = None
    ) -> None:
        self._config = config
        self._bodies = bodies or Bodies()
        # A queue with a token for each place: a semaphore of `threading` is Python, and was a tenth of a request's.
        self._places: SimpleQueue[None] = SimpleQueue()
        for _ in range(PLACES):
            self._places.put(None)
        self._directory = directory
        self._acceptor = acceptor

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        method: str = environ["REQUEST_METHOD"]
        headers = headers_of(environ)
        try:
            if method == "OPTIONS":
                answer = preflight(headers)
            elif method in _ARRIVALS or method in ("GET", "HEAD"):
                answer = self._in_its_place(method, headers, environ)
            else:
                answer = wrong_method()
        except HubError as error:
            answer = self._refusal(error, headers, environ["PATH_INFO"])
            if isinstance(error, TooLarge):
                self._bodies.drain(environ, self._config.max_body_bytes * _DRAIN_FACTOR)
        except Exception as error:  # noqa: BLE001 - the edge: a defect of ours is answered with CORS too, or a page's script repeats for ever
            _log.error("entrance_failed", **error_facts(error))
            answer = self._refusal(HubError("internal", "The hub made a mistake."), headers, environ["PATH_INFO"])
        return send(answer, headers.get("origin", ""), start_response, head=method == "HEAD")

    def _in_its_place(self, method: str, headers: Mapping[str, str], environ: Environ) -> EntranceReply:
        """The body comes before the place: whoever sends slowly keeps nobody waiting."""
        body = self._bodies.read(environ, self._config.max_body_bytes) if method in _ARRIVALS else b""
        latest = monotonic() + _ANSWER_SECONDS
        try:
            self._places.get(timeout=_COMMIT_SECONDS)
        except Empty:
            raise Transient("busy", "The hub has too much to do at the moment; please repeat in some seconds.") from None
        try:
            return self._answer(method, headers, environ, body, latest)
        finally:
            self._places.put(None)

    def _answer(self, method: str, headers: Mapping[str, str], environ: Environ, body: bytes, latest: float) -> EntranceReply:
        query = readable(environ.get("QUERY_STRING") or "")
        address, rest, dropin = self._found(environ["PATH_INFO"], query, body)
        if dropin is not None and dropin.wants_json:
            headers = {**headers, "accept": "application/json"}
        request = Request(
            method=method,
            path=rest,
            query=query,
            headers=headers,
            body=body,
            received_at=datetime.now(UTC),
            remote_ip=remote_ip(environ, self._config.trusted_proxies),
        )
        if address.source is None:
            if method not in _ARRIVALS:
                return self._about(headers)
            return self._keep(request, address, None, latest)
        connector, settings = address.source.connector, address.source.settings
        if connector.handshake is not None and method != "HEAD":
            shaken = safely(connector, "handshake", connector.handshake, request, settings)
            if shaken is not None:
                return _of_reply(shaken)
        is_event = method in _ARRIVALS or (
            method == "GET"
            and request.query != ""
            and not only_looks(headers)
            and ((dropin is not None and dropin.get_counts) or get_counts(connector, request, settings))
        )
        if is_event:
            return self._keep(request, address, connector, latest)
        if (
            method == "GET"
            and request.query
            and connector.channel == "form"
            and not only_looks(headers)
            and not _wants_html(headers)
        ):
            # A plug-in that knows no POST would take a friendly 200 for a delivery, and its inquiries would be lost.
            return refused(
                405, "get_not_taken", "This address takes inquiries by POST. To take GET as well, switch on accept_get.",
                (("Allow", "POST, PUT, PATCH, OPTIONS, HEAD"),),
            )  # fmt: skip
        return self._about(headers)

    def _found(self, path: str, query: str, body: bytes) -> tuple[SourceAddress, str, dropins.Dropin | None]:
        """Whose address this is, what follows the token, and the drop-in by which it was found."""
        if path.startswith(PREFIX):
            token, _, rest = path[len(PREFIX) :].partition("/")
            address = self._directory.find(token)
            if address is not None:
                return address, readable(rest), None
        else:
            asked: set[str] = set()
            for dropin in dropins.read(readable(path), query, body):
                for token in dropin.tokens:
                    address = None if token in asked else self._directory.find(token)
                    if address is not None:
                        return address, dropin.path, dropin
                    asked.add(token)
        raise UnknownSource("unknown_source", "Nobody receives messages at this address.")

    def _keep(self, request: Request, address: SourceAddress, connector: Connector | None, latest: float) -> EntranceReply:
        refusal: NotAuthentic | None = None
        marks: dict[str, str] = {}
        key: str | None = None
        senders = False
        if connector is not None and address.source is not None:
            settings = address.source.settings
            if connector.verify is not None and connector.verify_at_door:
                refusal = refusal_of(connector, request, settings)
                marks = {} if refusal else {VERIFIED_HEADER: VERIFIED_AT_DOOR}
            if refusal is None:
                # What is not authentic must not take the key of the real one that may still come.
                if connector.provider_key is not None:
                    key = safely(connector, "provider_key", connector.provider_key, request, settings)
                own = _bare(request.headers.get("idempotency-key", ""))
                key = key or own
                senders = bool(own) and key == own
        receipt = self._acceptor.accept(
            RawEvent(
                source_id=address.source_id,
                channel=address.channel,
                body=request.body,
                method=request.method,
                path=request.path,
                query=request.query,
                headers=masked_headers(request.headers, address.secret_headers) | marks,
                remote_ip=request.remote_ip,
                provider_key=key,
                unclaimed=address.unclaimed,
                verified_at_door=bool(marks),
                key_is_senders=senders,
            ),
            min(_COMMIT_SECONDS, max(0.0, latest - monotonic())),
        )
        if refusal is not None:
            return refused(401, refusal.code, refusal.message)
        if connector is not None and connector.reply is not None and address.source is not None:
            reply = safely(connector, "reply", connector.reply, request, address.source.settings)
            if reply is not None:
                return _of_reply(reply)
        if not is_browser_form(request.headers):
            return accepted(receipt.uid)
        return self._thanks(request, address)

    def _thanks(self, request: Request, address: SourceAddress) -> EntranceReply:
        """Post, redirect, get: to the page that the form asks for if the source allows it, else a page of our own."""
        referrer = request.headers.get("referer", "")
        back = ""
        if address.allowed_hosts:
            asked = asked_address(request.content_type.lower(), request.body, request.query)
            target = allowed_address(asked, referrer, address.allowed_hosts)
            if target:
                return EntranceReply(303, headers=(("Location", target), ("Cache-Control", "no-store")))
            back = allowed_address(referrer, referrer, address.allowed_hosts)
        return self._page(200, "accepted", request.headers, back)

    def _about(self, headers: Mapping[str, str]) -> EntranceReply:
        if _wants_html(headers):
            return self._page(200, "about", headers)
        return EntranceReply(200, b"This address receives messages by POST.\n", headers=(("Cache-Control", "no-store"),))

    def _refusal(self, error: HubError, headers: Mapping[str, str], path: str) -> EntranceReply:
        status = _STATUS.get(type(error), 503)
        extra = retry_after() if status == 503 else ()
        if is_browser_form(headers):
            back = page_before(headers.get("referer", ""))
            return self._page(status, error.code, headers, back, self._phone(path), extra)
        return refused(status, error.code, error.message, extra)

    def _phone(self, path: str) -> str:
        """The number that the source names for those whose message could not be taken; "" if it cannot be known now."""
        try:
            address, _, _ = self._found(path, "", b"")
        except HubError:
            return ""
        return str(getattr(address.source.settings, "visitors_phone", "")) if address.source else ""

    def _page(
        self,
        status: int,
        which: str,
        headers: Mapping[str, str],
        back: str = "",
        phone: str = "",
        extra: tuple[tuple[str, str], ...] = (),
    ) -> EntranceReply:
        body = page(which, headers.get("accept-language", ""), self._config.locale, back, phone)
        return EntranceReply(status, body, _HTML, (*PAGE_HEADERS, *extra))


def _bare(key: str) -> str:
    """An Idempotency-Key, quoted (RFC 8941 string) or bare, as the same key."""
    key = key.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return key


def _wants_html(headers: Mapping[str, str]) -> bool:
    return "text/html" in headers.get("accept", "")


def _of_reply(reply: Reply) -> EntranceReply:
    return EntranceReply(reply.status, reply.body, reply.content_type, tuple(reply.headers.items()))
