"""The way to a mail server: a socket to an address that the hub's guard has checked, and imapclient on top of it.

The host is typed by a person, so it must not lead the hub into its own network (SSRF), nor into another one between the
check and the connection.
"""

from __future__ import annotations

import imaplib
import socket
import ssl

from imapclient import IMAPClient, SocketTimeout

from connectors.mail.imap import ImapConfig
from crm_core.base.errors import Invalid, Misconfigured
from ingest.http_client.addresses import Allowed
from ingest.http_client.connection import Clock, checked_addresses
from ingest.mailbox.limits import Limits


class GuardedIMAPClient(IMAPClient):  # type: ignore[misc]  # imapclient has no types
    """imapclient that is given its connection instead of making one; it resolves nothing."""

    def __init__(self, settings: ImapConfig, allowed: Allowed, limits: Limits, context: ssl.SSLContext | None) -> None:
        """Connects. Misconfigured ("host_private") for an address that is not public; OSError."""
        self._connected = _connected(settings, allowed, limits.connect_seconds)
        tls = settings.security == "tls"
        try:
            if tls:
                assert context is not None
                self._connected = context.wrap_socket(self._connected, server_hostname=settings.host)
            super().__init__(
                settings.host, settings.actual_port, ssl=tls, ssl_context=context if tls else None,
                timeout=SocketTimeout(connect=limits.connect_seconds, read=limits.read_seconds),
            )  # fmt: skip
        except BaseException:
            self._connected.close()
            raise

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - imapclient's own name for it
        return _Imap4(self._connected, self.host, self.port)


class _Imap4(imaplib.IMAP4):
    def __init__(self, connected: socket.socket, host: str, port: int) -> None:
        self._given = connected
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:  # noqa: ARG002 - it is set on the socket
        return self._given


def _connected(settings: ImapConfig, allowed: Allowed, seconds: float) -> socket.socket:
    """A socket to the first of the name's addresses that answers, all of them within the time."""
    clock = Clock(seconds)
    try:
        addresses = checked_addresses(settings.host, settings.actual_port, allowed, seconds)
    except Invalid as error:
        raise Misconfigured(
            "host_private",
            f"{settings.host} is an address inside a private network or this machine. If you run that server yourself, "
            "whoever operates the hub names it in LEADHUB_OUTBOUND_ALLOW; a source cannot allow it.",
            host=settings.host,
        ) from error
    failed: OSError = TimeoutError()
    for n, address in enumerate(addresses):
        share = clock.left(TimeoutError) / (len(addresses) - n)
        try:
            return socket.create_connection((str(address), settings.actual_port), timeout=share)
        except OSError as error:
            failed = error
    raise failed
