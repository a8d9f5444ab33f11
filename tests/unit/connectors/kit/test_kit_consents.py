"""What a person agreed to: yes and no as forms write them, purposes by words, texts beside the box, boxes left empty."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from connectors.kit.forms.config import FormConfig
from connectors.kit.forms.consents import given, purpose_of
from connectors.kit.forms.read_form import Draft, read
from crm_core.parsed import Consent, Inquiry

CONFIG = FormConfig(region="RU", timezone="Europe/Moscow")
TWO_BOXES = FormConfig(region="RU", consent_fields={"agree": "processing", "News": "marketing"})


def fields(config: FormConfig = CONFIG, **data: Any) -> Inquiry:
    return read(data, Draft(), region="RU", config=config)


@pytest.mark.parametrize(
    "value",
    ["on", "yes", "Yes", "1", 1, True, "true", "да", "Y", "согласен", "Согласна", "I agree to the processing of my data",
     "Я согласен на обработку персональных данных", ["1"], ["on", ""], "checked", "accepted", "ja", "oui", "sí", "tak"],
)  # fmt: skip
def test_answer_is_yes_when_the_form_says_so(value: Any) -> None:  # 59
    assert given(value) is True
    assert fields(consent=value).consents[0].given is True


@pytest.mark.parametrize("value", ["", "0", 0, False, "false", "no", "off", "нет", "N", [], [""], "не согласен", "none", "nein"])
def test_answer_is_no_when_the_form_says_so(value: Any) -> None:  # 59
    assert given(value) is False
    assert fields(consent=value).consents[0].given is False


@pytest.mark.parametrize("value", ["ivan@example.com", "+7 912 345-67-41", "15.01.2026", "KASKO", "ru-RU", "gold"])
def test_value_is_no_answer_when_it_is_something_else(value: Any) -> None:
    assert given(value) is None
    assert fields(subscribe_newsletter=value).consents == ()
    assert fields(privacy_policy=value, policy=value).consents == (), "nobody agreed by it"


def test_field_is_no_consent_when_its_other_words_say_so() -> None:
    assert fields(insurance_policy="1", accept_language="yes", cookie_policy="on").consents == ()


def test_label_is_a_yes_when_it_was_sent_as_the_value() -> None:
    data = {"fields": {"c1": {"type": "acceptance", "title": "Условия обработки", "value": "Условия обработки"}}}
    assert [consent.given for consent in read(data, Draft(), region="RU").consents] == [True]


@pytest.mark.parametrize(
    "purpose, names",
    [
        ("processing", ("agree|consent|gdpr|Согласие_с_политикой_конфиденциальности|privacy policy accepted|acceptance-processing|"
                       "datenschutz|rgpd|Персональные данные|privacy_policy|acepto la política de privacidad")),
        ("marketing", ("newsletter|Согласие на рассылку|marketing_consent|Подписка на новости|consent-promo|optin_newsletter|"
                      "Согласен получать рекламу")),
        ("transfer", "Согласие на передачу третьим лицам|consent_third_party|agree_partners|consent to transfer of data"),
    ],
)  # fmt: skip
def test_purpose_is_found_when_the_words_name_it(purpose: str, names: str) -> None:
    read_as = {name: [c.purpose for c in fields(**{name: "on"}).consents] for name in names.split("|")}
    assert read_as == {name: [purpose] for name in names.split("|")}


def test_label_decides_when_the_name_says_nothing() -> None:
    data = {"fields": {"f1": {"type": "acceptance", "title": "Согласен на рассылку новостей", "value": "on"}}}
    (consent,) = read(data, Draft(), region="RU").consents
    assert (consent.purpose, consent.given, consent.text) == (
        "marketing",
        True,
        "Согласен на рассылку новостей",
    )
    assert purpose_of("f1", "Мы передаём данные третьим лицам") == "transfer"


def test_box_is_a_no_when_a_setting_names_it_and_it_was_not_sent() -> None:  # 59: an unticked box is not sent
    ticked = fields(TWO_BOXES, agree="on", name="Ivan").consents
    assert ticked == (
        Consent("processing", True, field_name="agree"),
        Consent("marketing", False, field_name="news"),
    )
    assert [c.given for c in fields(TWO_BOXES, agree="", news="").consents] == [False, False]
    assert fields(name="Ivan").consents == (), "silence of a form that nobody configured is no answer"


def test_purpose_of_the_setting_goes_first_when_the_name_says_another() -> None:
    config = FormConfig(region="RU", consent_fields={"newsletter": "processing"})
    assert [(c.purpose, c.given) for c in fields(config, newsletter="1").consents] == [("processing", True)]


def test_consent_is_seen_among_the_fields_when_it_was_read() -> None:
    assert fields(agree="on", consent_text="see below").fields == {"agree": "on", "consent_text": "see below"}


def test_text_is_kept_when_hidden_fields_tell_it() -> None:
    sha256 = hashlib.sha256(b"words").hexdigest()
    inquiry = fields(
        agree="on", _consent_text="I agree.", _consent_text_id="v7", _consent_text_url="https://shop.example.com/c",
        _consent_sha256=sha256.upper(),
    )  # fmt: skip
    expected = Consent("processing", True, "I agree.", "v7", "https://shop.example.com/c", sha256, field_name="agree")
    assert inquiry.consents == (expected,)
    assert inquiry.fields == {"agree": "on"}


def test_each_box_has_its_own_text_when_the_snippet_tells_them() -> None:
    told = {"agree": {"text": "One", "text_id": "1"}, "news": {"text": "Two", "sha256": "nonsense"}}
    first, second = fields(TWO_BOXES, agree="on", News="on", _consents=told).consents
    assert (first.text, first.text_id, second.text, second.text_sha256) == ("One", "1", "Two", "")


def test_general_text_belongs_to_processing_when_there_are_two_boxes() -> None:
    first, second = fields(TWO_BOXES, agree="on", news="on", _consent_text="General", _consent_text_marketing="Letters").consents
    assert (first.text, second.text) == ("General", "Letters")


def test_label_is_the_text_when_the_box_sends_it() -> None:
    label = "Я согласен на обработку персональных данных"
    assert fields(agree=label).consents[0].text == label
    assert fields(Согласие_с_политикой_конфиденциальности="yes").consents[0].text == "Согласие с политикой конфиденциальности"


@pytest.mark.parametrize("value", [{"text": {"a": 1}}, ["x"], "text", 5, None, {}])
def test_nothing_breaks_when_the_told_texts_are_nonsense(value: Any) -> None:
    assert [c.given for c in fields(agree="on", _consents=value, _consent_text=["a"]).consents][:1] == [True]


def test_page_without_a_box_says_neither_yes_nor_no() -> None:
    inquiry = fields(name="Anna", phone="+79123456701", _consents=[])
    assert (inquiry.consents, "_consents" in inquiry.fields) == ((), False)


@pytest.mark.parametrize(
    "field, value, given",
    [
        ("Не хочу получать рассылку", "on", False), ("unsubscribe", "yes", False), ("do_not_accept_marketing", True, False),
        ("Отказ от рассылки", "1", False), ("newsletter", "on", True),
    ],
)  # fmt: skip
def test_box_that_refuses_is_no_consent_when_it_is_ticked(field: str, value: object, given: bool) -> None:
    [consent] = read({field: value}, Draft(), region="RU").consents
    assert (consent.purpose, consent.given) == ("marketing", given)


@pytest.mark.parametrize("value", ["off", "", False, "нет"])
def test_box_that_refuses_is_no_record_when_it_is_left_empty(value: object) -> None:
    assert read({"Не хочу получать рассылку": value}, Draft(), region="RU").consents == ()


@pytest.mark.parametrize(
    "name, value",
    [
        ("terms", "14 days"),
        ("accept_language", "de"),
        ("acceptance_date", "1"),
        ("subscription_id", "1"),
        ("Kabul", "hotel"),
        ("accept", "maybe"),
    ],
)
def test_field_that_only_sounds_like_a_consent_is_none(name: str, value: str) -> None:
    assert read({name: value}, Draft(), region="RU").consents == ()
