"""Is this mail written by a machine that answers? Only by headers and structure, never by words of the text.

`Auto-Submitted: auto-generated` is no sign: form robots of websites carry it, and their mails are inquiries.
"""

from __future__ import annotations

import re
from email.message import Message as MimeMessage

from connectors.mail.imap import headers
from crm_core.parsed import MailAddress

_BOUNCE_SUBJECT = re.compile(
    r"(?:undeliver|delivery (?:status|failure|has failed)|mail delivery (?:failed|system)|returned mail|failure notice|"
    r"не ?доставлен|недоставлен|сообщение не доставлено)", re.IGNORECASE
)  # fmt: skip
#: A colon, a dash or the end must follow: "Out of office furniture" is an inquiry.
_REPLY_SUBJECT = re.compile(
    r"(?:out of (?:the )?office(?: (?:auto-?reply|re))?|automatic reply|auto(?:matic)?[- ]?reply|автоответ|автоматический ответ|"
    r"вне офиса|нет на месте|abwesenheitsnotiz|réponse automatique)\s*(?:[:(\-–—]|$)", re.IGNORECASE
)  # fmt: skip
#: Fields whose presence alone tells an answering machine (RFC 3834 came late; these are older).
_REPLY_FIELDS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-fc-machinegenerated",
)


def classify(message: MimeMessage, sender: MailAddress | None, reply_to: MailAddress | None, subject: str,
             types: set[str], ours: frozenset[str], *, is_form: bool = False) -> tuple[str, str]:  # fmt: skip
    """The class ("" | "own" | "bounce" | "auto_reply") and the evidence for it."""
    evidence = _bounce(message, sender, subject, types)
    if evidence:
        return "bounce", evidence
    evidence = _auto_reply(message, subject)
    if evidence:
        return "auto_reply", evidence
    address = sender.email.lower() if sender else ""
    answer_to = reply_to.email.lower() if reply_to else ""
    # A website's form writes from our own address and names the visitor in Reply-To or in its text: that is an inquiry.
    if address and address in ours and (not answer_to or answer_to in ours) and not is_form:
        return "own", "from is our own address"
    return "", ""


def program(message: MimeMessage) -> str:
    """The header by which a program says that it wrote this by itself, not in answer to anybody; "" for a person's mail."""
    submitted = headers.value(message, "auto-submitted").lower()
    return f"auto-submitted: {submitted}"[:200] if submitted.startswith("auto-generated") else ""


def _bounce(message: MimeMessage, sender: MailAddress | None, subject: str, types: set[str]) -> str:
    kind, parameters = headers.parameters(headers.value(message, "content-type"))
    if kind == "multipart/report" and parameters.get("report-type", "").lower() == "delivery-status":
        return "multipart/report; report-type=delivery-status"
    if "message/delivery-status" in types:
        return "message/delivery-status"
    if headers.values(message, "x-failed-recipients"):
        return "x-failed-recipients"
    local = (sender.email if sender else "").partition("@")[0].lower()
    if local in ("mailer-daemon", "postmaster"):
        if headers.value(message, "return-path") == "<>":
            return f"from {local} with an empty return path"
        if _BOUNCE_SUBJECT.search(subject):
            return f"from {local}, subject of a bounce"
    return ""


def _auto_reply(message: MimeMessage, subject: str) -> str:
    submitted = headers.value(message, "auto-submitted").lower()
    submitted = re.split(r"[;(\s]", submitted, maxsplit=1)[0]
    if submitted in ("auto-replied", "auto-notified"):
        return f"auto-submitted: {submitted}"
    for name in _REPLY_FIELDS:
        found = headers.value(message, name)
        if found and found.lower() not in ("no", "false"):
            return name
    if headers.value(message, "precedence").lower() in ("auto_reply", "auto-reply"):
        return "precedence: auto_reply"
    if headers.value(message, "x-post-messageclass").lower().startswith("9; autoresponder"):
        return "x-post-messageclass"
    if any(value.lower() == "autoresponder" for value in headers.values(message, "delivered-to")):
        return "delivered-to: autoresponder"
    if _REPLY_SUBJECT.match(subject):
        return "subject of an automatic reply"
    return ""
