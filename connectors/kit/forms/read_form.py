"""Fields of any form into one Inquiry. What is not understood is kept in `Inquiry.fields`, never dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.kit.connector import ConnectorConfig
from connectors.kit.forms import antispam_fields, attribution_texts, consents
from connectors.kit.forms.attribution import is_page
from connectors.kit.forms.attribution_names import mark_of
from connectors.kit.forms.config import FormConfig
from connectors.kit.forms.country_hints import hints_for
from connectors.kit.forms.draft import Draft
from connectors.kit.forms.fields import TREES, FormField, Path, form_fields, text_of, without
from connectors.kit.forms.files import Cabinet
from connectors.kit.forms.guessing import PROSE_CHARS, by_value, is_persons_name
from connectors.kit.forms.messengers import messenger_of
from connectors.kit.forms.roles import role_of
from connectors.kit.forms.whose import Whose, asks_name, whose
from crm_core.identity.fieldtext import parts, plain
from crm_core.identity.national import CountryHint
from crm_core.parsed import Inquiry

#: Sites that moved here by their host name may send a source's token as the form's id; it opens the door and is shown to nobody.
_OUR_TOKEN = re.compile("[0-9a-f]{32}")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # 例 花子: the family's name stands first
EXTENSION = "phone_extension"
_PHONE_CHARS = 256
_BARE_NUMBER = re.compile(r"[\d\s().+–-]*")  # nearly all: nothing is pressed after it
_PROGRAM = re.compile(r"[a-z0-9_./:?=-]*")  # what WordPress calls its programs by
_PART_KEYS = frozenset(("prefix", "first", "middle", "last", "suffix", "value", "field_type"))
_LETTER = re.compile(r"[^\W\d_]")  # "#1027" is an order's number, no form's name
_FALSE = {"", "0", "false", "no", "off", "нет"}
NAME_CHARS = 200  # what is longer under "name" is a message in the wrong field, kept under its own name

__all__ = ["PROSE_CHARS", "Draft", "read", "with_plus"]


def read(
    data: Mapping[str, Any],
    draft: Draft,
    *,
    region: str,
    by_name: bool = True,
    config: ConnectorConfig | None = None,
) -> Inquiry:
    """One inquiry. `data` is a tree of fields; `by_name=False` reads only what is about the form, not about the person:
    marks of origin, consents, guards, files. `config` says which fields are honeypots and consents, if it is a FormConfig.
    """
    settings = config if isinstance(config, FormConfig) else None
    honeypots, wanted = antispam_fields.honeypots_of(settings), consents.configured(settings)
    data, told = consents.split_details(data)
    wanted = consents.with_purposes(wanted, told)
    data = attribution_texts.without_bundles(_without_first_visit(data, draft), draft.marks)
    cabinet = Cabinet(draft.files)
    notes: dict[Path, Any] = {}
    taken: set[Path] = set()
    loose: list[FormField] = []
    outer_name, guessed_form, named_at = "", "", None
    closed = _closed(draft)
    ours = _has_user_beside(data)
    technical: list[FormField] = []
    others: list[tuple[str, FormField]] = []
    for form_field in form_fields(data):
        low = form_field.name.casefold()
        if low in honeypots:
            antispam_fields.take_honeypot(form_field.name, form_field.value, draft.antispam_fields)
            taken.add(form_field.path)
            continue
        role = role_of(form_field.name, form_field.label, form_field.type)
        if low in wanted or role == "consent":
            consent = consents.of_form_field(form_field, wanted.get(low, ""))
            if consent is not None:
                draft.consents.append(consent)
                continue  # and stays among the fields, where people look for it
            role = ""
        if role == "file" or (type(form_field.value) is not str and isinstance(form_field.value, TREES)):
            note = cabinet.take(form_field.name, form_field.value, is_file=role == "file")
            if note is not None:
                notes[form_field.path] = note
                continue
            role = "" if role == "file" else role
        if role in _PERSON and (theirs := whose(form_field) if not ours or form_field.path[0] != "user" else Whose.THEIRS):
            if theirs is Whose.MAYBE:
                others.append((role, form_field))
            loose.append(form_field)
            continue
        if role == "name" and outer_name and len(form_field.path) > 1 and draft.name == outer_name and text_of(form_field.value):
            # {"name": "Contact form", "data": {"name": "Anna"}}: the outer name is the form's, unless it says the same.
            if _LETTER.search(outer_name) is None and named_at:
                taken.discard(named_at)
            elif outer_name.casefold() != text_of(form_field.value).casefold():
                guessed_form = outer_name
            draft.name, outer_name = "", ""
        wanted_role = bool(role) and (by_name or role in _ALWAYS) and role not in closed
        if wanted_role and _take(role, form_field, draft):
            taken.add(form_field.path)
            if role == "name":
                named_at = form_field.path
                outer_name = draft.name if len(form_field.path) == 1 else outer_name
            elif role == "tech":
                technical.append(form_field)
        else:
            loose.append(form_field)
    attribution_texts.put_told(loose, draft.marks)
    if by_name:
        by_value(loose, draft, taken, region)
        if others and not (draft.phones or draft.emails):
            _take_others([*others, *_names_of(loose)], draft, taken, closed)
    draft.form_name = draft.form_name or guessed_form  # what calls itself the form's name is surer
    if named_at and _is_another_name(draft):
        taken.discard(named_at)
        draft.name = ""
    draft.consents[:] = consents.finished(draft.consents, wanted, told)
    hints = hints_for(draft, (*loose, *technical), region) if draft.phones else {}
    return _finished(data, draft, taken, notes, hints)


_PERSON = {"name", "first_name", "last_name", "middle_name", "phone", "email", "messenger", "company"}
_ALWAYS = {
    "utm", "click_id", "client_id", "first", "cookies", "page_url", "page_title", "referrer", "tech", "own", "proof",
    "test",
}  # fmt: skip


def _names_of(loose: list[FormField]) -> list[tuple[str, FormField]]:
    return [("name", form_field) for form_field in loose if asks_name(form_field.name) and whose(form_field) is Whose.MAYBE]


def _take_others(others: list[tuple[str, FormField]], draft: Draft, taken: set[Path], closed: set[str]) -> None:
    """A guest, an owner, a recipient is the client himself where nobody else was named."""
    for role, form_field in others:
        if role not in closed and _take(role, form_field, draft):
            taken.add(form_field.path)


def _without_first_visit(data: Mapping[str, Any], draft: Draft) -> Mapping[str, Any]:
    """The first visit as the page snippet remembers it says where the person came from, and is no field."""
    visit = data.get("first_visit")
    if not isinstance(visit, Mapping):
        return data
    draft.marks.put_first(visit)
    return {key: value for key, value in data.items() if key != "first_visit"}


def _has_user_beside(data: Mapping[str, Any]) -> bool:
    """True where a level `user` is our own user and not the visitor: the post itself says how to reach the visitor."""
    return isinstance(data.get("user"), dict) and any(
        isinstance(value, str) and value.strip() and role_of(name) in ("phone", "email") for name, value in data.items()
    )


def _is_another_name(draft: Draft) -> bool:
    """True where the first and the last name were asked for and "name" has neither: it is the form's, the deal's, a login,
    somebody else. One word that is a name as we know them is one more name of the same person."""
    low = draft.name.casefold()
    has_part = not (draft.first and draft.last) or draft.first.casefold() in low or draft.last.casefold() in low
    return not has_part and (" " in draft.name or not is_persons_name(draft.name))


def _closed(draft: Draft) -> set[str]:
    """Roles that a mapping has filled: what else is sent under such a name is no longer needed for it."""
    closed = {role for role in ("company", "title", "form_id", "form_name") if getattr(draft, role)}
    if draft.name:
        closed |= {"name", "first_name", "last_name", "middle_name"}
    return closed | {role for role in ("phone", "email", "message") if getattr(draft, role + "s")}


def _take(role: str, form_field: FormField, draft: Draft) -> bool:
    """Puts a leaf where its role says; False when its value does not fit, and it stays a field."""
    if role == "tech" and form_field.name.casefold() == "action":
        return _PROGRAM.fullmatch(text_of(form_field.value)) is not None  # "Buy" is what somebody chose
    if role in ("tech", "own"):
        return True
    if role == "proof":
        antispam_fields.take_proof(form_field.name.casefold(), form_field.value, draft.antispam_fields)
        return True
    if role == "cookies":
        is_bundle = form_field.name.casefold() in ("tildautm", "sbjs_current", "sbjs_first")
        draft.marks.put_cookies({form_field.name: form_field.value} if is_bundle else form_field.value)
        return True
    if role == "test":
        draft.is_test = text_of(form_field.value).casefold() not in _FALSE or form_field.value is True
        return True
    value = text_of(form_field.value)
    if not value:
        return form_field.value in ("", None)  # an empty input says nothing and is not kept
    if role in ("utm", "click_id", "client_id", "first"):
        if role != "first" and (
            "hidden" in str(form_field.path[0]).casefold() or form_field.type.casefold().startswith("hidden")
        ):
            draft.marks.hidden.append((form_field.name if mark_of(form_field.name) else form_field.label, value))
            return True
        return draft.marks.put(form_field.name, value) or draft.marks.put(form_field.label, value)
    if role == "page_title":
        draft.marks.page_title = draft.marks.page_title or value
        return draft.marks.page_title == value
    if role in ("page_url", "referrer"):
        if not is_page(value):
            return False
        if getattr(draft.marks, role):
            draft.marks.pages.append(value)
            return False
        setattr(draft.marks, role, value)
        return True
    return _take_person(role, form_field, value, draft)


def _take_person(role: str, form_field: FormField, value: str, draft: Draft) -> bool:
    if " = " in value and role != "message" and (told := _on_lines(value)):
        value, form_field = told, form_field._replace(value=told)
    if role in ("phone", "email") and isinstance(form_field.value, list):  # phone[]: several are several
        several = [form_field._replace(value=one) for one in form_field.value if one not in ("", None)]
        fits = [_take_person(role, one, text_of(one.value), draft) for one in several]
        return all(fits)
    if role == "phone":
        if sum(map(str.isdigit, value)) < 5:
            return False
        number = with_plus(form_field.value, value)
        draft.place_phone(number, form_field.path, form_field.name)
        _add(draft.phones, number)
    elif role == "email":
        if "@" not in value:
            return False
        _add(draft.emails, value)
    elif role == "messenger":
        kind, number = messenger_of(form_field.name, form_field.label, value)
        if not kind:
            return False
        if draft.messengers.setdefault(kind, value) != value:
            return False  # a second account of that kind
        if number:
            _add(draft.phones, with_plus(form_field.value, number))
    elif role == "message":
        if value in ("0", "1"):
            return False  # a switch of the builder: AWeber's meta_message
        if (
            isinstance(form_field.value, list)
            and len(form_field.value) > 1
            and (form_field.label or form_field.name).endswith("?")
        ):
            return False  # of several answers to choose from
        _add(draft.messages, value.replace("\r\n", "\n"))  # some send the same words under two names
    else:
        slot = {"first_name": "first", "last_name": "last", "middle_name": "middle"}.get(role, role)
        known = getattr(draft, slot)
        if known or len(value) > NAME_CHARS:
            return bool(known == value)
        setattr(draft, slot, value)
    return True


def _on_lines(value: str) -> str:
    """Formstack writes the parts of a field on lines: "first = Ada", "last = Sample". "" for what is written otherwise."""
    lines = [line.partition(" = ") for line in value.splitlines()]
    if any(key not in _PART_KEYS for key, _, _ in lines):
        return ""
    return " ".join(said.strip() for key, _, said in lines if key != "field_type" and said.strip())


def with_plus(raw: Any, value: str) -> str:
    """`+7916…` sent without escaping arrives as ` 7916…`: the lost plus is put back. 8 and 0 begin no such number."""
    lost = isinstance(raw, str) and raw[:1] == " " and raw[1:2].isdigit() and raw[1] not in "08" and len(value) > 10
    return "+" + value if lost else value


def _extension(phones: list[str]) -> str:
    """What is pressed after the number, of "+7 495 123-45-67 доб. 123": the number alone is what a person is known by."""
    written = (phone[:_PHONE_CHARS] for phone in phones if not _BARE_NUMBER.fullmatch(phone))
    found = [part.extension for phone in written for part in parts(plain(phone)) if part.extension]
    return ", ".join(dict.fromkeys(found))


def _add(values: list[str], value: str) -> None:
    if value not in values:
        values.append(value)


def _finished(
    data: Mapping[str, Any],
    draft: Draft,
    taken: set[Path],
    notes: Mapping[Path, Any],
    hints: Mapping[str, tuple[CountryHint, ...]],
) -> Inquiry:
    rest = without(data, taken, notes)
    if (extension := _extension(draft.phones)) and EXTENSION not in rest:
        rest = {**rest, EXTENSION: extension}
    surname_first = bool(draft.middle) or _EAST_ASIAN.match(draft.last) is not None
    in_order = [draft.last, draft.first, draft.middle] if surname_first else [draft.first, draft.last]
    assembled = " ".join(filter(None, in_order))
    name = draft.name
    if assembled and name.casefold() in assembled.casefold():
        name = assembled
    elif assembled:  # "prénom" beside "nom", "Имя" beside "Фамилия": the full name is both
        low = name.casefold()
        before = [draft.first] if draft.first.casefold() not in low else []
        name = " ".join([*before, name, *(part for part in (draft.middle, draft.last) if part.casefold() not in low)])
    return Inquiry(
        name=name,
        phones=tuple(draft.phones),
        emails=tuple(draft.emails),
        company=draft.company,
        message="\n".join(draft.messages),
        title=draft.title,
        form_id="" if _OUR_TOKEN.fullmatch(draft.form_id) else draft.form_id,
        form_name=draft.form_name,
        line=draft.line,
        submitted_at=draft.submitted_at,
        is_test=draft.is_test,
        fields=rest,
        attribution=draft.marks.attribution(),
        warnings=tuple(sorted(draft.warnings)),
        thread=draft.thread,
        messengers=draft.messengers,
        consents=tuple(draft.consents),
        files=tuple(draft.files),
        antispam_fields=draft.antispam_fields,
        country_hints=hints,
    )
