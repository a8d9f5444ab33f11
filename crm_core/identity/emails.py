"""E-mail keys: the exact address, what its provider treats as the same mailbox, and guesses marked as such.

Syntax only, never DNS. The address as written stays in `display`; mail goes there, only matching uses the key.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from crm_core.identity.fieldtext import INVISIBLE
from crm_core.identity.identifiers import Key, Strength
from crm_core.identity.mailbox_providers import (
    DISPOSABLE,
    FASTMAIL,
    FREE,
    HOUSES,
    RELAYS,
    ROLES,
    SUGGESTED_DOMAINS,
    TYPOS,
    YAHOO,
    House,
)
from crm_core.identity.spelling import one_slip

_FIELD_CHARS = 20_000  # of a text; bounds the time, not what is stored
_MOST_ADDRESSES = 10  # more in one text is a mailing list
_ADDRESS_CHARS = 254  # RFC 5321, path without its brackets

# The common case by a pattern: the library takes 18 µs, this takes one.
_PLAIN = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63})"
)
_BETWEEN = re.compile(r"[\s,;:<>()\[\]\"|«»„“”]+")
_LOOKALIKE = str.maketrans("асеорхуктвмнАСЕОРХУКТВМН", "aceopxyktbmhACEOPXYKTBMH")
# Quotes and marks of prose; some are legal in an address, none is ever meant there.
_AROUND = " \t\r\n.,;:!?/'\"`*()[]<>«»"
_NO_TAGS = House()
# Long enough that a neighbour by one letter is a slip and no company's; mail.ru, ya.ru and bk.ru are not.
_MISTYPED = (
    "gmail.com",
    "yandex.ru",
    "yandex.com",
    "rambler.ru",
    "icloud.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
    "protonmail.com",
)


def read_emails(text: str, *, own: frozenset[str] = frozenset()) -> tuple[Key, ...]:
    """Keys of all addresses in a field or in prose, each followed by its guesses (`is_guess`), without repetitions.

    `own` holds the company's own addresses and domains; they are blocked, because they never are the client.
    """
    keys: dict[str, Key] = {}
    if "@" not in text and "＠" not in text:
        return ()
    found = 0
    for token in _BETWEEN.split(_clean(text[:_FIELD_CHARS])):
        if "@" not in token or len(token) > _ADDRESS_CHARS * 4:
            continue
        for piece in token.split("/")[:_MOST_ADDRESSES] if token.count("@") > 1 else (token,):
            key = email_key(piece, own=own)
            if key is None:
                continue
            found += 1
            if found > _MOST_ADDRESSES:
                return tuple(keys.values())
            written = keys.get(key.value)
            if written is None or written.is_guess:
                keys[key.value] = key
            for guess in guesses(key):
                keys.setdefault(guess.value, guess)
    return tuple(keys.values())


def email_key(address: str, *, own: frozenset[str] = frozenset()) -> Key | None:
    """The key of one address, None if it is not one. Takes display names, `mailto:`, brackets and a final dot."""
    written = _trim(_clean(address[: _ADDRESS_CHARS * 4]))
    exact = _exact(written)
    if not exact:
        return None
    value, strength, flags = _key(exact)
    if not value:
        return None
    if own and (value in own or exact in own or exact.rpartition("@")[2] in own):
        strength, flags = "blocked", ("own",)
    return Key("email", value, strength, written, flags)


def guesses(key: Key) -> tuple[Key, ...]:
    """Weak keys that may be the same mailbox: untold aliases, mistyped domains, look-alike letters."""
    if key.strength == "blocked" or "relay" in key.flags or "disposable" in key.flags:
        return ()
    values: list[tuple[str, str]] = []
    exact = _exact(key.display) or key.value
    local, _, domain = exact.rpartition("@")
    if "mixed_script" in key.flags:
        values.append((_exact(key.display.translate(_LOOKALIKE)), "mixed_script"))
    if meant := meant_domain(domain):
        values.append((f"{local}@{meant}", "typo"))
    if domain in SUGGESTED_DOMAINS:
        values.append((f"{local}@{SUGGESTED_DOMAINS[domain]}", ""))
    if domain in YAHOO and "-" in local:
        values.append((f"{local.partition('-')[0]}@{domain}", ""))
    if "+" in local.lstrip("+") and not HOUSES.get(domain, _NO_TAGS).tags:
        values.append((f"{local.partition('+')[0]}@{domain}", ""))
    home, _, house = key.value.rpartition("@")
    if house == "yandex.ru" and ("." in home or "-" in home):
        # Said of Yandex logins everywhere, stated by no page of Yandex: the two spellings suggest each other.
        values += [(f"{home.replace('-', '.')}@{house}", ""), (f"{home.replace('.', '-')}@{house}", "")]
    result: dict[str, Key] = {}
    for value, why in values:
        alias = _key(value)[0] if value else ""
        if alias and alias != key.value:
            result.setdefault(alias, Key("email", alias, "weak", key.display, ("alias", why) if why else ("alias",)))
    return tuple(result.values())


def _clean(text: str) -> str:
    if text.isascii():
        return text
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def _trim(text: str) -> str:
    if "<" in text:
        text = text[text.rfind("<") + 1 :].partition(">")[0]
    text = text.strip(_AROUND)
    if text[:7].casefold() == "mailto:":
        text = text[7:].partition("?")[0].strip(_AROUND)
    return text.replace("%40", "@") if "@" not in text else text


@lru_cache(maxsize=4096)  # a hub sees the same senders again and again; 4096 entries stay under 1 MB
def _exact(written: str) -> str:
    lowered = written.lower()
    if len(lowered) <= _ADDRESS_CHARS and _PLAIN.fullmatch(lowered) and lowered.find("@") <= 64:
        return lowered if "xn--" not in lowered else _validated(lowered)
    return "" if lowered.isascii() and "xn--" not in lowered else _validated(written)


def _validated(written: str) -> str:
    """Lower-case address with an ASCII domain, "" if it is none. Only for international addresses."""
    try:
        parts = validate_email(written, check_deliverability=False)
    except (EmailNotValidError, UnicodeError):
        return ""
    if parts.ascii_domain is None or "." not in parts.ascii_domain:
        return ""
    return f"{unicodedata.normalize('NFKC', parts.local_part).casefold()}@{parts.ascii_domain.lower()}"


@lru_cache(maxsize=4096)
def _key(exact: str) -> tuple[str, Strength, tuple[str, ...]]:
    """Value, strength and flags of an exact address; ("", …) if nothing is left of its local part."""
    local, _, domain = exact.rpartition("@")
    if _is_relay(domain):
        return exact, "strong", ("relay",)
    house = HOUSES.get(domain, _NO_TAGS)
    if not house.tags and (at := domain.partition("."))[2] in FASTMAIL:
        local, domain = at[0], at[2]
    if house.tags:
        local = local.partition("+")[0]
    if not house.dots:
        local = local.replace(".", "")
    if not local or local.startswith("+"):
        return "", "weak", ()
    value = f"{local}@{house.domain or domain}"
    name = domain.partition(".")[0]
    role = local.rstrip("0123456789") in ROLES or (local.isdecimal() and len(local) <= 3)
    if role and local == name:
        return value, "blocked", ("junk",)  # test@test.ru, mail@mail.ru, 1@1.ru
    flags = tuple(
        flag
        for flag, holds in (
            ("role", role),
            ("disposable", domain in DISPOSABLE),
            ("typo", bool(meant_domain(domain))),
            ("mixed_script", _mixes_scripts(exact)),
        )
        if holds
    )
    return value, "weak" if flags else "strong", flags


@lru_cache(maxsize=4096)
def meant_domain(domain: str) -> str:
    """The domain that a mistyped one stands for, "" for what may well be meant. It suggests and rewrites nothing."""
    if domain in TYPOS:
        return TYPOS[domain]
    name, _, end = domain.rpartition(".")
    if end in ("con", "cmo", "ocm", "vom", "xom", "comm", "coom"):
        return f"{name}.com"
    if domain in FREE:
        return ""
    return next((big for big in _MISTYPED if domain[0] == big[0] and one_slip(domain, big)), "")


def _is_relay(domain: str) -> bool:
    return domain in RELAYS or domain.partition(".")[2] in RELAYS


def _mixes_scripts(exact: str) -> bool:
    if exact.isascii() and "xn--" not in exact:
        return False
    local, _, domain = exact.rpartition("@")
    labels = [local]
    for label in domain.split("."):
        try:
            labels.append(label.encode("ascii").decode("idna") if label.startswith("xn--") else label)
        except UnicodeError:
            return True
    return any(_scripts(label) > 1 for label in labels)


def _scripts(label: str) -> int:
    return len({unicodedata.name(c, "?").partition(" ")[0] for c in label if c.isalpha()} & {"LATIN", "CYRILLIC", "GREEK"})
