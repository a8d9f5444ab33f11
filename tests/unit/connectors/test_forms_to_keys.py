"""From the body of a post to the keys by which a person is known: phones, names and addresses as people write them.

The numbers in comments are those of the list of cases for forms.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from connectors.forms.generic_form import CONNECTOR
from connectors.kit import Request
from crm_core.identity.emails import read_emails
from crm_core.identity.names import clean_name
from crm_core.identity.phones import read_phones
from crm_core.parsed import Inquiry

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def posted(field: str, value: str, region: str = "RU", *, as_json: bool = False) -> Inquiry:
    body = json.dumps({field: value}).encode() if as_json else f"{quote(field)}={quote(value)}".encode()
    config = CONNECTOR.config_model(region=region, timezone="Europe/Moscow")
    (inquiry,) = CONNECTOR.parse(Request("POST", "", "", {}, body, NOW), config)
    assert isinstance(inquiry, Inquiry)
    return inquiry


def phones_of(value: str, region: str = "RU") -> list[tuple[str, str]]:
    """(E.164, strength) of everything that the phones of the inquiry give; the same for a form and for JSON."""
    found = [
        [
            (key.value, key.strength)
            for phone in posted("phone", value, region, as_json=as_json).phones
            for key in read_phones(phone, region, kind="form")
        ]
        for as_json in (False, True)
    ]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    "value",
    [
        "8 (912) 345-67-41", "9123456741", "79123456741", "+8 912 345 67 41", "+89123456741", "007 912 3456741",
        "тел. 8 912 345 67 41 Иван", "8912 3456741 WhatsApp", "tel:+7-912-345-67-41", "+7+79123456741",
        "８９１２３４５６７４１", " 79123456741", "+7 (912) 345-67-41 ", "8-912-345-67-41 доб. 123", "whatsapp:+79123456741",
    ],
)  # fmt: skip
def test_number_is_this_one_when_written_in_any_way(value: str) -> None:  # 56
    assert phones_of(value)[0] == ("+79123456741", "strong")


def test_both_numbers_are_kept_when_one_field_holds_two() -> None:  # 56
    assert [value for value, _ in phones_of("89123456741, 84951234567")] == ["+79123456741", "+74951234567"]


def test_extension_is_kept_when_it_was_written() -> None:  # 56
    (phone,) = posted("phone", "8 (495) 123-45-67 доб. 123").phones
    (key,) = read_phones(phone, "RU", kind="form")
    assert (key.value, key.extension) == ("+74951234567", "123")


@pytest.mark.parametrize(
    "value, region, e164",
    [
        ("8-10-380-44-1234567", "RU", "+380441234567"),
        ("375291234567", "RU", "+375291234567"),
        ("998901234567", "RU", "+998901234567"),
        ("87011234567", "RU", "+77011234567"),
        ("80291234567", "BY", "+375291234567"),
        ("0441234567", "UA", "+380441234567"),
        ("901234567", "UZ", "+998901234567"),
        ("(85) 98769-6383", "BR", "+5585987696383"),
        ("07911 123456", "GB", "+447911123456"),
    ],
)
def test_number_is_of_its_country_when_it_says_or_the_source_does(value: str, region: str, e164: str) -> None:  # 56
    assert phones_of(value, region)[0][0] == e164


@pytest.mark.parametrize("value", ["8912345674", "1234567", "80291234567", "+1 (555) 555-0123"])
def test_number_joins_nobody_when_it_is_only_possible(value: str) -> None:  # 56
    assert posted("phone", value).phones == (value,), "it is kept as it was written"
    assert all(strength != "strong" for _, strength in phones_of(value))


@pytest.mark.parametrize("value", ["00000000000", "+77 912", "1027700132195"])
def test_number_is_only_kept_when_no_plan_knows_it(value: str) -> None:  # 56
    assert value in posted("phone", value).phones or posted("phone", value).fields == {"phone": value}
    assert all(strength == "blocked" for _, strength in phones_of(value))


@pytest.mark.parametrize("value", ["+7 (___) ___-__-__", "+7", "", "нет"])
def test_there_is_no_number_when_the_mask_was_left_empty(value: str) -> None:  # 56
    assert posted("phone", value).phones == ()


@pytest.mark.parametrize("value", ["7707083893", "1027700132195", "4012345678"])
def test_long_number_is_no_phone_when_its_field_is_something_else(value: str) -> None:
    for field in ("inn", "ИНН", "order_id", "Номер заказа", "паспорт"):
        assert posted(field, value).phones == ()


@pytest.mark.parametrize(
    "value, name",
    [
        ("ИВАНОВ ИВАН", "Иванов Иван"),
        ("иванов иван иванович", "Иванов Иван Иванович"),
        ("Иванов Иван Иванович", "Иванов Иван Иванович"),
        ("Мамедов Али Гусейн оглы", "Мамедов Али Гусейн оглы"),
        ("Иван 👍", "Иван"),
        ("  Иван\tПетров ", "Иван Петров"),
        ("https://spam.example.com", ""),
        ("www.spam.example.com", ""),
        ("+7 912 345-67-41", ""),
        ("89123456741", ""),
        ("-", ""), (".", ""), ("test", ""), ("asd", ""), ("тест", ""),
        ("\u202eнавИ", "навИ"),
    ],
)  # fmt: skip
def test_name_is_clean_when_it_was_written_somehow(value: str, name: str) -> None:  # 57, 26
    assert clean_name(posted("name", value).name) == name


def test_name_of_the_form_is_no_persons_when_there_is_no_other() -> None:  # 57
    for field in (
        "form_name",
        "formname",
        "Form Name",
        "company",
        "product_name",
        "campaign_name",
        "utm_campaign",
    ):
        assert posted(field, "Иван").name == ""


@pytest.mark.parametrize(
    "value, keys",
    [
        ("ivan@example.com ", ["ivan@example.com"]),
        ("mailto:ivan@example.com", ["ivan@example.com"]),
        ("Ivan <IVAN@Example.COM>", ["ivan@example.com"]),
        ("иван@почта.рф", ["иван@xn--80a1acny.xn--p1ai"]),
        ("ivan@example.com, petr@example.org", ["ivan@example.com", "petr@example.org"]),
        ("ivan@example", []),
        ("@ivan", []),
    ],
)
def test_address_is_this_one_when_written_in_any_way(value: str, keys: list[str]) -> None:  # 58
    found = [key.value for email in posted("email", value).emails for key in read_emails(email) if not key.is_guess]
    assert found == keys


def test_address_is_kept_and_another_suggested_when_it_is_mistyped() -> None:  # 58
    (email,) = posted("email", "ivan.p@gmail.con").emails
    typed, *suggested = read_emails(email)
    assert email == "ivan.p@gmail.con", "nothing is rewritten silently"
    assert "typo" in typed.flags
    assert typed.strength == "weak"
    assert any(key.value.endswith("@gmail.com") and key.is_guess for key in suggested)
