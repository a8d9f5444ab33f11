"""Raw mail to `Message`. Three rungs: all of it, its headers with the body read as lines, the bare fact that it came.

Never raises for a mail's content: each rung yields a message, and the warnings say which one it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import Message as MimeMessage
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.kit import ConnectorConfig, Request
from connectors.mail.imap import (
    addresses,
    automatic,
    body,
    charset,
    flat,
    form,
    forward,
    headers,
    identifiers,
    limits,
    phones,
    reply,
    structure,
)
from connectors.mail.imap.config import ImapConfig
from crm_core.identity.sender_addresses import is_program
from crm_core.parsed import Message, Visitor

#: What broken mail makes the standard library's parser raise (measured over 1 673 mails and nine bombs).
_BROKEN = (
    RecursionError,
    MemoryError,
    LookupError,
    UnicodeError,
    ValueError,
    AttributeError,
    TypeError,
    AssertionError,
)

#: Headers worth keeping beside the message; the rules of later rooms read them. Values are cut to 500 characters.
_KEPT = (
    "list-id", "list-unsubscribe", "auto-submitted", "precedence", "return-path", "x-original-from", "x-original-sender",
    "x-spam-flag", "x-spam-status", "x-mailer", "user-agent", "authentication-results", "feedback-id", "importance",
    "x-failed-recipients", "x-auto-response-suppress",
)  # fmt: skip


def parse(request: Request, config: ConnectorConfig) -> Sequence[Message]:
    """One mail, one message. `request.headers` say where it was found (`x-imap-…`), `request.body` is the raw mail."""
    settings = config if isinstance(config, ImapConfig) else None
    raw = request.body
    seen = structure.look(raw)
    warnings = [*seen.warnings, *_fetch_warnings(request.headers)]
    if not seen.flat:
        try:
            mime = BytesParser(policy=compat32).parsebytes(seen.raw)
            return (_message(mime, body.read(mime), request, settings, warnings),)
        except _BROKEN:
            warnings.append("structure_unreadable")
    warnings.append("read_as_lines")
    try:
        # The header block alone: even the header parser splits the whole body into lines.
        block = seen.raw[: structure.header_end(seen.raw)[0]]
        mime = BytesHeaderParser(policy=compat32).parsebytes(block + b"\r\n\r\n")
        text, used = flat.text_of(seen.raw)
        content = body.Content(text=text, charsets=[used])
        return (_message(mime, content, request, settings, warnings),)
    except _BROKEN:
        return (Message(identifiers.raw_key(raw), text="", warnings=(*warnings, "unreadable")),)


def _message(
    mime: MimeMessage, content: body.Content, request: Request, config: ImapConfig | None, warnings: list[str]
) -> Message:
    sender = addresses.first(headers.values(mime, "from") or headers.values(mime, "sender"))
    reply_to = addresses.first(headers.values(mime, "reply-to"))
    to, cc = addresses.read(headers.values(mime, "to")), addresses.read(headers.values(mime, "cc"))
    subject = re.sub(r"\s+", " ", headers.decoded(headers.value(mime, "subject")))[:1_000]
    message_id = identifiers.normal_id(headers.value(mime, "message-id"))
    found_at = _internaldate(request)
    date = _date(headers.value(mime, "date"))
    sent_at = _clamped(date, found_at) if "x-imap-internaldate" in request.headers else date
    own = config.ours if config else frozenset()
    visitor = _visitor(content.text, config, warnings)
    robot = automatic.program(mime)
    in_reply_to, references = (
        identifiers.ids(headers.values(mime, "in-reply-to")),
        identifiers.ids(headers.values(mime, "references")),
    )
    said = _own_words(content.text, warnings) if in_reply_to or references else reply.OwnWords(content.text, "")
    originals = forward.originals(content.own_text, subject, tuple(content.enclosed_from))
    by_program = bool(robot or visitor or (sender and (is_program(sender.email) or sender.email.lower() in own)))
    seen = automatic.Seen(frozenset(content.types), content.own_text, content.encloses)
    kind, evidence = automatic.classify(mime, sender, reply_to, subject, seen, own, visitor, is_forward=bool(originals))
    warnings = [*warnings, *content.warnings]
    if sent_at != date:
        warnings.append("date_clamped")
    if addresses.claims_another(sender):
        warnings.append("name_shows_another_address")
    if (
        sender
        and reply_to
        and reply_to.email
        and sender.email.lower() != reply_to.email.lower()
        and sender.email.lower() not in own
    ):
        warnings.append("reply_to_differs")
    return Message(
        dedup_key=identifiers.dedup_key(
            mime, request.body, message_id=message_id, sender=sender.email if sender else "", sent_at=date, subject=subject,
            recipients=[one.email.lower() for one in to], text=content.text,
            digests=[str(one.get("sha256", "")) for one in content.attachments], found_at=found_at,
        ),
        message_id=message_id,
        in_reply_to=in_reply_to,
        references=references,
        sender=sender,
        reply_to=reply_to,
        to=to,
        cc=cc,
        subject=subject,
        text=content.text,
        own_text=said.text if said.rule else "",
        sent_at=sent_at,
        delivered_to=_delivered_to(mime),
        automatic=kind,
        attachments=tuple(content.attachments),
        phones=_phones(form.without_footer(content.text) if by_program else content.text, config, warnings),
        fields=_fields(mime, content, date, sent_at, evidence) | ({"own_text_rule": said.rule} if said.rule else {}),
        warnings=tuple(dict.fromkeys(warnings)),
        robot=robot,
        visitor=visitor,
        originals=originals,
        original_phones=_phones(forward.passed_on_words(content.text), config, warnings) if originals else (),
    )  # fmt: skip


def _visitor(text: str, config: ImapConfig | None, warnings: list[str]) -> Visitor | None:
    try:
        return form.read(text, (config.region if config else "") or "RU")
    except _BROKEN:  # a form is a bonus as well
        warnings.append("form_unreadable")
        return None


def _own_words(text: str, warnings: list[str]) -> reply.OwnWords:
    try:
        return reply.own_words(text)
    except _BROKEN:  # the whole text is there in any case
        warnings.append("reply_unreadable")
        return reply.OwnWords(text, "")


def _phones(text: str, config: ImapConfig | None, warnings: list[str]) -> tuple[str, ...]:
    try:
        return phones.find(text, (config.region if config else "") or "RU")
    except _BROKEN:  # numbers are a bonus; the mail is not to be read as lines because of them
        warnings.append("phones_unreadable")
        return ()


def _fetch_warnings(fields: Mapping[str, str]) -> list[str]:
    """What the poller says about the bytes: cut because of size, or the headers alone because the body would not come."""
    found = []
    if fields.get("x-imap-oversize"):
        found.append("oversize")
    if fields.get("x-imap-quarantined"):
        found.append("body_not_fetched")
    return found


def _internaldate(request: Request) -> datetime:
    """When the server took the mail in, else when it reached us."""
    try:
        found = datetime.fromisoformat(request.headers.get("x-imap-internaldate", ""))
    except ValueError:
        return request.received_at
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _date(value: str) -> datetime | None:
    """The Date header as aware UTC, or None when there is none or it is nonsense."""
    try:
        found = parsedate_to_datetime(value[:200])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _clamped(date: datetime | None, found_at: datetime) -> datetime | None:
    """A sender's clock may say 2038; a day around the server's own time is as far as it is believed."""
    if date is None:
        return None
    day = timedelta(days=1)
    return min(max(date, found_at - day), found_at + day)


def _delivered_to(mime: MimeMessage) -> tuple[str, ...]:
    found = addresses.read(
        [value for name in ("delivered-to", "x-original-to", "envelope-to") for value in headers.values(mime, name)]
    )
    return tuple(one.email for one in found)[:10]


def _fields(
    mime: MimeMessage, content: body.Content, date: datetime | None, sent_at: datetime | None, evidence: str
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in _KEPT:
        text = headers.decoded(headers.value(mime, name))[:500]
        if text:
            fields[name] = text
    if content.charsets:
        fields["charsets"] = list(content.charsets)
    if content.from_html:
        fields["text_from"] = "html"
    if date != sent_at and date is not None:
        fields["date"] = date.isoformat()
    if evidence:
        fields["automatic_evidence"] = charset.clean(evidence)[: limits.STRUCTURE_HEADER_BYTES]
    return fields
