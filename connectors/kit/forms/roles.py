"""What a field is for, by its name, else its label, else its type. Guesses only where a name leaves no doubt."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode
from functools import lru_cache
from itertools import pairwise

from connectors.kit.forms import vocabulary as words
from connectors.kit.forms.antispam_fields import PROOFS
from connectors.kit.forms.attribution_names import mark_of

#: Vowels and tones that are written above, below or beside a letter; for `re` they part words.
_SIGNS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0981-\u0dff\u0e31-\u0e4e\u0eb1-\u0ecd\u1000-\u109f\u1780-\u17d3"
_SEPARATORS = re.compile(rf"(?:[^\w{_SIGNS}]|_)+")
#: It begins where the run begins: tried at each sign of it, a label of brackets would cost its length squared.
_TAIL = re.compile(rf"(?<![^\w{_SIGNS}])(?<![_\d])(?:[^\w{_SIGNS}]|[_\d])++\Z")
_CAMEL = re.compile(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])")
_APOSTROPHE = re.compile(r"(?<=\w\w)['’ʼ`](?=\w)(?!s\b)")  # ім’я is one word, manager's are two
_BASE64 = re.compile(r"[A-Za-z0-9+/]{6,}={0,2}")
_HASH = re.compile(r"(?=[a-z]*\d)[0-9a-f]{5,}")  # what builders call a field that nobody named: form-field-8bd1e2
_SHORT = re.compile(r"[a-z]{1,2}")
_DIGITS = re.compile(r"\d+")
_STATE = re.compile(r"state_\d+")  # of Gravity Forms' own page; State is a question
_QUESTION = re.compile(r"\Aq\d+[_ ]", re.IGNORECASE)

_REACHABLE = frozenset(("name", "first_name", "last_name", "phone", "email", "message", "company"))
_SHORT_NAME = 20  # signs; what is longer is a sentence that may mention anything
_REACHED = frozenset(("phone", "email", "mail", "tel", "телефон", "почта"))
_LONGEST = 2000  # signs of a name or a label that are looked at: the words of a consent fit
_ONLY_BARE = {"text", "page", "ref", "body", "line", "max", "signal", "question", "questions", "content"}
_ASIDE = re.compile(r"[(\[（][^)\]）\n]{0,200}[)\]）]|(?<!\s)\s++-\s.*\Z")
_MARKS = {"utm": "utm", "click_ids": "click_id", "client_ids": "client_id", "first": "first"}
_TOLD = frozenset((("first", "name"), ("last", "name")))
_NAMES = ("name", "first_name", "last_name", "middle_name")
_BY_NAME = {name: role for role, names in words.WHOLE.items() for name in names}


@lru_cache(maxsize=8192)
def role_of(name: str, label: str = "", type_: str = "") -> str:
    """A role of `vocabulary.WHOLE`, or utm, click_id, client_id, first, consent, proof, cookies, tech, own; "" where
    nothing is certain."""
    for text in (name, label):
        role = _of_text(text[:_LONGEST]) if text else ""
        if role:
            return "" if role == "nobody" else role
    return words.TYPES.get(type_.casefold(), "") if type_ else ""


@lru_cache(maxsize=1024)
def messenger_word(name: str) -> str:
    """The messenger that a field's name asks an account of, "" for none."""
    found = words.MESSENGERS.get(whole(name))
    if found is None and name:
        # Not by humps: WhatsApp and YouTube are single words.
        parts = (part.rstrip("0123456789") for part in _SEPARATORS.split(_folded(_QUESTION.sub("", name))))
        found = words.MESSENGERS.get("".join(part for part in parts if part not in words.MESSENGER_FILLERS))
    return found or ""


@lru_cache(maxsize=8192)
def is_no_number(name: str) -> bool:
    """True where a long number under this name is an order, a date, an INN, and must not be taken for a telephone."""
    return bool(words.NOT_A_NUMBER_WORDS.intersection(split(name)))


@lru_cache(maxsize=8192)
def is_anonymous(name: str) -> bool:
    """True for a name that a builder made up: Field1, form_text_8, item_meta_6, "" ."""
    if whole(_QUESTION.sub("", name)) in words.UNNAMED:
        return True
    parts = split(name)
    made_up = [part for part in parts if _DIGITS.sub("", part) in words.MADE_UP or _HASH.fullmatch(part)]
    if len(made_up) == len(parts):
        return True
    # kb_field_0: letters of the builder before what it calls every field
    return any(not part.isdigit() for part in made_up) and all(_SHORT.fullmatch(part) for part in parts if part not in made_up)


@lru_cache(maxsize=1024)
def is_weak_name(name: str) -> bool:
    """True for user_name and its kin: a person's name on some sites, a login on others; only the value can tell."""
    return whole(name) in words.WEAK_NAMES


def split(name: str) -> list[str]:
    """The words of a name: `yourPhone_number1` gives your, phone, number1."""
    return [w for w in _SEPARATORS.split(_folded(_CAMEL.sub("_", _APOSTROPHE.sub("", name)))) if w]


def whole(name: str) -> str:
    """A name as it is compared: without case, separators and trailing digits."""
    return _SEPARATORS.sub("", _TAIL.sub("", _folded(name)))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold()).replace("ё", "е")


def _of_text(text: str) -> str:
    if text.startswith("ctl") and "$" in text:  # ctl00$ContentPlaceHolder1$txtPhone: where on the page, then what
        text = text.rpartition("$")[2]
    low = _folded(text).strip()
    if low in words.OWN:
        return "own"
    if low in PROOFS:
        return "proof"
    if low in words.COOKIES:
        return "cookies"
    mark = mark_of(low)
    if mark is not None:
        return _MARKS[mark[0]]
    if low.startswith(words.TECH_STARTS) or _STATE.fullmatch(text):
        return "tech"
    compared = whole(text)
    role = _BY_NAME.get(compared)
    if compared in _ONLY_BARE and len(low) != len(compared):
        return ""  # text-123 of a form builder is any input
    if role == "test":
        return "test" if low == "_test" else ""
    if role:
        return role
    if compared in words.TECH:
        return "tech"
    if messenger_word(text):
        return "messenger"
    if low.replace("_", " ").startswith(words.MESSAGE_STARTS):
        return "message"
    if low.startswith(words.NAME_STARTS):
        return "name"
    parts = split(_QUESTION.sub("", text))
    if _is_button(parts, text):
        return "tech"
    role = _of_words(parts)
    if not role and " " in low and (plain := _ASIDE.sub("", text).strip()) and plain != text:
        return _of_text(plain)  # Phone (with country code)
    return role or _of_wrapped(parts, text)


def _of_wrapped(parts: list[str], text: str) -> str:
    """What a single word asks for behind "your", or written in base64 as SendPulse writes names that are not Latin."""
    word = "".join(part for part in parts if part not in words.FILLERS)
    for possessive in words.POSSESSIVES:
        for one in (whole(text), word):
            if one.startswith(possessive) and (role := _BY_NAME.get(whole(one[len(possessive) :]), "")):
                return role
    for ending in words.POSSESSIVE_ENDS:
        if word.endswith(ending) and (role := _BY_NAME.get(word.removesuffix(ending), "")) in _REACHABLE:
            return role
    if not word.isascii() and len(word) <= _SHORT_NAME and (role := _within(word)):
        return role
    if len(text) % 4 or not _BASE64.fullmatch(text):
        return ""
    try:
        said = b64decode(text).decode()
    except ValueError:
        return ""
    return _BY_NAME.get(whole(said), "")


def _within(word: str) -> str:
    """By what the word contains, in languages that write no blanks between words."""
    return next((role for role, pieces in words.WITHIN.items() if any(piece in word for piece in pieces)), "")


def _of_words(parts: list[str]) -> str:
    present = set(parts)
    if not present & words.NOT_CONSENT and (
        _any_starts(parts, words.CONSENT_STEMS) or present & words.CONSENT_WORDS or _has_consent_inside(parts)
    ):
        return "consent"
    if _any_starts(parts, words.FILE_STEMS) and not present & words.NOT_FILE:
        return "file"
    meant = [part for part in parts if part not in words.FILLERS and not part.isdigit()]
    if len(meant) > 1 and all(part in words.NAME_JOINTS or _BY_NAME.get(part) in _NAMES for part in meant):
        named = {_BY_NAME[part] for part in meant if part not in words.NAME_JOINTS}
        if len(named) > 1:
            return "name"
    bare = "".join(part for part in parts if part not in words.FILLERS)
    role = _BY_NAME.get(_TAIL.sub("", bare), "")
    if role and role != "test" and len(bare) > 1 and not (role == "name" and present & words.NOT_NAME - words.FILLERS - {"form"}):
        return role
    if not present.isdisjoint(words.OURS) and not present.isdisjoint(_REACHED):
        return ""
    if (_any_starts(parts, words.PHONE_STEMS) or "tel" in present) and not present & words.NOT_PHONE:
        return "phone"
    is_post = not present.isdisjoint(words.ELECTRONIC) and _any_starts(parts, words.POST_STEMS)
    if (_any_starts(parts, words.EMAIL_STEMS) or is_post) and not present & words.NOT_EMAIL:
        return "email"
    if len(parts) <= 4 and _any_starts(parts, words.COMPANY_STEMS):
        return "company" if not present & {"phone", "телефон", "size", "type", "inn", "инн", "id", "site", "address"} else ""
    if len(meant) <= 4 and _any_starts(parts, words.MESSAGE_STEMS) and not present & {"id", "type", "time", "date", "title"}:
        return "message"
    if "textarea" in present and (len(parts) <= 3 or all(len(part) < 4 or part.isdigit() for part in parts[1:])):
        return "message"
    if 2 <= len(parts) <= 3 and parts[-1] in words.MESSAGE_ENDS and not present & words.NOT_MESSAGE:
        return "message"
    if len(parts) == 2 and parts[1] in ("text", "content") and parts[0] in words.FILLERS | words.MESSAGE_HOLDERS:
        return "message"
    if len(parts) <= 5 and present & words.NAME_WORDS and not present & _not_name(parts):
        first, last = bool(present & {"first"}), bool(present & words.LAST_WORDS)
        return "first_name" if first and not last else "last_name" if last and not first else "name"
    return ""


def _has_consent_inside(parts: list[str]) -> bool:
    """Of languages that do not part their words, or say it in two."""
    said = " ".join(parts)
    return any(words_ in said for words_ in words.CONSENT_INSIDE)


def _not_name(parts: list[str]) -> frozenset[str]:
    """Words beside which a name is none of a person's. inf_field_FirstName says whose: there "field" says nothing."""
    told = not _TOLD.isdisjoint(pairwise(parts))
    return words.NOT_NAME - words.FILLERS if told else words.NOT_NAME


def _is_button(parts: list[str], text: str) -> bool:
    """web_form_submit, submit_button. "Submit your idea" and Submit_your_idea are questions."""
    if " " in text or not parts:
        return False
    return parts[-1] == "submit" and len(parts) <= 4 or parts[0] == "submit" and len(parts) <= 2


def _any_starts(parts: list[str], stems: tuple[str, ...]) -> bool:
    return any(part.startswith(stems) for part in parts)
