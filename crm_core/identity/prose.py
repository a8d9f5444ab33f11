"""Phones in running text, where most digits are something else: tax numbers, cards, orders, dates, sums.

A run of digits counts only with a +, a leading 7 or 8, a label such as `тел.`, or the separators of a phone; what stands
after a label of something else counts only with a +.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crm_core.identity.fieldtext import SEVEN, Part, trailing_extension, trailing_siblings

_CANDIDATE = re.compile(r"(?:(?<![\w+])(?<![\d)][.,:/=@-])|(?<=\d[,/])(?=\+|[78]\d{10}))\+?\(?\d(?:[ ().-]{0,3}\d){4,29}(?!\d)")
_CONTEXT_CHARS = 40  # a label further away belongs to something else

_LABEL = re.compile(
    r"(?:\bтел(?:ефон\w*)?|\bмоб\w*|\bсот(?:овый|\.)|\bphone|\btel|\bmobile|\bcell|whats?app|\bват?сап\w*|\bвотсап\w*|"
    r"viber|\bвайбер\w*|telegram|\bтелеграм\w*|\bтг|\bномер\w*|\bзвон\w*|\bпозвон\w*|\bперезвон\w*|\bнабер\w*|\bcall|"
    r"\bфакс|\bfax|wa\.me/|t\.me/|phone=)\.?[^\d\n.;!?]{0,20}$",
)
_OTHER = re.compile(
    r"(?:\bинн|\bогрн(?:ип)?|\bкпп|\bбик|\bокпо|\bснилс|\bпаспорт\w*|\bсери[яию]|\bкарт[аыуе]\w*|\bcard|\bсч[её]т\w*|[рк]/с|"
    r"\bзаказ(?:а|у|ом|е|ы|ов)?\b|\border|\bдоговор\w*|\bcontract|\binvoice|\bнакладн\w*|\bартикул\w*|\bid|\bтрек\w*|\btrack\w*|\bполис\w*|"
    r"\bvin|\bкод\w*|\bcode|\btin|\bvat|\bреквизит\w*|\bлицев\w*)[^\d\n;!?]{0,14}$",
)
_DATE = re.compile(r"(?<!\d)(?:\d{1,2}\.\d{1,2}\.(?:\d{4}|\d\d)|(?:19|20)\d\d-\d\d-\d\d)(?!\d)")
_SNILS = re.compile(r"\d{3}-\d{3}-\d{3}[ -]\d\d")
_MESSENGER_HOST = re.compile(r"@(?:c\.us|s\.whatsapp\.net|g\.us)\b")

#: How ten national digits are grouped when they are a phone; a passport is 4-6 or 2-2-6, a sum 1-3-3-3.
_GROUPS = {
    (3, 3, 2, 2),
    (3, 3, 4),
    (3, 7),
    (3, 2, 2, 3),
    (3, 3, 1, 3),
    (4, 2, 2, 2),
    (4, 3, 3),
    (4, 6),
    (5, 5),
    (2, 3, 2, 2),
}
_PASSPORT = re.compile(r"\d{4} \d{6}|\d\d \d\d \d{6}")


def phone_parts(text: str, region: str) -> Iterator[Part]:
    """Numbers that the text offers as phones, in order. Whether a plan knows them is for the caller to check."""
    for found in _CANDIDATE.finditer(text):
        written = found[0]
        rest = text[found.end() : found.end() + 24]
        if rest[:1] == "@" and not _MESSENGER_HOST.match(rest):
            continue  # digits of an e-mail address
        context = text[max(0, found.start() - _CONTEXT_CHARS) : found.start()].casefold()
        if not _is_offered(written, context, region):
            continue
        digits = re.sub(r"\D", "", written)
        if len(digits) > 15:
            for one in SEVEN.findall(written):
                yield Part(re.sub(r"\D", "", one), one.startswith("+"))
            continue
        yield Part(digits, written.startswith("+"), trailing_extension(rest), trailing_siblings(rest))


def _is_offered(written: str, context: str, region: str) -> bool:
    digits = re.sub(r"\D", "", written)
    if _DATE.search(written) or _SNILS.fullmatch(written.strip("()")):
        return False
    if len(digits) > 15:  # a card, an account, or several Russian numbers in a row
        numbers = SEVEN.findall(written)
        return bool(numbers) and len("".join(re.findall(r"\d", "".join(numbers)))) == len(digits)
    if written.startswith("+"):
        return len(digits) >= 8
    label, other = _LABEL.search(context), _OTHER.search(context)
    if other is not None and (label is None or other.start() > label.start()):
        return False
    if label is not None:
        return True
    groups = tuple(len(group) for group in re.findall(r"\d+", written))
    if len(groups) == 1 and context.rstrip().endswith(("#", "no.")):
        return False
    if len(digits) == 11 and digits[0] in "78" and digits[1] in "34789" and groups[0] in (1, 4, 11):
        # The country's digit alone or with its code, as in 8 916 or 8916; any other grouping is a sum or a card.
        return True
    if len(digits) < 9 or len(groups) == 1 or _PASSPORT.fullmatch(written):
        return False
    if region in ("RU", "KZ"):
        return (len(digits) == 12 and groups[0] == 3) or (groups in _GROUPS and ("-" in written or "(" in written))
    return digits[0] == "0" or groups in _GROUPS or "(" in written
