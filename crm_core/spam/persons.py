"""Signs of spam in who somebody says he is: his phone and his mail address. Looks nothing up outside this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from crm_core.identity.mailbox_providers import DISPOSABLE
from crm_core.identity.numbering import kind_of
from crm_core.identity.phones import read_phones
from crm_core.identity.placeholders import is_placeholder, is_run, is_withheld
from crm_core.parsed import Inquiry
from crm_core.spam.scoring import Signal

_DIGITS = re.compile(r"\d")
_TYPED = 4  # digits; fewer are an input mask that was left empty, such as +7 (___)
_MOST_DOTS = 3  # first.middle.last has two


def person_signals(inquiry: Inquiry, region: str) -> Iterator[Signal]:
    """`region` is the source's ISO 3166 code, for numbers without a country code."""
    yield from _phones(inquiry, region)
    for email in inquiry.emails:
        local, _, domain = email.strip().casefold().rpartition("@")
        if domain and (listed := _disposable(domain)):
            yield Signal("disposable_email", listed)
        if local.count(".") > _MOST_DOTS and domain in ("gmail.com", "googlemail.com"):
            yield Signal("dotted_email")


def _phones(inquiry: Inquiry, region: str) -> Iterator[Signal]:
    written = [phone for phone in inquiry.phones if not is_withheld(phone) and len(_DIGITS.findall(phone)) >= _TYPED]
    keys = [
        key for phone in written for key in read_phones(phone, region, kind="form", hints=inquiry.country_hints.get(phone, ()))
    ]
    if any(_mechanical(phone) for phone in written) or any(_junk(key.value) for key in keys):
        yield Signal("phone_repeated")
    elif written and not keys:
        yield Signal("phone_invalid")
    if any(_is_premium(key.value) for key in keys):
        yield Signal("phone_premium")


def _mechanical(phone: str) -> bool:
    digits = "".join(_DIGITS.findall(phone))
    return len(digits) >= 7 and _junk(digits)


def _junk(digits: str) -> bool:
    return is_placeholder(digits) or is_run(digits)


def _is_premium(e164: str) -> bool:
    return kind_of(e164) == phonenumbers.PhoneNumberType.PREMIUM_RATE


def _disposable(domain: str) -> str:
    """The listed domain that this one is, or lies below; "" if none."""
    parts = domain.split(".")
    return next((name for n in range(len(parts) - 1) if (name := ".".join(parts[n:])) in DISPOSABLE), "")
