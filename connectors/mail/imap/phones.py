"""Telephone numbers in a mail's own words. Tax numbers, accounts, orders and the quoted part are left out."""

from __future__ import annotations

import re

import phonenumbers

from connectors.mail.imap import limits

#: Where the quoted part begins. Only to keep other people's numbers out; the text itself is never cut here.
_QUOTE = re.compile(
    r"^(?:>|-{3,}\s*(?:original message|исходное сообщение|forwarded message|пересылаемое сообщение)|"
    r"_{20,}\s*$|.{0,200}\b(?:wrote|писал|написал|пишет|написала|написал\(а\))\s*:\s*$|"
    r"\d{1,2}[.:]\d{2}.{0,120}<[^<>\s]+@[^<>\s]+>\s*:?\s*$)", re.IGNORECASE | re.MULTILINE
)  # fmt: skip
#: Words before digits that are no telephone.
_NOT_A_PHONE = re.compile(
    r"(?:инн|кпп|огрн(?:ип)?|бик|окпо|оквэд|снилс|р/с|к/с|р/сч|расч[её]тн\w*\s+сч[её]т|корр?\w*\s+сч[её]т|счет|сч[её]т|карт[аеыу]|card|iban|"
    r"swift|vat|tax\s+id|заказ\w*|order|договор\w*|накладн\w*|артикул\w*|invoice|трек\w*|track\w*|паспорт\w*|vin|id)"
    r"\s*(?:№|#|no\.?|n|номер|number)?\s*[.:=-]?\s*$|[№#]\s*$", re.IGNORECASE
)  # fmt: skip
_LABEL = re.compile(
    r"(?:тел\w*|моб\w*|сот\w*|факс|phone|tel|mobile|mob|cell|whats\s?app|ватсап|вотсап|viber|telegram|звон\w*|call|номер\w*)"
    r"[^\w\n]{0,5}$", re.IGNORECASE
)  # fmt: skip
_SEPARATED = re.compile(r"^\+|\d[\s().\-–]+\d")


def own_words(text: str) -> str:
    """The text before its first quotation, or all of it when it begins with one."""
    found = _QUOTE.search(text)
    head = text[: found.start()] if found else text
    return head if head.strip() else "\n".join(line for line in text.splitlines() if not line.startswith(">"))


def find(text: str, region: str) -> tuple[str, ...]:
    """Numbers as they are written, extension included, in order, each once, at most PHONES."""
    text = own_words(text)[: limits.PHONE_TEXT_CHARS]
    if not re.search(r"\d(?:\D{0,3}\d){5}", text):
        return ()
    found: dict[str, str] = {}
    # 500 tries keep a page full of digits cheap; a letter that somebody writes needs a few.
    matcher = phonenumbers.PhoneNumberMatcher(
        text, region or None, leniency=phonenumbers.Leniency.VALID, max_tries=500
    )
    for match in matcher:
        if len(found) >= limits.PHONES:
            break
        line = text[max(0, match.start - 60) : match.start].rpartition("\n")[2]
        if _NOT_A_PHONE.search(line) or not _is_meant(match.raw_string, line):
            continue
        number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        found.setdefault(number, match.raw_string.strip())
    return tuple(found.values())


def _is_meant(written: str, before: str) -> bool:
    """A bare run of digits counts only with a label or the eleven digits of a Russian long-distance number."""
    if _SEPARATED.search(written) or _LABEL.search(before):
        return True
    return re.fullmatch(r"[78]\d{10}", written) is not None
