"""The form in a mail: what a site's or a portal's program wrote about its visitor, as lines or cells with a label each."""

from __future__ import annotations

import re
from typing import Final

from connectors.kit.forms.draft import Draft
from connectors.kit.forms.read_form import read as read_form
from connectors.kit.forms.roles import role_of
from connectors.kit.forms.shapes import lines
from crm_core.parsed import Visitor

_SCANNED_CHARS: Final = 20_000
_LABEL_CHARS: Final = 40
_FORM_LINES: Final = 120
#: Where a program's own words begin: its footer names the site, its telephone and its support, never the visitor.
_FOOTER: Final = re.compile(
    r"^(?:--\s*|[-_—–=*]{3,}\s*|(?:this (?:is a notification|e?-?mail (?:is|was|has been))|это (?:письмо|сообщение) (?:было )?"
    r"(?:отправлено|сформировано|создано)|письмо (?:отправлено|сформировано)|sent from https?:|отправлено с сайта|"
    r"diese (?:e-?mail|nachricht) wurde|cet e-?mail a été|este (?:correo|mensaje) (?:se|ha)|ta wiadomość została|"
    r"powered by|unsubscribe|отписаться|с уважением|best regards|kind regards|mit freundlichen|cordialement)\b.*)$",
    re.IGNORECASE,
)
#: Contact Form 7, whose template is translated: "From: name address", the subject, a blank line, "Message Body:".
_FROM: Final = re.compile(
    r"^(?:from|от|от кого|von|de|da|od|van|von)\s*:\s*(?P<name>[^<>@:\n]{0,200}?)[\s<(\[]+(?P<email>[^\s<>()\[\]@:,;]{1,64}@[^\s<>()\[\]@:,;]{1,255})[>)\]]?\s*$",
    re.IGNORECASE,
)
_BODY: Final = re.compile(
    r"^(?:message body|сообщение|текст сообщения|тело сообщения|nachrichtentext|corps du message|cuerpo del mensaje|treść wiadomości)\s*:\s*$",
    re.IGNORECASE,
)
#: Lines with a number of the program's own house.
_OF_THE_HOUSE: Final = re.compile(
    r"поддержк|support|help ?(?:desk|line)|hotline|горяч\w+ лини|наш\w* (?:телефон|номер)|call us|customer (?:care|service)|"
    r"kundenservice|service client|atención al cliente|biuro obsługi",
    re.IGNORECASE,
)
#: An address or a number: without one nobody is named whom anybody could answer.
_REACHED: Final = re.compile(r"[^\s@]@[^\s@]|\d(?:[ ().+-]{0,3}\d){4}")
_PERSON: Final = frozenset(("name", "first_name", "last_name", "phone", "email", "message", "company", "messenger"))


def read(text: str, region: str) -> Visitor | None:
    """Who filled the form in; None where the text is none. Two of its labels must mean something about a person."""
    if not _REACHED.search(text, 0, _SCANNED_CHARS):
        return None
    body = _without_footer(text[:_SCANNED_CHARS])
    found = _contact_form(body)
    if found is not None:
        return found
    fields = lines.fields_of(body) or lines.fields_of(_on_one_line(body))
    if not fields:
        return None
    inquiry = read_form(fields, Draft(), region=region)
    told = bool(inquiry.name) + bool(inquiry.phones) + bool(inquiry.emails)
    labelled = sum(role_of(label) in _PERSON for label in fields)
    if not told or labelled < 2:
        return None
    return Visitor(inquiry.name, tuple(inquiry.phones), tuple(inquiry.emails), inquiry.message)


def without_footer(text: str) -> str:
    """What a program says before it speaks of itself."""
    kept = _without_footer(text[:_SCANNED_CHARS]).splitlines()
    return "\n".join(line for line in kept if not _OF_THE_HOUSE.search(line))


def _without_footer(text: str) -> str:
    """A rule between fields is no footer: labels that follow it are still read."""
    kept: list[str] = []
    found = text.splitlines()
    for at, line in enumerate(found):
        if kept and _FOOTER.match(line.strip()) and not _labels(found[at + 1 :]):
            break
        kept.append(line)
    return "\n".join(kept)


def _labels(rest: list[str]) -> bool:
    """Whether something about a person is still asked below."""
    return any(role_of(line.partition(":")[0].strip()) in ("name", "phone", "email") for line in rest[:40] if ":" in line[:60])


def _contact_form(text: str) -> Visitor | None:
    found = [line.strip() for line in text.strip().splitlines()]
    for at, line in enumerate(found[:6]):
        head = _FROM.match(line)
        if head is None:
            continue
        body = next((n for n in range(at + 1, min(at + 8, len(found))) if _BODY.match(found[n])), None)
        if body is not None:
            return Visitor(head["name"].strip(" \"'"), (), (head["email"].rstrip("."),), "\n".join(found[body + 1 :]).strip())
    return None


def _on_one_line(text: str) -> str:
    """A label on a line of its own and its value on the next one that is not empty, as "label: value"."""
    found = [line.strip() for line in text.splitlines()[:_FORM_LINES]]
    out: list[str] = []
    at = 0
    while at < len(found):
        line = found[at]
        label = line.rstrip(":：* ")
        value = next((n for n in range(at + 1, min(at + 3, len(found))) if found[n]), None)
        is_label = 0 < len(label) <= _LABEL_CHARS and role_of(label) in _PERSON
        if is_label and value is not None and role_of(found[value].rstrip(":：* ")) not in _PERSON:
            out.append(f"{label}: {found[value]}")
            at = value + 1
            continue
        out.append(line)
        at += 1
    return "\n".join(out)
