"""What a person agreed to, by the words of the field. Silence about a purpose is no record, unless a setting names the field.

The words beside the box may come along: as the value or the label itself, in hidden fields `_consent_text`,
`_consent_text_id`, `_consent_text_url`, `_consent_sha256` (also with `_marketing` or another purpose behind), or from the
page snippet as `_consents`: [{"field", "purpose", "text", "text_id", "text_url", "sha256"}], or the same by field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from connectors.kit.forms import vocabulary as words
from connectors.kit.forms.config import FormConfig
from connectors.kit.forms.fields import FormField, text_of
from crm_core.parsed import Consent

TEXT_CHARS = 20_000  # a whole agreement, should somebody send it
_DETAIL = re.compile(
    r"_?consents?_(?:(text_id|text_url|id|url|text|text_sha256|sha256|version|hash))(?:_(processing|marketing|transfer))?"
)
_DETAIL_SLOTS = {
    "text": "text", "text_id": "text_id", "id": "text_id", "version": "text_id", "text_url": "text_url", "url": "text_url",
    "sha256": "text_sha256", "text_sha256": "text_sha256", "hash": "text_sha256",
}  # fmt: skip
_PURPOSES = frozenset(("processing", "marketing", "transfer"))
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]{1,500}>")
#: A field about a consent rather than one: its words, its address, when it was given.
_ABOUT = frozenset(("text", "url", "link", "id", "version", "date", "time", "ip", "label", "sha256", "hash", "title"))


def given(value: Any, *labels: str) -> bool | None:
    """Yes, no, or None where the value is no answer. The words beside the box as its value are a yes: it was ticked."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        answers = [given(item, *labels) for item in value]
        if not answers:
            return False
        return True if True in answers else None if None in answers else False
    if isinstance(value, Mapping):
        return None
    text = _folded(text_of(value))
    if text in words.YES:
        return True  # nearly all, and without a look for stems
    if text in words.NO or text.startswith(words.NO_STARTS) or any(stem in text for stem in words.REFUSED_STEMS):
        return False
    if text in words.YES or any(stem in text for stem in words.AGREED_STEMS) or text in map(_folded, labels):
        return True
    # Anything else is what somebody typed or chose in a field that only sounds like a consent: no one agreed by it.
    return None


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split()).strip(" .!*")


@lru_cache(maxsize=4096)
def purpose_of(name: str, label: str = "") -> str:
    """processing, marketing or transfer. Where a box names several, the narrowest: it is the one that may be declined."""
    text = f"{name} {label}".casefold().replace("ё", "е").replace("_", " ").replace("-", " ")
    if any(stem in text for stem in words.TRANSFER_STEMS):
        return "transfer"
    return "marketing" if any(stem in text for stem in words.MARKETING_STEMS) else "processing"


def configured(config: FormConfig | None) -> Mapping[str, str]:
    """Fields that a setting names, in lower case, and their purposes."""
    if config is None or not config.consent_fields:
        return {}
    return {name.strip().casefold(): purpose for name, purpose in config.consent_fields.items()}


def with_purposes(wanted: Mapping[str, str], told: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """The same, and the boxes whose purpose the page itself names: what it did not send was left empty. A setting wins."""
    named = {field: said["purpose"] for field, said in told.items() if field and "purpose" in said}
    return {**named, **wanted} if named else wanted


def of_form_field(form_field: FormField, purpose: str = "") -> Consent | None:
    """The consent that a field holds; None where it is only about one, or its value is no answer."""
    if not purpose and _is_about(form_field):
        return None
    answer = given(form_field.value, form_field.label, form_field.name)
    if answer is None:
        return None
    if _is_opt_out(form_field.name, form_field.label):
        if not answer:
            return None  # who did not refuse has not agreed by that
        answer = False
    value = text_of(form_field.value)
    sentence = value if _is_sentence(value) else form_field.label if _is_sentence(form_field.label) else ""
    if not sentence and _is_sentence(form_field.name) and (" " in form_field.name or not form_field.name.isascii()):
        # Tilda names a field by the words beside it; gdpr_consent_box is only a name.
        sentence = form_field.name.replace("_", " ").strip()
    return Consent(
        purpose or purpose_of(f"{form_field.name} {value}" if _is_sentence(value) else form_field.name, form_field.label),
        answer,
        text=_TAGS.sub("", sentence)[:TEXT_CHARS],
        field_name=form_field.name[:200],
    )


@lru_cache(maxsize=4096)
def _is_opt_out(name: str, label: str) -> bool:
    """True for a box by which people refuse: "Не хочу получать рассылку", "Unsubscribe me", "do_not_contact"."""
    text = _folded(f"{name} {label}")
    return any(stem in text for stem in (*words.REFUSED_STEMS, *words.OPT_OUT_STEMS))


def split_details(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, dict[str, str]]]:
    """The data without the fields that tell about a consent's text, and what they told: by field, by purpose, or "" ."""
    told: dict[str, dict[str, str]] = {}
    gone: list[str] = []
    for key, value in data.items():
        low = key.casefold()
        if "consent" not in low:
            continue
        if low in ("_consents", "consents") and isinstance(value, Mapping | list):
            if _tell_all(value, told) or (not value and low[0] == "_"):  # no box on the page: no consent, and no refusal
                gone.append(key)
        elif (match := _DETAIL.fullmatch(low)) and text_of(value):
            told.setdefault(match[2] or "", {})[_DETAIL_SLOTS[match[1]]] = text_of(value)
            if low[0] == "_":  # without the underscore it is the form's own field
                gone.append(key)
    return ({k: v for k, v in data.items() if k not in gone} if gone else data), told


def finished(found: list[Consent], wanted: Mapping[str, str], told: Mapping[str, Mapping[str, str]]) -> tuple[Consent, ...]:
    """All consents of one inquiry: the fields that a setting names and nobody sent are a no; texts find their fields."""
    seen = {consent.field_name.casefold() for consent in found}
    result = list(found)
    for name, purpose in wanted.items():
        if name not in seen:
            result.append(Consent(purpose, False, field_name=name))
    if told:
        alone = len({consent.purpose for consent in result}) == 1
        result = [_with_text(consent, told, alone=alone) for consent in result]
    unique = {(consent.purpose, consent.field_name): consent for consent in reversed(result)}
    return tuple(reversed(unique.values()))


def _with_text(consent: Consent, told: Mapping[str, Mapping[str, str]], *, alone: bool) -> Consent:
    general = told.get("", {}) if alone or consent.purpose == "processing" else {}
    said = {**general, **told.get(consent.purpose, {}), **told.get(consent.field_name.casefold(), {})}
    if not said:
        return consent
    sha256 = said.get("text_sha256", "").removeprefix("sha256:").casefold()
    return Consent(
        consent.purpose,
        consent.given,
        said.get("text", consent.text)[:TEXT_CHARS],
        said.get("text_id", "")[:200],
        said.get("text_url", "")[:2048],
        sha256 if _SHA256.fullmatch(sha256) else "",
        consent.method,
        consent.field_name,
    )


def _tell_all(value: Any, told: dict[str, dict[str, str]]) -> bool:
    """`_consents` of the page snippet; False where it is something else."""
    rows = value.items() if isinstance(value, Mapping) else [("", item) for item in value]
    heard = False
    for name, row in rows:
        if not isinstance(row, Mapping):
            continue
        key = str(name or row.get("field") or row.get("name") or row.get("purpose") or "").casefold()
        slots = {slot: text for word, slot in _DETAIL_SLOTS.items() if (text := text_of(row.get(word)))}
        if name or row.get("field"):
            purpose = text_of(row.get("purpose"))
            slots |= {"purpose": purpose} if purpose in _PURPOSES else {}
        if slots:
            told.setdefault(key, {}).update(slots)
            heard = True
    return heard


def _is_sentence(text: str) -> bool:
    return len(text) >= 15 and sum(text.count(space) for space in " _") >= 2


def _is_about(form_field: FormField) -> bool:
    last = re.split(r"[\W_]+", form_field.name.casefold().rstrip("]_ "))[-1] if form_field.name else ""
    return last in _ABOUT or form_field.type.casefold() in ("date", "email", "tel", "url")
