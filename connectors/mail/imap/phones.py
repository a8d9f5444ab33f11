"""Telephone numbers in a mail's own words: the quoted part is left out, what is a number says `crm_core.identity`."""

from __future__ import annotations

import re

from crm_core.identity.phones import read_phones

#: Where the quoted part begins. Only to keep other people's numbers out; the text itself is never cut here.
_QUOTE = re.compile(
    r"^(?:>|-{3,}\s*(?:original message|исходное сообщение|forwarded message|пересылаемое сообщение)|"
    r"_{20,}\s*$|.{0,200}\b(?:wrote|писал|написал|пишет|написала|написал\(а\))\s*:\s*$|"
    r"\d{1,2}[.:]\d{2}.{0,120}<[^<>\s]+@[^<>\s]+>\s*:?\s*$)", re.IGNORECASE | re.MULTILINE
)  # fmt: skip


def own_words(text: str) -> str:
    """The text before its first quotation, or all of it when it begins with one."""
    found = _QUOTE.search(text)
    head = text[: found.start()] if found else text
    return head if head.strip() else "\n".join(line for line in text.splitlines() if not line.startswith(">"))


def find(text: str, region: str) -> tuple[str, ...]:
    """Numbers in order, each once, as E.164 with `;ext=` where an extension follows (RFC 3966)."""
    keys = read_phones(own_words(text), region, kind="text")
    return tuple(f"{key.display};ext={key.extension}" if key.extension else key.display for key in keys if not key.is_guess)
