"""What went wrong with a mailbox, as a code, words that a person can act on, and the one reaction that it asks for."""

from __future__ import annotations

import ast
import imaplib
import re
import socket
import ssl
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from connectors.mail.imap import ImapConfig
from crm_core.base.errors import Misconfigured

#: Everything that a mail server and the way to it can raise. After any of it the connection is thrown away.
IMAP_ERRORS = (imaplib.IMAP4.error, OSError, EOFError)

#: However long a server asks us to wait.
LONGEST_WAIT_SECONDS = 7_200.0

Reaction = Literal["backoff", "auth", "folder", "human"]


class FolderMissing(imaplib.IMAP4.error):
    """The server says that there is no such folder."""


class BadAnswer(imaplib.IMAP4.error):
    """The server's answer cannot be understood."""


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    message: str
    reaction: Reaction
    wait_seconds: float = 0.0  # what the server itself asked for; 0: nothing
    pauses: bool = False  # the whole mailbox has to wait; asking for fewer mails at once would not help
    said: str = field(default="", compare=False)  # the server's own words, where it answered

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message} | ({"said": self.said} if self.said else {})


_MOST_READ = 2_000  # characters of an error that are looked at; a hostile server may send a line of a megabyte
_MOST_SAID = 200  # and of what is shown of it
#: A bytes literal, alone or as the only item of a list; the cut may have left it open. A backslash takes the next character
#: along, so that it is linear.
_BYTES = re.compile(r"""\[?(?<!\w)b(?:'(?P<one>(?:[^'\\]|\\.)*)(?:'|\\?$)|"(?P<two>(?:[^"\\]|\\.)*)(?:"|\\?$))\]?""", re.DOTALL)
_SUGGESTED = re.compile(r"backoff time:?\s*(\d{1,9})", re.IGNORECASE)
_THROTTLED = re.compile(r"throttl|\[OVERQUOTA\]|too many (?:requests|commands)|rate limit|bandwidth", re.IGNORECASE)
_LIMIT = re.compile(r"\[LIMIT\]|maximum number of connections|too many (?:simultaneous )?connections", re.IGNORECASE)
_REFUSED = re.compile(
    r"\[(?:AUTHENTICATIONFAILED|EXPIRED|AUTHORIZATIONFAILED)\]|invalid credentials|authentication fail",
    re.IGNORECASE,
)
_AWAY = re.compile(r"\[(?:UNAVAILABLE|INUSE|SERVERBUG|ALERT)\]", re.IGNORECASE)
_CLEARTEXT = re.compile(r"\[PRIVACYREQUIRED\]|LOGINDISABLED|plaintext authentication disallowed", re.IGNORECASE)


def explain(error: BaseException, settings: ImapConfig) -> Failure:
    """Never quotes the password or a mail; the server's own words are cut to 200 characters."""
    said = _said(error)
    if settings.password:  # a server may repeat the command that it did not like
        said = said.replace(settings.password, "…")
    answered = isinstance(error, imaplib.IMAP4.error) and not isinstance(error, FolderMissing)
    return replace(_explained(error, settings, said), said=said if answered else "")


def _explained(error: BaseException, settings: ImapConfig, said: str) -> Failure:
    where = f"{settings.host}:{settings.actual_port}"
    if isinstance(error, Misconfigured):
        return Failure(error.code, error.message, "human", pauses=True)
    if isinstance(error, FolderMissing):
        return Failure(
            "folder_missing",
            f"There is no folder {settings.folder!r} in this mailbox.",
            "folder",
            pauses=True,
        )
    if isinstance(error, socket.gaierror):
        return Failure(
            "host_unknown",
            f"The name {settings.host} is not known. Check the spelling of the server.",
            "backoff",
            pauses=True,
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure(
            "certificate",
            f"The certificate of {where} is not valid for it: {error.verify_message}.",
            "backoff",
            pauses=True,
        )
    if isinstance(error, ssl.SSLError):
        return Failure(
            "tls",
            f"{where} does not speak TLS as expected. Check port and security (tls, starttls).",
            "backoff",
            pauses=True,
        )
    if isinstance(error, ConnectionRefusedError):
        return Failure("refused", f"Nothing answers at {where}. Check host and port.", "backoff", pauses=True)
    if isinstance(error, TimeoutError):
        return Failure("timeout", f"{where} does not answer in time.", "backoff")
    if _THROTTLED.search(said):
        found = _SUGGESTED.search(said)
        wait = int(found[1]) / 1000 if found else 0.0
        return Failure(
            "throttled",
            "The provider slows this mailbox down; the hub waits as asked.",
            "backoff",
            min(wait, LONGEST_WAIT_SECONDS),
            True,
        )
    if _LIMIT.search(said):
        return Failure(
            "limit",
            "Too many connections to this mailbox at once. Close other mail programs or wait.",
            "backoff",
            pauses=True,
        )
    if "authenticated but not connected" in said.lower():
        return Failure(
            "not_connected", "The name signs in but may not open this mailbox: check user name, licence and permissions.",
            "backoff", pauses=True,
        )  # fmt: skip
    if _CLEARTEXT.search(said):
        return Failure(
            "cleartext",
            f"{where} wants encryption before the password. Use security=tls or starttls.",
            "auth",
            pauses=True,
        )
    if _REFUSED.search(said) or (type(error).__name__ == "LoginError" and not _AWAY.search(said)):
        return Failure(
            "auth_failed", "The server refuses the name or the password. Many providers want an app password and IMAP "
            f"switched on. It said: {said}", "auth", pauses=True,
        )  # fmt: skip
    if _AWAY.search(said):  # also said of one mail that the server stumbles over: whether it is away, a new connection tells
        return Failure(
            "unavailable",
            f"The mail server is not available just now. It said: {said}",
            "backoff",
        )
    if isinstance(error, imaplib.IMAP4.abort | EOFError | ConnectionError):
        return Failure("connection_lost", f"The connection to {where} broke off.", "backoff")
    if isinstance(error, OSError):
        return Failure(
            "network",
            f"{where} cannot be reached: {error.strerror or type(error).__name__}.",
            "backoff",
            pauses=True,
        )
    return Failure("bad_answer", f"The server's answer was not understood: {said}", "backoff")


def _said(error: BaseException) -> str:
    """The server's own words as text, at most 200 characters of them, without line breaks or control characters."""
    text: Any = error.args[0] if error.args else ""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return as_plain(str(text))


def as_plain(text: str) -> str:
    """Without Python's way of writing bytes: imaplib and imapclient put answers into sentences as `b'…'` and `[b'…']`."""
    plain = _BYTES.sub(_decoded, text[:_MOST_READ])
    return " ".join("".join(char if char.isprintable() else " " for char in plain).split())[:_MOST_SAID]


def _decoded(found: re.Match[str]) -> str:
    quote, inner = ("'", found["one"]) if found["one"] is not None else ('"', found["two"])
    try:
        value = ast.literal_eval(f"b{quote}{inner}{quote}")
    except (SyntaxError, ValueError):
        return inner
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else inner
