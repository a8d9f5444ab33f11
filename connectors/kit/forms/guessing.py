"""What the values say where no name did: an address, a number, a person's name, words. Only from fields that nobody named.

Every guess is noted among the warnings, so that a person can see that it was one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import phonenumbers

from connectors.kit.forms.draft import Draft
from connectors.kit.forms.fields import FormField, Path, text_of
from connectors.kit.forms.roles import is_anonymous, is_no_number, is_weak_name
from connectors.kit.forms.whose import whose
from crm_core.identity.firstnames import full_names
from crm_core.identity.spelling import fold

_EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_NUMBER = re.compile(r"\+?[\d\s().–-]{10,22}")
_INTERNATIONAL = re.compile(r"\+[\d\s().–-]{10,22}")
_NAME = re.compile(r"[^\W\d_]+(?:[ '’.-]{1,2}[^\W\d_]+){0,3}\.?")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_PART = re.compile(r"(.*?\d)\.(\d)\Z", re.DOTALL)  # 1.3, input_4.6: parts of a field, as Gravity Forms numbers them
_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)
PROSE_CHARS = 4096  # how far into a message a number is looked for


def by_value(loose: Sequence[FormField], draft: Draft, taken: set[Path], region: str) -> None:
    """Fills what no field was named for. A leaf that is used is taken."""
    if not draft.emails:
        _emails(loose, draft, taken)
    if not draft.phones:
        _phones(loose, draft, taken, region)
    if not (draft.name or draft.first or draft.last):
        _name(loose, draft, taken)
    if not draft.messages:
        _message(loose, draft, taken)
    _in_message(draft, region)


def _emails(loose: Iterable[FormField], draft: Draft, taken: set[Path]) -> None:
    for form_field in loose:
        if (
            isinstance(form_field.value, str)
            and "@" in form_field.value
            and not whose(form_field)
            and _EMAIL.fullmatch(form_field.value.strip())
        ):
            if form_field.value.strip() not in draft.emails:
                draft.emails.append(form_field.value.strip())
            taken.add(form_field.path)
            draft.warnings.add("email_by_value")


def _phones(loose: Iterable[FormField], draft: Draft, taken: set[Path], region: str) -> None:
    for form_field in loose:
        value = text_of(form_field.value) if isinstance(form_field.value, str | int) else ""
        if (
            _NUMBER.fullmatch(value)
            and not is_no_number(form_field.name)
            and not is_no_number(form_field.label)
            and not whose(form_field)
            and _is_phone(value, region)
        ):
            if value not in draft.phones:
                draft.phones.append(value)
                draft.place_phone(value, form_field.path, form_field.name)
            taken.add(form_field.path)
            draft.warnings.add("phone_by_value")


def _name(loose: Sequence[FormField], draft: Draft, taken: set[Path]) -> None:
    """First from fields such as user_name that may also hold a login, then from those without a name at all."""
    for fits in (_is_weak, _is_nameless):
        for form_field in loose:
            if (
                form_field.path not in taken
                and isinstance(form_field.value, str)
                and fits(form_field)
                and not whose(form_field)
                and is_persons_name(form_field.value.strip())
            ):
                surname = _surname_beside(form_field, loose)
                draft.name = " ".join([form_field.value.strip(), *(one.value.strip() for one in surname)])
                taken.update(one.path for one in (form_field, *surname))
                draft.warnings.add("name_by_value")
                return


def _surname_beside(form_field: FormField, loose: Sequence[FormField]) -> list[FormField]:
    """The part 6 beside the part 3 of a name, unless a part 1 or 5 says that it is an address."""
    match = _PART.fullmatch(form_field.name)
    if match is None or match[2] != "3":
        return []
    beside = {m[2]: one for one in loose if (m := _PART.fullmatch(one.name)) and m[1] == match[1] and text_of(one.value)}
    return [beside["6"]] if "6" in beside and not beside.keys() & {"1", "5"} else []


def _message(loose: Iterable[FormField], draft: Draft, taken: set[Path]) -> None:
    """The longest words of a field without a name."""
    texts = [
        form_field
        for form_field in loose
        if isinstance(form_field.value, str)
        and form_field.path not in taken
        and _is_nameless(form_field)
        and _is_prose(form_field.value)
    ]
    if texts:
        best = max(texts, key=lambda form_field: len(form_field.value))
        draft.messages.append(best.value.strip().replace("\r\n", "\n"))
        taken.add(best.path)
        draft.warnings.add("message_by_value")


def _in_message(draft: Draft, region: str) -> None:
    prose = "\n".join(draft.messages)[:PROSE_CHARS]
    if prose and not draft.phones and sum(map(str.isdigit, prose)) >= 7:
        found = phonenumbers.PhoneNumberMatcher(prose, region or None)
        draft.phones.extend(dict.fromkeys(match.raw_string for match in found))
        if draft.phones:
            draft.warnings.add("phone_in_message")
    if "@" in prose and not draft.emails:
        draft.emails.extend(dict.fromkeys(_EMAIL.findall(prose)))
        if draft.emails:
            draft.warnings.add("email_in_message")


def _is_weak(form_field: FormField) -> bool:
    return is_weak_name(form_field.name)


def _is_nameless(form_field: FormField) -> bool:
    return is_anonymous(form_field.name) and (not form_field.label or is_anonymous(form_field.label))


def is_persons_name(text: str) -> bool:
    """A few words of letters, one of which is a known first name."""
    return len(text) <= 60 and _NAME.fullmatch(text) is not None and any(map(_is_first_name, text.split()))


@lru_cache(maxsize=2048)
def _is_first_name(word: str) -> bool:
    return len(word) > 2 and word[:1].isupper() and bool(full_names(fold(word)))


def _is_prose(text: str) -> bool:
    """Three words or more: two may be a town, a street, a choice."""
    text = text.strip()
    return len(text) >= 10 and text[0] not in "{[<" and len(_WORDS.findall(text[:PROSE_CHARS])) >= 3 and not _ADDRESS.match(text)


def _is_phone(value: str, region: str) -> bool:
    for text in (value, "+" + value):
        try:
            number = phonenumbers.parse(text, region or None)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
        # With its plus it was meant as a number, whether or not the plan of today knows it.
        if text is value and _INTERNATIONAL.fullmatch(value) and phonenumbers.is_possible_number(number):
            return True
    return False
