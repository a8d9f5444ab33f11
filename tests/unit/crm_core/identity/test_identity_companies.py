"""Companies: numbers with checksums, names without legal forms, domains that stand for one. Cases 53 to 55 and 81."""

from __future__ import annotations

import random

import pytest

from crm_core.identity.companies import Company, company_name_key, compare_companies, inn, kpp, ogrn, read_company
from crm_core.identity.company_domains import company_domain


@pytest.mark.parametrize(
    "text, number",
    [
        ("7707083893", "7707083893"), (" 77 0708 3893 ", "7707083893"), ("7736050003", "7736050003"), ("7736207543", "7736207543"),
        ("500100732259", "500100732259"), ("7707083894", ""), ("500100732258", ""), ("0000000000", ""), ("000000000000", ""), ("1111111111", ""),
        ("0000000019", ""), ("770708389", ""), ("77070838931", ""), ("", ""), ("ромашка", ""), ("٧٧٠٧٠٨٣٨٩٣", ""), ("²²²²²²²²²²", ""),
    ],
)  # fmt: skip
def test_inn_is_read_when_its_checksum_is_right(text: str, number: str) -> None:
    assert inn(text) == number


@pytest.mark.parametrize(
    "text, number",
    [
        ("1027700132195", "1027700132195"), ("1027700070518", "1027700070518"), ("1027700229193", "1027700229193"),
        ("304500116000157", "304500116000157"), ("1027700132194", ""), ("304500116000158", ""), ("2027700132193", ""), ("1110011111111", ""),
        ("3333333333333", ""), ("0000000000000", ""), ("", ""), ("1027700132195x", ""),
    ],
)  # fmt: skip
def test_ogrn_is_read_when_its_checksum_is_right(text: str, number: str) -> None:
    assert ogrn(text) == number


@pytest.mark.parametrize(
    "text, code",
    [
        ("773601001", "773601001"),
        ("7736 01 001", "773601001"),
        ("77360A001", "77360A001"),
        ("003601001", ""),
        ("111111111", ""),
        ("7736", ""),
    ],
)
def test_kpp_is_read_when_it_has_its_shape(text: str, code: str) -> None:
    assert kpp(text) == code


def test_one_wrong_digit_is_noticed_wherever_it_is() -> None:
    rng = random.Random(9)
    for reader, number in ((inn, "7707083893"), (inn, "500100732259"), (ogrn, "1027700132195"), (ogrn, "304500116000157")):
        noticed = 0
        for place in range(len(number)):
            other = rng.choice([digit for digit in "0123456789" if digit != number[place]])
            noticed += reader(number[:place] + other + number[place + 1 :]) == ""
        assert noticed >= len(number) - 1  # a remainder of ten is written as nought, so that one change in many passes


@pytest.mark.parametrize(
    "name",
    [
        "ООО «Ромашка»", "Ромашка, ООО", "ROMASHKA LLC", 'ООО "Ромашка"', "Общество с ограниченной ответственностью «Ромашка»", "O.O.O. Romashka",
        "ООO Ромашка", "ромашка", "Romashka Sp. z o.o.", "Ромашка Ltd.", "«Ромашка»", "ТОО Ромашка", "АО ТД Ромашка", "Группа компаний Ромашка",
    ],
)  # fmt: skip
def test_legal_form_and_quotes_do_not_count_when_names_are_compared(name: str) -> None:  # case 54
    assert company_name_key(name) == "romaSka"


@pytest.mark.parametrize(
    "name, key",
    [
        ("ООО", ""), ("ИП", ""), ("", ""), ("«»", ""), ("ООО 1С-Рарус", "1 s rarus"), ("Завод 5", "zavod 5"), ("ИП Иванов И.И.", "ivanov i i"),
        ("Иванов И. И., ИП", "ivanov i i"), ("Банк ВТБ (ПАО)", "bank vtb"), ("株式会社", "株式会社"),
    ],
)  # fmt: skip
def test_name_key_keeps_what_tells_companies_apart(name: str, key: str) -> None:
    assert company_name_key(name) == key


def test_numbers_are_read_out_of_a_signature_when_they_are_labelled() -> None:
    text = "С уважением, Анна\nООО «Ромашка», ИНН/КПП: 7707083893/773601001, ОГРН 1027700132195, тел. 8 916 123-45-67"
    assert read_company(text=text, emails=["anna@gmail.com", "Anna@mail.romashka.ru"]) == Company(
        "7707083893", "773601001", "1027700132195", "romashka.ru"
    )


@pytest.mark.parametrize(
    "text", ["Звоните 7707083893", "заказ 7707083893", "ИНН 7707083894", "счёт 500100732259", "ИНН: уточняется", "ИНН" * 9000]
)
def test_no_number_is_read_when_it_has_no_label_or_is_wrong(text: str) -> None:
    assert read_company(text=text) == Company()


def test_numbers_of_a_field_and_of_the_name_are_read() -> None:
    found = read_company('ООО "Ромашка" ИНН 7707083893', numbers=["773601001"])
    assert (found.inn, found.kpp, found.name, found.name_key) == ("7707083893", "773601001", 'ООО "Ромашка"', "romaSka")
    assert read_company(numbers=["7707083893/773601001"]).keys[0].value == "7707083893"


@pytest.mark.parametrize(
    "one, two, verdict",
    [
        (read_company("ООО «Ромашка»", numbers=["7707083893"]), read_company("ROMASHKA LLC", numbers=["7707083893"]), "same"),
        (read_company(numbers=["7707083893", "773601001"]), read_company(numbers=["7707083893", "784243001"]), "branch"),
        (read_company("Ромашка", numbers=["7707083893"]), read_company("Ромашка", numbers=["7736050003"]), "other"),
        (read_company("Ромашка", numbers=["1027700132195"]), read_company("Лютик", numbers=["1027700132195"]), "same"),
        (read_company(emails=["a@firma.ru"]), read_company(emails=["b@mail.firma.ru"]), "same"),
        (read_company(emails=["a@gmail.com"]), read_company(emails=["b@gmail.com"]), "unknown"),
        (read_company("ООО «Ромашка»"), read_company("Ромашка, АО"), "similar"),
        (read_company("ООО"), read_company("ООО"), "unknown"),
        (read_company("Ромашка"), read_company("Лютик"), "unknown"),
    ],
)
def test_companies_compare_by_number_before_domain_before_name(one: Company, two: Company, verdict: str) -> None:  # cases 54, 81
    assert compare_companies(one, two) == verdict
    assert compare_companies(two, one) == verdict


@pytest.mark.parametrize(
    "address, domain",
    [
        ("info@firma.ru", "firma.ru"), ("A@Mail.FIRMA.ru", "firma.ru"), ("a@sales.firma.co.uk", "firma.co.uk"), ("a@firma.spb.ru", "firma.spb.ru"),
        ("info@окна.рф", "xn--80atjc.xn--p1ai"), ("https://www.firma.ru/x?y=1", "firma.ru"), ("firma.ru:8080", "firma.ru"),
        ("ivan@gmail.com", ""), ("ivan@mail.ru", ""), ("ivan@corp.mail.ru", ""), ("ivan@internet.ru", ""), ("ivan@yandex.kz", ""), ("ivan@km.ru", ""),
        ("a1@privaterelay.appleid.com", ""), ("x@mailinator.com", ""), ("x@ivan.fastmail.com", ""), ("x@gmail.con", ""), ("x@yanedx.ru", ""),
        ("x@firma.tilda.ws", ""), ("x@firma.wixsite.com", ""), ("x@reply.avito.ru", ""), ("x@localhost", ""), ("x@firma.rru", ""), ("x@co.uk", ""),
        ("", ""), ("x@", ""), ("x@" + "a" * 300 + ".ru", ""), ("x@\ud800.ru", ""), ("x@..ru", ""),
    ],
)  # fmt: skip
def test_domain_is_a_company_when_not_open_to_everybody(address: str, domain: str) -> None:  # cases 41, 44, 55, 81
    assert company_domain(address) == domain
