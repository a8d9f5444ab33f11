"""What a field's name means, in the languages of forms, and what it must not be taken for."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.kit.forms.read_form import Draft, read
from connectors.kit.forms.roles import is_no_number, role_of
from crm_core.parsed import Inquiry


@pytest.mark.parametrize(
    "role, names",
    [
        ("phone", "phone|Tel|tel-123|your-tel|Ваш телефон|Телефон*|номер_телефона|contact_phone|phone_1|q8_telefonecom"),
        ("phone", "טלפון|電話番号|τηλέφωνο|móvil|Téléphone|PHONE_NUMBER|phoneNumber|mobile_phone|Телефон для связи|전화|هاتف"),
        ("email", "email|E-mail|your-email|_replyto|Почта|Эл.почта|Электронная почта|имейл|correo|メール|邮箱|user_email|Email Address"),
        ("name", "name|Name|your-name|Имя|Ваше имя|ФИО|full_name|Как к вам обращаться|nombre|nom|姓名|お名前|שם|client_name|name1|contact[name]"),
        ("first_name", "first_name|First Name|fname|vorname"),
        ("last_name", "last_name|Фамилия|surname|apellido|nachname"),
        ("message", "message|your-message|Комментарий|Сообщение|Ваш вопрос|comments|Комментарий к заказу|mensaje|Nachricht"),
        ("company", "company|Компания|company_name|Название компании|Organization"),
        ("messenger", "whatsapp|Telegram|WhatsApp номер|Ваш ник в Telegram|telegram_username|viber-1|vk|Skype"),
        ("page_title", "page_title|Page Title|pageName"),
        ("file", "file-1|Прикрепите файл|upload|attachments|Резюме|datei|pièce-fichier"),
        ("proof", "_t|altcha|leadhub-time|_script"),
        ("first", "first_utm_source|ft_source|utm_campaign_first|initial_referrer|first_landing_page|first_gclid"),
        ("cookies", "COOKIES|TILDAUTM"),
        ("title", "subject|your-subject|Тема"),
        ("form_name", "form_name|formname|Form Name"),
        ("form_id", "form_id|formid"),
        ("consent", "Согласие_с_политикой_конфиденциальности|consent-email|agree|gdpr_phone|Я согласен на обработку персональных данных"),
        ("tech", "g-recaptcha-response|csrf_token|_wpnonce|__RequestVerificationToken|_wpcf7_unit_tag|formservices[]|action|state_2|sessid"),
        ("utm", "utm_source|UTM-Medium|utm_referrer"),
        ("click_id", "gclid|yclid|_openstat|FBCLID"),
        ("client_id", "_ga|_ym_uid|roistat_visit|hubspotutk"),
        ("", "username|user_name|product_name|campaign_name|nickname|Модель телефона|phone_model|Удобное время звонка|номер заказа|email_subject"),
        ("", "test|text-123|Город|budget|Имя ребенка|file_name|order_id|menu-1"),
    ],
)  # fmt: skip
def test_role_is_found_when_named_so(role: str, names: str) -> None:
    assert {name: role_of(name) for name in names.split("|")} == dict.fromkeys(names.split("|"), role)


def test_label_and_type_count_when_the_name_says_nothing() -> None:
    assert role_of("field_6f8642e", "טלפון") == "phone"
    assert role_of("field_6f8642e", "?", "tel") == "phone"
    assert role_of("question_ElZ96L", "Full Name", "INPUT_TEXT") == "name"


def test_number_is_something_else_when_its_name_says_so() -> None:
    assert all(map(is_no_number, ("order", "ИНН", "price_total", "Дата рождения", "user id")))
    assert not any(map(is_no_number, ("field_1", "контакт", "answer")))


def fields(**data: Any) -> Inquiry:
    return read(data, Draft(), region="RU")


def test_everything_is_kept_when_not_understood() -> None:
    inquiry = fields(name="Ivan", Город="Тверь", _gotcha="x", empty="", n=5, flag=False, agree="on")
    assert inquiry.name == "Ivan"
    assert inquiry.antispam_fields == {"honeypot": "_gotcha=x"}
    assert inquiry.fields == {
        "Город": "Тверь",
        "empty": "",
        "n": 5,
        "flag": False,
        "agree": "on",
    }


def test_value_stays_a_field_when_it_does_not_fit_its_name() -> None:
    inquiry = fields(phone="+7 (___) ___-__-__", email="none", name="x" * 300)
    assert (inquiry.phones, inquiry.emails, inquiry.name) == ((), (), "")
    assert set(inquiry.fields) == {"phone", "email", "name"}


def test_name_is_put_together_when_sent_in_parts() -> None:
    assert fields(first_name="Ivan", last_name="Petrov").name == "Ivan Petrov"
    assert fields(Фамилия="Петров", Имя="Иван", Отчество="Ильич").name == "Иван Ильич Петров"
    assert fields(q6_nome={"first": "Ana ", "last": "Souza "}).name == "Ana Souza"
    assert fields(form_name="Contact", product={"name": "Kitchen"}).name == ""


def test_numbers_are_all_kept_when_there_are_several() -> None:
    inquiry = fields(phone="8 912 345-67-41", whatsapp="8 912 345-67-42", tel="8 912 345-67-41")
    assert inquiry.phones == ("8 912 345-67-41", "8 912 345-67-42")
    assert fields(phone=15550100).phones == ("15550100",)
    assert fields(q8_telefone={"area": "81", "phone": "999888559"}).phones == ("(81) 999888559",)


def test_value_decides_when_no_name_does() -> None:
    inquiry = fields(a="8 (912) 345-67-43", b="ivan@example.com", inn="7707083893", order="89123456744", zip="1234567890")
    assert (inquiry.phones, inquiry.emails) == (("8 (912) 345-67-43",), ("ivan@example.com",))
    assert inquiry.warnings == ("email_by_value", "phone_by_value")
    assert set(inquiry.fields) == {"inn", "order", "zip"}


def test_descriptions_of_builders_are_understood_when_nested() -> None:
    data: dict[str, Any] = {
        "fields": [
            {"objectTypeId": "0-1", "name": "firstname", "value": "Anna"},
            {"name": "mobilephone", "value": "+7 912 345-67-45"},
            {"name": "colour", "value": "red"},
        ],
        "context": {"pageUri": "https://shop.example.com/?utm_source=q", "hutk": "h1"},
    }
    inquiry = read(data, Draft(), region="RU")
    assert (inquiry.name, inquiry.phones) == ("Anna", ("+7 912 345-67-45",))
    assert inquiry.fields == {"fields": [{"name": "colour", "value": "red"}]}
    assert inquiry.attribution.utm == {"utm_source": "q"}
    assert inquiry.attribution.client_ids == {"hubspotutk": "h1"}


def test_marks_are_filled_when_sent_or_in_the_address() -> None:
    inquiry = fields(
        utm_source="ya",
        utm_term="{keyword}",
        utm={"medium": "cpc"},
        url="https://shop.example.com/?utm_source=other&utm_campaign=%D0%BB&gclid=" + "g" * 600 + "&x=1",
        _ga="GA1.2.111.222",
        referrer="https://search.example.com/?utm_content=c",
        utm_id="%25D0%25BB",
    )
    attribution = inquiry.attribution
    assert attribution.utm["utm_source"] == "ya"
    assert attribution.utm["utm_medium"] == "cpc"
    assert attribution.utm["utm_campaign"] == "л"
    assert attribution.utm["utm_content"] == "c"
    assert "utm_term" not in attribution.utm
    assert len(attribution.click_ids["gclid"]) == 512
    assert attribution.client_ids == {"ga": "111.222"}
    assert inquiry.fields == {}


@pytest.mark.parametrize("macro", ["{keyword}", "{{ad.id}}", "__CID__", "[utm_source]", "%CAMPAIGN%", "undefined", "null"])
def test_mark_is_empty_when_its_macro_was_not_expanded(macro: str) -> None:
    assert fields(utm_source=macro).attribution.utm == {}


@pytest.mark.parametrize(
    "sent, name",
    [
        ({"name": "Website Lead", "firstname": "Ines", "lastname": "Exemplo"}, "Ines Exemplo"),
        ({"name": "login77", "first_name": "Ines", "last_name": "Exemplo"}, "Ines Exemplo"),
        ({"name": "Анна", "last_name": "Примерова", "owner_name": "Sales Manager"}, "Анна Примерова"),
        ({"first_name": "Анна", "acct_name": "Пример ООО", "operationName": "sendLead"}, "Анна"),
        ({"name-1-prefix": "Mrs", "name-1-first-name": "Anna", "name-1-last-name": "Muster"}, "Anna Muster"),
        (
            {"inf_field_FirstName": "Anna", "inf_field_LastName": "Muster", "inf_form_name": "Contact"},
            "Anna Muster",
        ),
        ({"product_first_name": "Chair", "company_last_name": "AG"}, ""),
        ({"firstname": "Ann", "lastname": "Muster", "contact_name": "Ольга Примерова"}, "Ann Muster"),
        ({"Name": "first = Ada\nlast = Sample"}, "Ada Sample"),
        ({"sform": {"0JjQvNGP": "Иван"}}, "Иван"),
        ({"ctl00$Main$txtFirstName": "Kees", "ctl00$Main$txtCompanyName": "Voorbeeld BV"}, "Kees"),
    ],
)
def test_person_is_the_one_who_asks_when_others_have_names_too(sent: dict[str, Any], name: str) -> None:
    inquiry = fields(**sent)
    assert inquiry.name == name
    kept = repr(inquiry.fields)
    for other in ("Website Lead", "login77", "Sales Manager", "Пример ООО", "Chair", "Ольга Примерова"):
        assert other not in repr(sent) or other in kept


@pytest.mark.parametrize("value", ["0", "1"])
def test_message_is_none_when_a_builder_sends_a_switch(value: str) -> None:
    inquiry = fields(name="Анна", meta_message=value)
    assert inquiry.message == ""
    assert inquiry.fields == {"meta_message": value}


def test_copy_address_is_not_the_persons_when_a_crm_sends_it() -> None:
    inquiry = fields(email="rita@example.com", cc_email="deal@example.org")
    assert inquiry.emails == ("rita@example.com",)
