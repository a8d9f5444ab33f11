"""Accounts in messengers that a person typed into a form. A choice ("answer me in Telegram") is no account."""

from __future__ import annotations

import re

from connectors.kit.forms import vocabulary as words
from connectors.kit.forms.roles import messenger_word

_HANDLE = re.compile(r"@?[A-Za-z][\w.-]{3,63}", re.ASCII)
_LINK = re.compile(r"(?:https?://)?(?:www\.|m\.)?[\w-]{1,30}\.(?:me|com|ru|im)/[^\s]{2,150}", re.IGNORECASE)
_LINK_NUMBER = re.compile(r"(?:wa\.me/|[?&]phone=|t\.me/\+?)(\+?\d{7,15})", re.IGNORECASE)
_NUMBER = re.compile(r"[+(]?\d[\d\s().+–-]{5,22}\d")


def messenger_of(name: str, label: str, value: str) -> tuple[str, str]:
    """(messenger, the telephone that is the account's); ("", "") where the value is no account."""
    kind = messenger_word(name) or messenger_word(label)
    if not kind or value.casefold() in words.YES or value.casefold() in words.NO:
        return "", ""
    if (found := _LINK_NUMBER.search(value)) is not None:
        return kind, "+" + found[1].lstrip("+")
    if _NUMBER.fullmatch(value):
        return kind, value
    if kind in ("whatsapp", "viber"):  # their accounts are telephones
        return "", ""
    handle = _HANDLE.fullmatch(value) and value.casefold() not in words.MESSENGERS
    return (kind, "") if handle or _LINK.fullmatch(value) else ("", "")
