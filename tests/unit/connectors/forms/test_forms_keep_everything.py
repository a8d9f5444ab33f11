"""Every word that a form was sent with is found again in its inquiry, also where its name is one of a provider's own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.kit import Request, registry
from connectors.kit.forms.config import FormConfig
from connectors.kit.forms.read_form import Draft, read
from connectors.kit.forms.snippet_envelope import opened
from connectors.kit.tools.samples import plain, samples_of
from crm_core.base.errors import HubError
from crm_core.parsed import Inquiry

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
MARK = "Words of nobody's mapping"


def sent(body: Any, *, form: bool = False) -> Request:
    raw = urlencode(body).encode() if form else json.dumps(body, ensure_ascii=False).encode()
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    return Request("POST", "", "", {"content-type": kind}, raw, NOW)


def shown(name: str, request: Request) -> str:
    connector = registry.get(name)
    config = connector.config_model(region="RU", timezone="Europe/Moscow")
    return json.dumps([plain(parsed_item) for parsed_item in connector.parse(request, config)], ensure_ascii=False)


def words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for below in value.values():
            yield from words(below)
    elif isinstance(value, list):
        for below in value:
            yield from words(below)
    elif isinstance(value, str) and value[:1] == "{":
        yield from words(json.loads(value))
    elif isinstance(value, str) and not value.isascii():
        yield value


#: Forms whose visitors' fields are called as a provider calls something of its own. What is Cyrillic was said by a person.
LOOKALIKES = {
    "jotform": {
        "rawRequest": json.dumps(
            {"slug": "submit/1", "q4_subject": "Ремонт", "q5_product": "Диван", "q6_type": "Мягкий", "q7_event": "Свадьба",
             "q8_path": "Дорога", "q9_event_id": "Событие", "q10_action": "Купить", "q11_parent": "Мама", "q12_name": "Анна"}
        ),
        "submissionID": "5", "formID": "1",
    },
    "gravity": {
        "form_id": "5", "source_url": "https://shop.example.com/", "date_created": "2026-01-15 11:58:00", "status": "Ищу квартиру",
        "payment_method": "Наличными", "currency": "рубли", "name": "Анна",
    },
    "cf7": {"your-name": "Анна", "form": "Замер на дом", "your-city": "Тверь"},
    "elementor": {"form[id]": "7", "form[wish]": "Белая", "fields[a][id]": "a", "fields[a][value]": "Цвет", "meta[city][value]": "Тверь"},
    "ninja": {"action": "nf_ajax_submit", "formData": json.dumps({"fields": {"1": {"id": 1, "value": "Белый"}}, "extra": {"wish": "Хочу"}})},
    "roistat": {"roistat": "1", "key": "k", "title": "Заявка", "is_urgent": "срочно", "name": "Анна"},
    "web3forms": {"access_key": "abc", "name": "Анна", "replyto": "телефон у менеджера"},
    "formsubmit": {"_captcha": "false", "name": "Анна", "_replyto": "звоните Анне"},
    "wpforms": {"wpforms[fields][1]": "Белый", "wpforms[note]": "Слово", "wpforms[id]": "5", "author": "Автор", "token": "Жетон"},
    "webflow": {"site": "Мой сайт", "data": {"Цвет": "Белый"}, "_id": "5", "d": "Завтра", "name": "Форма"},
    "marquiz": {"contacts": [{"name": "Анна", "wish": "Белая"}], "answers": {"Цвет": "Серый"}, "quiz": "Кухни", "extra": {"wish": "Дуб"}},
    "fillout": {"submission": {"questions": [{"name": "Цвет", "value": "Белый"}], "wish": "Слово"}, "questions": "Вопросы"},
    "wix": {"submissionId": "1", "submissions": [{"label": "Цвет", "value": "Белый"}, "Слово", {"label": "Цвет", "value": "Синий"}], "data": "Данные"},
    "hubspot": {"fields": [{"objectTypeId": "0-1", "name": "color", "value": "Белый"}], "context": {"wish": "Слово"}},
    "google_ads": {"google_key": "", "lead_id": "1", "user_column_data": [{"column_id": "A", "string_value": "Белый"}, {"column_id": "A", "string_value": "Синий"}]},
    "calltouch": {"sessionId": "Сессия", "phoneNumber": "+79123456741", "fio": "Анна", "comment": "Слово", "tags": "Теги"},
    "tilda": {"tranid": "1:2", "formid": "f", "Name": "Анна", "key": "Ключ", "id": "Номер"},
    "": {"contacts": "Анна", "answers": "да и нет", "quiz": "цвет", "fields": "поля", "tranId": "номер", "data": "данные"},
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKALIKES)
def test_word_is_kept_when_its_field_is_called_as_a_provider_s_own(name: str) -> None:
    body = LOOKALIKES[name]
    form = all(isinstance(value, str) for value in body.values())
    request = sent(body, form=form)
    generic = registry.get("generic_form")
    assert generic.reads_as is not None
    assert generic.reads_as(request) == name
    for reader in {"generic_form", name} - {""}:
        kept = shown(reader, request)
        assert [word for word in words(body) if word not in kept] == []


def test_generic_form_is_no_gravity_when_it_only_has_an_id_and_a_page() -> None:
    generic = registry.get("generic_form")
    assert generic.reads_as is not None
    assert generic.reads_as(sent({"form_id": "5", "source_url": "https://shop.example.com/", "ip": "сеть"})) == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"State_1": "Тверская"},
        {"state_of_residence": "Тверская"},
        {"Submit your idea": "Кухня"},
        {"Submit_your_idea": "Кухня"},
        {"What would you like to submit": "Кухня"},
        {"first_time": "впервые"},
        {"first_date": "на той неделе"},
        {"first_page": "главная"},
        {"first_time": "5 раз"},
        {"action": "Купить"},
        {"telegram": "@anna_example", "data": {"Ваш телеграм": "@other_example"}},
        {"page_title": "Кухни", "Page Title": "Двери"},
        {"email": {"value": "anna@example.com", "note": "по утрам"}},
        {"fields": [{"name": "phone", "value": "+79123456741", "comment": "после шести"}]},
        {"answers": [{"label": "Имя", "value": "Анна", "other": "или Аня"}]},
    ],
)
def test_word_is_kept_when_its_name_only_sounds_technical(fields: dict[str, Any]) -> None:
    inquiry = read(opened(copy.deepcopy(fields)), Draft(), region="RU", config=FormConfig(region="RU"))
    kept = json.dumps(plain(inquiry), ensure_ascii=False)
    assert all(value in kept for value in _texts(fields))


def _texts(value: Any) -> Iterator[str]:
    for below in value.values() if isinstance(value, dict) else value:
        if isinstance(below, str):
            yield below
        else:
            yield from (text for text in _texts(below) if text not in ("phone", "Имя"))


@pytest.mark.parametrize(
    "fields, name",
    [
        ({"name": "Анна", "first_name": "Мария", "last_name": "Смирнова"}, "Мария Анна Смирнова"),
        ({"name": "Смирнова Анна", "first_name": "Анна", "last_name": "Смирнова"}, "Смирнова Анна"),
        ({"name": "Анна Смирнова", "first_name": "Анна"}, "Анна Смирнова"),
        ({"Имя": "Анна", "Отчество": "Ивановна", "Фамилия": "Смирнова"}, "Анна Ивановна Смирнова"),
        ({"姓": "例", "名": "花子"}, "例 花子"),
    ],
)
def test_name_has_every_part_once_when_it_is_sent_whole_and_in_parts(fields: dict[str, str], name: str) -> None:
    assert read(fields, Draft(), region="RU").name == name


def test_several_numbers_are_several_when_one_field_carries_them() -> None:
    post = read({"phone": ["+7 912 345-67-41", "", "+7 912 345-67-42"], "email": ["a@example.com", "нет"]}, Draft(), region="RU")
    assert post.phones == ("+7 912 345-67-41", "+7 912 345-67-42")
    assert (post.emails, dict(post.fields)) == (("a@example.com",), {"email": ["a@example.com", "нет"]})


@pytest.mark.parametrize(
    "phone, extension",
    [
        ("+7 495 123-45-67 доб. 123", "123"),
        ("+7 495 123-45-67 (доб. 12)", "12"),
        ("8 495 123-45-67 ext. 4", "4"),
        ("+7 495 123-45-67", ""),
        ("8 912 345-67-41 Иван", ""),
        ("8 912 345-67-41, 8 495 123-45-67", ""),
        (["+7 495 123-45-67 доб. 1", "+7 495 123-45-68 доб. 2"], "1, 2"),
    ],
)
def test_extension_is_a_field_of_its_own_when_it_stands_behind_the_number(phone: Any, extension: str) -> None:
    """The number alone is kept in E.164; whoever calls it must know what to press."""
    inquiry = read({"phone": phone}, Draft(), region="RU")
    assert inquiry.phones == tuple(phone if isinstance(phone, list) else [phone])
    assert inquiry.fields.get("phone_extension", "") == extension


def test_extension_stays_the_sender_s_own_when_a_field_is_called_so() -> None:
    inquiry = read({"phone": "+7 495 123-45-67 доб. 1", "phone_extension": "at noon"}, Draft(), region="RU")
    assert inquiry.fields["phone_extension"] == "at noon"


@pytest.mark.parametrize("name", ["state_12", "web_form_submit", "submit-button", "Submit", "ml-submit", "action"])
def test_field_is_not_shown_when_a_machine_added_it(name: str) -> None:
    inquiry = read({name: "web_form_1", "name": "Anna"}, Draft(), region="RU")
    assert dict(inquiry.fields) == {}


@pytest.mark.parametrize("name", ["generic_form", "roistat"])
def test_loose_words_are_kept_when_they_stand_between_forms(name: str) -> None:
    kept = shown(name, sent([{"comment": "Первое"}, "Второе", None, ["Третье"], {"comment": "Четвертое"}]))
    assert all(word in kept for word in ("Первое", "Второе", "Третье", "Четвертое"))


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"к" * 300 + "1": "Alfa", "к" * 300 + "2": "Beta"}).encode(),
        b'{"na\\u0000me": "Alfa", "name": "Beta"}',
        b'{"a": {"b\\u202e": "Alfa", "b": "Beta"}}',
        b'{"\xea": "Alfa", "\xd0\xba": "Beta"}',
    ],
)
def test_both_values_are_kept_when_two_names_become_one(body: bytes) -> None:
    kept = shown("generic_form", Request("POST", "", "", {"content-type": "application/json"}, body, NOW))
    assert "Alfa" in kept
    assert "Beta" in kept


#: Providers whose whole envelope is known, and whose people's words stand at named places only: what else is in it is theirs.
_ENVELOPES = {"avito", "telegram", "whatsapp", "linkedin", "meta", "cloudevents", "standard_webhooks"}
FORMS = [n for n, one in registry.discover().items() if one.channel == "form" and n not in _ENVELOPES]


@pytest.mark.parametrize("name", FORMS)
def test_new_field_is_kept_when_it_is_added_to_a_sample(name: str) -> None:
    """What a provider or an administrator adds tomorrow, at the top of the post, is seen on the lead."""
    connector, folder = registry.get(name), registry.folder_of(name)
    assert folder
    seen = 0
    for sample in samples_of(connector, folder):
        tree = _object(sample.request)
        if tree is None:
            continue
        try:
            before = connector.parse(sample.request, sample.config)
        except HubError:
            continue
        if not any(isinstance(parsed_item, Inquiry) for parsed_item in before):
            continue
        body = json.dumps({**tree, "zz_note": MARK}).encode()
        after = connector.parse(replace(sample.request, body=body), sample.config)
        seen += 1
        assert MARK in json.dumps([plain(parsed_item) for parsed_item in after]), sample.folder.name
    assert seen or not any(_object(sample.request) for sample in samples_of(connector, folder))


def _object(request: Request) -> dict[str, Any] | None:
    """The body as a JSON object, None for any other."""
    try:
        tree = json.loads(request.body)
    except ValueError:
        return None
    return tree if isinstance(tree, dict) and tree and request.body[:1] == b"{" else None
