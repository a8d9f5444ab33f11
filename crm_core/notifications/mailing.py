"""Mails what employees were told and have not read yet. One mail for each, which names the lead's number and no client.

A mail is taken under a lease before it is sent and settled after: a process that is killed leaves it to the next. Killed between the
two, it is sent again under the same Message-ID, by which mail programs know the second copy.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.rows import dict_row

from crm_core.base.config import HubConfig
from crm_core.base.log import get_logger

_log = get_logger(__name__)

#: What was not mailed by then stands in the list only: a mail about yesterday's lead helps nobody.
_TOO_OLD: Final = timedelta(hours=24)
_FORGOTTEN_AFTER: Final = timedelta(days=90)
_LEASE_SECONDS: Final = 120.0
_TIMEOUT_SECONDS: Final = 20.0
#: One look sends at most these, so that the lease is longer than what it covers.
_MOST: Final = 50
_LONGEST_PAUSE_SECONDS: Final = 3600.0

_SETTLE: Final = """
UPDATE notification n SET mailed_at = now() WHERE n.mailed_at IS NULL AND (n.read_at IS NOT NULL OR n.at < now() - %s OR NOT EXISTS
 (SELECT 1 FROM owner o WHERE o.id = n.owner_id AND o.active AND o.notify_by_mail AND o.email <> ''))
"""
_TAKE: Final = """
UPDATE notification n SET mail_next_at = now() + make_interval(secs => %s), mail_tries = mail_tries + 1
  FROM (SELECT id FROM notification WHERE mailed_at IS NULL AND (mail_next_at IS NULL OR mail_next_at <= now())
         ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) due, owner o
 WHERE n.id = due.id AND o.id = n.owner_id
RETURNING n.id, n.kind, n.lead_id, n.at, n.mail_tries, o.name, o.email,
          (SELECT f.name FROM owner f WHERE f.id = n.for_owner_id) AS for_name
"""

_WORDS: Final = {
    "en": {
        "lead_given": "A new lead is yours", "lead_to_take": "A lead waits to be taken",
        "lead_taken_away": "A lead went to a colleague", "deadline_warned": "A client waits for a first answer",
        "deadline_breached": "The time for a first answer is over", "escalated": "A lead needs a decision",
        "message_left": "A colleague left you a message", "instead": "For {name}, who is away.", "lead": "Lead {id}: {url}",
        "why": "You get this mail because you work in Leadhub. Switch it off under My account.",
    },
    "ru": {
        "lead_given": "Новый лид ваш", "lead_to_take": "Лид ждёт, кто его возьмёт",
        "lead_taken_away": "Лид передан коллеге", "deadline_warned": "Клиент ждёт первого ответа",
        "deadline_breached": "Время первого ответа вышло", "escalated": "По лиду нужно решение",
        "message_left": "Коллега оставил вам сообщение", "instead": "За коллегу, которого нет на месте: {name}.",
        "lead": "Лид {id}: {url}",
        "why": "Вы получили это письмо, потому что работаете в Leadhub. Отключить его можно в разделе «Моя учётная запись».",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mailed:
    sent: int = 0
    failed: int = 0


def send_due(connection: psycopg.Connection[Any], config: HubConfig) -> Mailed:
    """Sends what is due, through LEADHUB_SMTP_URL; nothing where that is empty. `connection` is in autocommit. What the server does not take is tried again, later each time, for a day."""
    if not config.smtp_url:
        return Mailed()
    connection.execute(_SETTLE, (_TOO_OLD,))
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_TAKE, (_LEASE_SECONDS, _MOST)).fetchall()
    if not rows:
        return Mailed()
    sent = 0
    try:
        with _server(config) as deliver:
            for row in rows:
                if _delivered(deliver, config, row):
                    connection.execute("UPDATE notification SET mailed_at = now() WHERE id = %s", (row["id"],))
                    sent += 1
                else:
                    _later(connection, row)
    except (OSError, smtplib.SMTPException) as error:
        # The server itself: nothing of it was refused, all of it waits.
        _log.warning("mail_server_away", error=type(error).__name__, waiting=len(rows) - sent)
        for row in rows[sent:]:
            _later(connection, row)
    return Mailed(sent, len(rows) - sent)


def forget_old(connection: psycopg.Connection[Any]) -> int:
    """What was said a quarter of a year ago tells nobody anything. Returns how many rows went, the oldest first, a thousand at most."""
    return connection.execute(
        "DELETE FROM notification n USING (SELECT id, at FROM notification ORDER BY id LIMIT 1000) oldest"
        " WHERE n.id = oldest.id AND oldest.at < now() - %s",
        (_FORGOTTEN_AFTER,),
    ).rowcount


def _delivered(deliver: Callable[[EmailMessage], None], config: HubConfig, row: dict[str, Any]) -> bool:
    try:
        deliver(message_of(config, row))
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused, ValueError) as error:
        _log.warning("mail_refused", notification=row["id"], error=type(error).__name__)
        return False
    return True


def _later(connection: psycopg.Connection[Any], row: dict[str, Any]) -> None:
    pause = min(_LONGEST_PAUSE_SECONDS, 30.0 * 2 ** min(row["mail_tries"], 10))
    connection.execute(
        "UPDATE notification SET mail_next_at = now() + make_interval(secs => %s) WHERE id = %s AND mailed_at IS NULL",
        (pause, row["id"]),
    )


def message_of(config: HubConfig, row: dict[str, Any]) -> EmailMessage:
    """The mail of one notification. Raises ValueError for an address that no mail can have."""
    words = _WORDS.get(config.locale, _WORDS["en"])
    host = urlsplit(config.base_url).hostname or "leadhub"
    message = EmailMessage()
    message["Subject"] = words[row["kind"]]
    message["From"] = _address("Leadhub", config.mail_from or f"leadhub@{host}")
    message["To"] = _address(row["name"], row["email"])
    message["Date"] = format_datetime(row["at"])
    message["Message-ID"] = f"<notification-{row['id']}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = [f"{words[row['kind']]}."]
    if row["for_name"]:
        lines.append(words["instead"].format(name=row["for_name"]))
    if row["lead_id"] is not None:
        lines.append(words["lead"].format(id=row["lead_id"], url=f"{config.base_url}/console/leads/{row['lead_id']}"))
    message.set_content("\n".join([*lines, "", words["why"], ""]))
    return message


def _address(name: str, written: str) -> Address:
    try:
        return Address(name, addr_spec=written)
    except Exception as error:  # the parser raises whatever it stumbles over
        raise ValueError("no address") from error


@contextlib.contextmanager
def _server(config: HubConfig) -> Iterator[Callable[[EmailMessage], None]]:
    url = urlsplit(config.smtp_url)
    host, is_tls = url.hostname or "localhost", url.scheme == "smtps"
    context = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(host, url.port or 465, timeout=_TIMEOUT_SECONDS, context=context)
        if is_tls
        else smtplib.SMTP(host, url.port or (587 if url.scheme == "smtp+starttls" else 25), timeout=_TIMEOUT_SECONDS)
    )
    with server:
        if url.scheme == "smtp+starttls":
            server.starttls(context=context)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield lambda message: _send(server, message)


def _send(server: smtplib.SMTP, message: EmailMessage) -> None:
    server.send_message(message)
