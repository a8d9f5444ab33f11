"""Is this mail a machine's answer? The first rule that holds decides; a subject alone never does, and nothing that is
inside of an enclosed mail.

`Auto-Submitted: auto-generated` is no sign: form robots of websites carry it, and their mails are inquiries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message as MimeMessage
from typing import Final

from connectors.mail.imap import headers
from crm_core.parsed import MailAddress, Visitor

_SCANNED_CHARS: Final = 60_000
_SCANNED_LINES: Final = 1_500
_LINE_CHARS: Final = 500
_RUN: Final = re.compile(r"([-=_*.#~\s])\1{80,}")

_DAEMON: Final = re.compile(
    r"mailer[- ]?daemon|mail[ _-]?delivery[ _-]?(?:sub)?system|postmaster|post_master|mdaemon|mail administrator|"
    r"email delivery service|delivery notification|почтовая система",
    re.IGNORECASE,
)
_NARROW_DAEMON: Final = re.compile(r"mailer[- ]?daemon", re.IGNORECASE)
_POSTMASTER: Final = re.compile(r"^post_?master$", re.IGNORECASE)
_NO_REPLY: Final = re.compile(r"^(?:no|do-?not)[._-]?reply", re.IGNORECASE)
_FORWARD: Final = re.compile(r"^\s*\[?\s*(?:fwd?|fw|wg|tr|rv|enc|i|пер|переслано|доставлено)\s*[:\]]", re.IGNORECASE)
_SUBJECT: Final = re.compile(
    r"undeliver|un-?deliverable|not delivered|non.?delivery|returned (?:mail|to sender|message)|(?:mail|message|e-?mail) "
    r"(?:delivery )?(?:fail|problem|error|status|delay|system error|could not)|delivery (?:fail|problem|error|status|notif|delay|report|has failed|has been)|"
    r"failure (?:notice|notification|to deliver)|failed (?:mail|delivery|to deliver)|could ?n[o']t be delivered|rejected|warning: |"
    r"не ?доставлен|недостав|не может быть доставлен|возврат|unzustellbar|zustell|rückgabe|non remis|échec|non distribu|no entregado|devuelto|"
    r"fallo|配信|届け|エラー|不達|送信でき|status notification",
    re.IGNORECASE,
)
_CODE: Final = re.compile(
    r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])|(?:^|[\s:<(#>])[45]\d\d[\s-][^\d\s]|smtp error|user (?:is )?unknown|unknown (?:user|recipient|address|local)|"
    r"no such (?:user|person|recipient|mailbox|address|account|domain|host)|mailbox (?:is )?(?:full|unavailable|not found|disabled|does)|over ?quota|quota exceeded|"
    r"giving up|given up|envelope expired|attempting to deliver|could not be (?:delivered|found)|couldn't be (?:delivered|found)|address(?:es)? (?:failed|had|rejected)|account .{0,40}(?:disabled|not exist)|"
    r"delivery .{0,40}(?:failed|suspended|time)|not (?:listed|exist|reach|deliver)|does not exist|host (?:unknown|not found)|unrouteable|undeliverable|"
    r"permanent(?:ly)? (?:error|fail)|permanent fatal|timed out|time.?out|too (?:large|big|many)|access denied|relay|rejected|message (?:was|has) not|unable to deliver|"
    r"не существует|не найден|переполнен|отклонен|не удалось|недоступен|宛先|存在しません",
    re.IGNORECASE,
)
_ORIGINAL: Final = re.compile(
    r"^>?\s*(?:received|return-path|message-id|x-mailer|mime-version)\s*:\s*\S|copy of (?:the|your) (?:original )?(?:message|mail)|"
    r"original message|message headers?|headers? follow|returned message|unsent message|текст (?:исходного )?сообщения|копия",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS: Final = re.compile(
    r"^>?\s*(?:final-recipient|original-recipient|action|reporting-mta|diagnostic-code|remote-mta|arrival-date|x-postfix-queue-id)\s*:\s*\S",
    re.IGNORECASE | re.MULTILINE,
)
_FEEDBACK: Final = re.compile(
    r"^\s*feedback-type\s*:\s*(?:abuse|fraud|opt-out|not-spam|auth-failure|virus|other|miscategorized|dkim)",
    re.IGNORECASE | re.MULTILINE,
)
_AGENT: Final = re.compile(r"^\s*user-agent\s*:\s*\S", re.IGNORECASE | re.MULTILINE)
_COMPLAINT_FROM: Final = re.compile(
    r"^(?:staff@hotmail\.com|scomp@aol\.(?:net|com)|(?:fbl|feedback|feedbackloop|complaints?)(?:[-+.]\S*)?@\S+)$", re.IGNORECASE
)
_COMPLAINT: Final = re.compile(r"complaint about message from|e-?mail feedback report|abuse report|spam complaint", re.IGNORECASE)
_NOTIFICATION: Final = re.compile(r"""\\?"notificationType\\?"\s*:\s*\\?"(Bounce|Complaint|Delivery)\\?\"""")
_EVENT_TYPE: Final = re.compile(r"""\\?"eventType\\?"\s*:\s*\\?"(Bounce|Complaint|Delivery|Reject)\\?\"""")

#: A colon, a dash or the end must follow: "Out of office furniture" is an inquiry.
_REPLY_SUBJECT: Final = re.compile(
    r"(?:out of (?:the )?office(?: (?:auto-?reply|re))?|automatic reply|auto(?:matic)?[- ]?re(?:ply|sponse)|автоответ(?:чик)?|автоматический ответ|"
    r"вне офиса|нет на месте|я в отпуске|abwesenheitsnotiz|abwesend|automatische antwort|réponse automatique|absence du bureau|respuesta automática|"
    r"risposta automatica|autorespond|odpowiedź automatyczna|自動応答)\s*(?:[:(\-–—]|$)", re.IGNORECASE
)  # fmt: skip
#: Fields whose presence alone tells an answering machine (RFC 3834 came late; these are older).
_REPLY_FIELDS: Final = (
    "x-autoreply",
    "x-autorespond",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-vacation",
    "x-fc-machinegenerated",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the rules look at: of the mail itself, not of what it encloses."""

    types: frozenset[str]  # of its parts
    text: str
    encloses: bool  # a whole mail, or the headers of one


def classify(
    message: MimeMessage, sender: MailAddress | None, reply_to: MailAddress | None, subject: str, seen: Seen, ours: frozenset[str],
    visitor: Visitor | None = None, *, is_forward: bool = False,
) -> tuple[str, str]:  # fmt: skip
    """The class ("" | "own" | "bounce" | "feedback" | "receipt" | "auto_reply") and the rule that held, with its evidence."""
    kind, parameters = headers.parameters(headers.value(message, "content-type"))
    report = parameters.get("report-type", "").lower() if kind == "multipart/report" else ""
    found = _feedback(sender, subject, seen, report)
    if found:
        return "feedback", found
    if report == "disposition-notification" or "message/disposition-notification" in seen.types:
        return "receipt", "disposition-notification"
    found = _bounce(message, sender, subject, seen, kind, report)
    if found:
        return "bounce", found
    # What a site's form sent is an inquiry, whatever its program calls itself; an answer holds no form of its own.
    is_form = visitor is not None and bool(visitor.name and (visitor.phones or visitor.emails))
    if not (is_form and not headers.value(message, "in-reply-to")):
        found = _auto_reply(message, subject)
        if found:
            return "auto_reply", found
    address = sender.email.lower() if sender else ""
    answer_to = reply_to.email.lower() if reply_to else ""
    # A website's form writes from our own address and names the visitor in Reply-To or in its text: that is an inquiry.
    if address and address in ours and (not answer_to or answer_to in ours) and visitor is None and not is_forward:
        return "own", "from is our own address"
    return "", ""


def program(message: MimeMessage) -> str:
    """The header by which a program says that it wrote this by itself, not in answer to anybody; "" for a person's mail."""
    submitted = headers.value(message, "auto-submitted").lower()
    return f"auto-submitted: {submitted}"[:200] if submitted.startswith(("auto-generated", "auto-notified")) else ""


def _bounded(text: str) -> str:
    """Before any pattern: few lines, none of them long, no runs of one sign."""
    lines = [line[:_LINE_CHARS] for line in text[:_SCANNED_CHARS].splitlines()[:_SCANNED_LINES]]
    return _RUN.sub(r"\1\1\1", "\n".join(lines))


def _feedback(sender: MailAddress | None, subject: str, seen: Seen, report: str) -> str:
    if report == "feedback-report" or "message/feedback-report" in seen.types:
        return "feedback-report"
    head = seen.text[:_SCANNED_CHARS]
    if "feedback-type" in head.lower() and _FEEDBACK.search(text := _bounded(head)) and _AGENT.search(text):
        return "feedback-type and user-agent in the text"
    address = sender.email.lower() if sender else ""
    if seen.encloses and (_COMPLAINT_FROM.match(address) or _COMPLAINT.search(subject)):
        return "complaint with the mail that it is about"
    return ""


def _bounce(
    message: MimeMessage, sender: MailAddress | None, subject: str, seen: Seen, kind: str, report: str
) -> str:  # fmt: skip
    if report == "delivery-status" or "message/delivery-status" in seen.types:
        return "delivery-status"
    if headers.values(message, "x-failed-recipients"):
        return "x-failed-recipients"
    head = seen.text[:_SCANNED_CHARS]
    told = _NOTIFICATION.search(head) if "notificationType" in head else _EVENT_TYPE.search(head) if "eventType" in head else None
    if told:
        return f"notice of the sending service: {told[1].lower()}"
    if _FORWARD.match(subject):
        return ""
    facts = _facts(message, sender, subject, seen, kind)
    if not any(facts[name] for name in _SIGNS):
        return ""  # as nearly every mail of a person: what its text says is of no matter
    text = _bounded(head)
    facts |= {
        "code": bool(_CODE.search(text)),
        "original": seen.encloses or bool(_ORIGINAL.search(text)),
        "status": bool(_STATUS.search(text)),
    }
    for rule, needed in _TOGETHER:
        if all(any(facts[name] for name in one.split("|")) for one in needed):
            return rule
    return ""


#: Every rule needs one of these.
_SIGNS: Final = ("daemon", "narrow", "postmaster", "report", "null", "noreply", "submitted")


#: Rule → what must be there together; "a|b" is one of the two.
_TOGETHER: Final = (
    ("daemon, status lines", ("daemon", "status")),
    ("daemon, code, original or subject", ("daemon", "code", "original|subject")),
    ("daemon, empty return path, subject or original", ("daemon", "null", "subject|original")),
    ("mailer-daemon with anything of a bounce", ("narrow", "null|subject|code|original|status")),
    ("postmaster, code", ("postmaster", "code")),
    ("report, code", ("report", "code|subject|status")),
    ("empty return path, noreply, code, original", ("null", "noreply", "code", "original")),
    ("noreply, subject, code, an enclosed mail", ("noreply", "subject", "code", "encloses")),
    ("empty return path, subject, code", ("null", "subject", "code")),
    ("auto-submitted, subject, status lines", ("submitted", "subject", "status")),
    ("auto-submitted, subject, code, original", ("submitted", "subject", "code", "original")),
)


def _facts(
    message: MimeMessage, sender: MailAddress | None, subject: str, seen: Seen, kind: str
) -> dict[str, bool]:  # fmt: skip
    address, name = (sender.email.lower(), sender.name) if sender else ("", "")
    local = address.partition("@")[0]
    raw_from = headers.value(message, "from")
    said = f"{local} {name} {raw_from}"[:500]
    path = headers.value(message, "return-path").strip()
    submitted = headers.value(message, "auto-submitted").lower()
    is_null = path == "<>" or bool(_NARROW_DAEMON.search(path))
    empty_from = raw_from.strip() in ("", "<>") and (is_null or seen.encloses)
    return {
        "daemon": empty_from or bool(_DAEMON.search(said)),
        "narrow": bool(_NARROW_DAEMON.search(said)),
        "postmaster": bool(_POSTMASTER.match(local)),
        "noreply": bool(_NO_REPLY.match(local)),
        "null": is_null,
        "subject": bool(_SUBJECT.search(subject)),
        "submitted": bool(submitted) and not submitted.startswith("no"),
        "report": kind == "multipart/report",
        "encloses": seen.encloses,
    }


def _auto_reply(message: MimeMessage, subject: str) -> str:
    submitted = headers.value(message, "auto-submitted").lower()
    submitted = re.split(r"[;(\s]", submitted, maxsplit=1)[0]
    if submitted == "auto-replied":
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
        for name in ("in-reply-to", "references", "x-auto-response-suppress", "auto-submitted"):
            value = headers.value(message, name).strip().lower()
            if value and value not in ("no", "none"):
                return f"subject of an automatic reply, and {name}"
        if headers.value(message, "return-path").strip() == "<>":
            return "subject of an automatic reply, and an empty return path"
    return ""
