"""Whatever tree of fields is sent, it becomes an inquiry that can be stored, the same each time, and loses no value."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.forms.config import FormConfig
from connectors.kit.forms.read_form import Draft, read
from crm_core.parsed import Inquiry

CONFIG = FormConfig(region="RU", honeypots=["website"], consent_fields={"agree": "processing", "news": "marketing"})

NAMES = st.sampled_from(
    [
        "name", "phone", "email", "message", "agree", "news", "consent", "_consents", "_consent_text", "consents", "website",
        "_gotcha", "_t", "altcha", "file", "upload", "files", "data", "fields", "value", "type", "title", "label", "field", "url",
        "filename", "content", "first", "last", "full", "area", "first_visit", "first_utm_source", "utm_source", "hidden",
        "COOKIES", "TILDAUTM", "_ga", "_fbc", "page_url", "referrer", "telegram", "whatsapp", "f1", "item_meta", "0", "1.3", "",
        "Имя", "Согласие на рассылку", "form_name", "_test",
    ]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
    st.sampled_from(
        ["on", "+7 912 345-67-41", "ivan@example.com", "Иван Пример", "https://shop.example.com/a.pdf?utm_source=x", "{keyword}",
         "data:;base64,AAAA", "a=1; TILDAUTM=utm_source=x", "fb.1.2.abcdef", "GA1.2.3.4", "a.pdf", "text", "Напишите мне сегодня вечером"]
    ),
)  # fmt: skip
TREES = st.dictionaries(
    NAMES,
    st.recursive(SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=4), max_leaves=12),
    max_size=8,
)  # fmt: skip


def once(data: dict[str, Any], *, by_name: bool = True) -> Inquiry:
    return read(data, Draft(), region="RU", config=CONFIG, by_name=by_name)


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_inquiry_is_made_when_the_tree_is_any(data: dict[str, Any]) -> None:
    before = json.dumps(data)
    inquiry = once(data)
    assert inquiry == once(data)
    assert json.dumps(data) == before, "what was decoded is not changed by reading it"
    json.dumps([dict(inquiry.fields), dict(inquiry.attribution.first), inquiry.antispam_fields, inquiry.messengers])
    texts = (
        inquiry.name,
        inquiry.message,
        inquiry.company,
        *inquiry.phones,
        *inquiry.emails,
        *inquiry.warnings,
    )
    assert all(isinstance(text, str) for text in texts)
    assert len({(consent.purpose, consent.field_name) for consent in inquiry.consents}) == len(inquiry.consents)
    assert len([file for file in inquiry.files if not file.note]) <= 5
    assert all((file.data is not None) + bool(file.url) + bool(file.note) == 1 for file in inquiry.files)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text("abcяю 0123456789", min_size=1, max_size=12), st.text("xyz яю", max_size=12), max_size=10))
def test_value_is_somewhere_when_it_was_sent(data: dict[str, str]) -> None:
    inquiry = once(data)
    kept = " ".join(
        [inquiry.name, inquiry.company, inquiry.title, inquiry.form_id, inquiry.form_name, inquiry.message, *inquiry.phones,
         json.dumps(dict(inquiry.fields), ensure_ascii=False), json.dumps(dict(inquiry.antispam_fields), ensure_ascii=False),
         json.dumps(dict(inquiry.messengers), ensure_ascii=False), repr(inquiry.attribution)]
    )  # fmt: skip
    assert all(value.strip() in kept for value in data.values())


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_nothing_of_a_person_is_read_when_names_are_not(data: dict[str, Any]) -> None:
    inquiry = once(data, by_name=False)
    assert (inquiry.name, inquiry.phones, inquiry.emails, inquiry.message) == ("", (), (), "")
