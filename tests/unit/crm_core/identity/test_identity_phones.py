"""Phone keys, case by case. The number in an id groups the rows of one case."""

from __future__ import annotations

import pytest

from crm_core.identity.numbering import region_of
from crm_core.identity.phones import e164, read_phones

MOBILE = "+79161234567"
OFFICE = "+74951234567"


def rows(
    text: str,
    region: str = "RU",
    kind: str = "form",
    area_code: str = "",
    blocked: frozenset[str] = frozenset(),
):
    """(value, strength) of every key."""
    keys = read_phones(text, region, kind=kind, area_code=area_code, blocked=blocked)  # type: ignore[arg-type]
    return [(key.value, key.strength) for key in keys]


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("8 (916) 123-45-67", [(MOBILE, "strong")], id="01-eight-and-brackets"),
        pytest.param("+7 916 123 45 67", [(MOBILE, "strong")], id="01-plus-seven"),
        pytest.param("79161234567", [(MOBILE, "strong")], id="01-seven-without-plus"),
        pytest.param("9161234567", [(MOBILE, "strong")], id="01-ten-digits"),
        pytest.param("+8 916 123-45-67", [(MOBILE, "strong")], id="02-plus-eight"),
        pytest.param("+89161234567", [(MOBILE, "strong")], id="02-plus-eight-bare"),
        pytest.param("8-10-375-29-123-45-67", [("+375291234567", "strong")], id="03-eight-ten"),
        pytest.param("8-10-380-44-1234567", [("+380441234567", "weak")], id="03-eight-ten-kyiv"),
        pytest.param("8 029 123-45-67", [], id="04-belarus-read-as-russia"),
        pytest.param("8 701 234-56-78", [("+77012345678", "strong")], id="05-kazakhstan"),
        pytest.param("123-45-67", [], id="07-local-without-area-code"),
        pytest.param("1234567", [], id="07-local-bare"),
        pytest.param("101", [], id="09-internal"),
        pytest.param("*100#", [], id="09-service-code"),
        pytest.param("доб. 12", [], id="09-only-an-extension"),
        pytest.param("8 916 123-45-67 или 8 495 123-45-67", [(MOBILE, "strong"), (OFFICE, "weak")], id="13-or"),
        pytest.param("89161234567, 84951234567", [(MOBILE, "strong"), (OFFICE, "weak")], id="13-comma"),
        pytest.param("89161234567 84951234567", [(MOBILE, "strong"), (OFFICE, "weak")], id="13-blank"),
        pytest.param("89161234567/84951234567", [(MOBILE, "strong"), (OFFICE, "weak")], id="13-slash"),
        pytest.param("8916 123-45-67 Ivan", [(MOBILE, "strong")], id="14-name-behind"),
        pytest.param("тел. 8 916 123 45 67 Иван", [(MOBILE, "strong")], id="14-label-and-name"),
        pytest.param("8916 1234567 WhatsApp", [(MOBILE, "strong")], id="14-messenger-behind"),
        pytest.param("8-916-123-45-67 (Иван), 8-926-123-45-68", [(MOBILE, "strong"), ("+79261234568", "strong")], id="14-names-between"),
        pytest.param("домашний: 123-45-67 моб 8 916 123 45 67", [(MOBILE, "strong")], id="14-local-and-mobile"),
        pytest.param("89161234567 с 9 до 18", [(MOBILE, "strong")], id="14-hours-behind"),
        pytest.param("89161234567 после 18:00", [(MOBILE, "strong")], id="14-time-behind"),
        pytest.param("Ivan2 89161234567", [(MOBILE, "strong")], id="14-digit-of-the-name"),
        pytest.param("8 916 123-45-67/8 926 123-45-68", [(MOBILE, "strong"), ("+79261234568", "strong")], id="13-slash-and-blanks"),
        pytest.param("8-800-555-35-35", [("+78005553535", "weak")], id="15-toll-free"),
        pytest.param("8-809-555-35-35", [("+78095553535", "weak")], id="15-premium"),
        pytest.param("8-800-РОССИЯ", [], id="16-too-short-a-word"),
        pytest.param("8-800-ГОСТИНИ", [("+78002566454", "weak")], id="16-cyrillic-keypad"),
        pytest.param("1-800-FLOWERS", [("+18003569377", "weak")], id="16-latin-keypad"),
        pytest.param("8-800-BANKRUS", [("+78002265787", "weak")], id="16-latin-word-russian-prefix"),
        pytest.param("+7 999 999-99-99", [("+79999999999", "blocked")], id="17-nines"),
        pytest.param("+7 900 000-00-00", [("+79000000000", "blocked")], id="17-zeros"),
        pytest.param("+7 777 777 77 77", [("+77777777777", "blocked")], id="17-sevens"),
        pytest.param("+7 123 456-78-90", [("+71234567890", "blocked")], id="17-row-of-keys"),
        pytest.param("8 (912) 345-67-89", [("+79123456789", "weak")], id="1-row-of-keys-valid-mobile"),
        pytest.param("8 998 765 43 21", [("+79987654321", "weak")], id="17-row-backwards"),
        pytest.param("8 901 234-56-78", [("+79012345678", "strong")], id="17-row-across-zero-is-a-number"),
        pytest.param("111-11-11", [], id="17-ones-local"),
        pytest.param("00000000000", [], id="17-only-zeros"),
        pytest.param("8 9O2 З45-12-З4", [("+79023451234", "strong")], id="23-homoglyphs"),
        pytest.param("8 916 l23 45 67", [(MOBILE, "strong")], id="23-l-for-one"),
        pytest.param("８９１６１２３４５６７", [(MOBILE, "strong")], id="22-full-width"),
        pytest.param("٨٩١٦١٢٣٤٥٦٧", [(MOBILE, "strong")], id="22-arabic-digits"),
        pytest.param("8 916 123 45 67", [(MOBILE, "strong")], id="22-no-break-spaces"),
        pytest.param("\u202a+7 916 123-45-67\u202c", [(MOBILE, "strong")], id="22-direction-marks"),
        pytest.param("8–916–123—45‒67", [(MOBILE, "strong")], id="22-dashes"),
        pytest.param(" 79161234567", [(MOBILE, "strong")], id="22-leading-space"),
        pytest.param("79161234567@c.us", [(MOBILE, "strong")], id="24-whatsapp-id"),
        pytest.param("https://wa.me/79161234567?text=hi", [(MOBILE, "strong")], id="24-wa-me"),
        pytest.param("tel:+7-916-123-45-67", [(MOBILE, "strong")], id="24-tel"),
        pytest.param("sip:+79161234567@pbx.example.com;user=phone", [(MOBILE, "strong")], id="24-sip"),
        pytest.param('"Ivan" <sip:+79161234567@192.0.2.1:5060>', [(MOBILE, "strong")], id="24-sip-with-name"),
        pytest.param("viber://chat?number=%2B79161234567", [(MOBILE, "strong")], id="24-viber"),
        pytest.param("+5215512345678", [("+525512345678", "strong")], id="25-mexico-old"),
        pytest.param("+525512345678", [("+525512345678", "strong")], id="25-mexico-new"),
        pytest.param("+54 11 4321-5678", [("+5491143215678", "strong")], id="25-argentina-without-9"),
        pytest.param("+54 9 11 4321-5678", [("+5491143215678", "strong")], id="25-argentina-with-9"),
        pytest.param("+55 11 8765-4321", [("+5511987654321", "weak")], id="25-brazil-eight-digits-and-a-row"),
        pytest.param("+55 85 8769-6383", [("+5585987696383", "strong")], id="25-brazil-eight-digits"),
        pytest.param("8916123456", [], id="29-possible-only"),
        pytest.param("+1 (555) 555-0123", [], id="29-possible-abroad"),
        pytest.param("+7 840 123-45-67", [("+78401234567", "weak")], id="30-abkhazia-fixed"),
        pytest.param("+7 940 123-45-67", [("+79401234567", "strong")], id="30-abkhazia-mobile"),
        pytest.param("+7 978 123-45-67", [("+79781234567", "strong")], id="30-978"),
        pytest.param("+7 3652 12-34-56", [("+73652123456", "weak")], id="30-3652"),
        pytest.param("+7 949 123-45-67", [("+79491234567", "strong")], id="30-949"),
        pytest.param("+7 959 123-45-67", [("+79591234567", "strong")], id="30-959"),
        pytest.param("007 916 1234567", [(MOBILE, "strong")], id="F56-double-zero"),
        pytest.param("+0079161234567", [(MOBILE, "strong")], id="F56-plus-double-zero"),
        pytest.param("+7+79161234567", [(MOBILE, "strong")], id="F56-mask-and-number"),
        pytest.param("+7 8 916 123 45 67", [(MOBILE, "strong")], id="F56-mask-and-eight"),
        pytest.param("375291234567", [("+375291234567", "strong")], id="F56-belarus-without-plus"),
        pytest.param("998901234567", [("+998901234567", "strong")], id="F56-uzbekistan-without-plus"),
        pytest.param("87011234567", [("+77011234567", "strong")], id="F56-kazakhstan"),
        pytest.param("80291234567", [], id="F56-belarus-in-russia"),
        pytest.param("+77 916 123 45 67", [], id="F56-twelve-digits"),
        pytest.param("1027700132195", [], id="F56-ogrn"),
        pytest.param("+7 (___) ___-__-__", [], id="F56-empty-mask"),
        pytest.param("+7", [], id="F56-only-the-code"),
        pytest.param("+7 (000) 000-00-00", [("+70000000000", "blocked")], id="F56-zeros-in-the-mask"),
    ],
)  # fmt: skip
def test_field_reads_as_keys_when_written_like_this(text: str, expected: list[tuple[str, str]]) -> None:
    assert rows(text) == expected


@pytest.mark.parametrize(
    "text, region, expected",
    [
        pytest.param("8 029 123-45-67", "BY", "+375291234567", id="04-belarus-at-home"),
        pytest.param("80291234567", "BY", "+375291234567", id="F56-belarus-at-home-bare"),
        pytest.param("0441234567", "UA", "+380441234567", id="F56-ukraine"),
        pytest.param("8 044 123-45-67", "UA", "+380441234567", id="11x-ukraine-with-eight"),
        pytest.param("901234567", "UZ", "+998901234567", id="F56-uzbekistan"),
        pytest.param("8 90 123 45 67", "UZ", "+998901234567", id="11x-uzbekistan-with-eight"),
        pytest.param("(85) 98769-6383", "BR", "+5585987696383", id="F56-brazil"),
        pytest.param("07911 123456", "GB", "+447911123456", id="F56-britain"),
        pytest.param("79161234567", "US", MOBILE, id="11x-pbx-digits-in-us"),
        pytest.param("79161234567", "DE", MOBILE, id="11x-pbx-digits-in-de"),
        pytest.param("030/1234567", "DE", "+49301234567", id="11x-german-slash"),
        pytest.param("+81 3 1234 5678", "RU", "+81312345678", id="02-japan-is-not-plus-eight"),
        pytest.param("8-800-555-35-35", "KZ", "+78005553535", id="15-toll-free-in-kz"),
    ],
)
def test_number_is_read_when_region_differs(text: str, region: str, expected: str) -> None:
    assert e164(text, region) == expected


def test_plus_eight_is_flagged_when_repaired() -> None:
    assert read_phones("+8 916 123-45-67", "RU", kind="form")[0].flags == ("fixed",)


def test_homoglyphs_are_flagged_when_repaired() -> None:
    assert read_phones("9O2 З45 12 34", "RU", kind="form")[0].flags == ("homoglyph",)


@pytest.mark.parametrize("text", ["8 701 234-56-78", "87012345678", "+7 7172 12-34-56"])
def test_region_is_kazakhstan_when_default_is_russia(text: str) -> None:  # cases 5, 6
    assert region_of(read_phones(text, "RU", kind="form")[0].value) == "KZ"


@pytest.mark.parametrize(
    "text, code, expected",
    [
        pytest.param("123-45-67", "495", [(OFFICE, "weak")], id="07-moscow"),
        pytest.param("12-34-56", "3462", [("+73462123456", "weak")], id="08-surgut"),
        pytest.param("12-34-5", "34622", [("+73462212345", "weak")], id="08-five-digits"),
        pytest.param("12-34-56", "495", [], id="08-code-does-not-fit"),
        pytest.param("111-11-11", "495", [("+74951111111", "blocked")], id="17-ones-with-code"),
        pytest.param("101", "495", [], id="09-internal-with-code"),
    ],
)
def test_local_number_takes_the_area_code_when_it_fits(text: str, code: str, expected: list[tuple[str, str]]) -> None:
    assert rows(text, area_code=code) == expected


@pytest.mark.parametrize(
    "tail, extension",
    [
        (" доб. 12", "12"), (" доб12", "12"), (" (доб. 12)", "12"), (" вн. 12", "12"), (" внутр.12", "12"),
        (" внутренний 12", "12"), (" доп. 12", "12"), (" добавочный 12", "12"), ("*12", "12"), ("#123", "123"),
        (",123", "123"), (";ext=12", "12"), (" ext. 12", "12"), (" x12", "12"), (" доб. № 12", "12"), (", доб. 12", "12"),
    ],
)  # fmt: skip
def test_extension_is_kept_beside_the_number_when_written(tail: str, extension: str) -> None:  # cases 10, 11
    keys = read_phones("8 495 123-45-67" + tail, "RU", kind="form")
    assert [(key.value, key.strength, key.extension) for key in keys] == [(OFFICE, "weak", extension)]


def test_sibling_is_a_guess_when_written_with_a_slash() -> None:  # case 12
    written, guessed = read_phones("+7 916 123-45-67/68", "RU", kind="form")
    assert (written.value, written.strength, written.is_guess) == (MOBILE, "strong", False)
    assert (guessed.value, guessed.strength, guessed.is_guess) == ("+79161234568", "weak", True)


@pytest.mark.parametrize(
    "text",
    ["anonymous", "Anonymous", "Скрыт", "скрытый номер", "withheld", "Restricted", "unknown", "+266696687", "0", "", " ",
     "<anonymous>", "private", "нет"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["form", "ani"])
def test_no_key_when_caller_is_withheld(text: str, kind: str) -> None:  # case 18
    assert rows(text, kind=kind) == []


def test_siblings_are_guesses_when_there_are_several() -> None:
    keys = read_phones("+7 916 123-45-66/67/68", "RU", kind="form")
    assert [(key.value, key.is_guess) for key in keys] == [("+79161234566", False), (MOBILE, True), ("+79161234568", True)]


SECOND = "+79261234568"


@pytest.mark.parametrize(
    "text",
    [
        "8 916 123-45-67, tel: 89261234568", "89161234567 wa.me/79261234568", "89161234567, https://wa.me/79261234568?text=hi",
        "tel:89161234567, tel:89261234568", "whatsapp:+79161234567 viber:+79261234568", "sip:+79161234567@pbx; sip:+79261234568@pbx",
        "8916123456789261234568", "+7 916 123 45 67+7 926 123 45 68", "9161234567 9261234568", "916-123-45-67, 926-123-45-68",
        "8 916 123-45-67 либо 8 926 123-45-68 Иван", "8 916 123-45-67 | 8 926 123-45-68", "8.916.123.45.67 / 8.926.123.45.68",
        "Анна 8-916-123-45-67, Олег 8-926-123-45-68", "89161234567 (Анна) 89261234568 (Олег)", "тел:+79161234567; моб: +79261234568",
        "8 916 123-45-67 (whatsapp) 8 926 123-45-68 (viber)", "8 916 123-45-67\n8 926 123-45-68", "8 916 123-45-67 + 8 926 123-45-68",
        "8-10-7-916-123-45-67, жена 8 926 123 45 68",
    ],
)  # fmt: skip
def test_every_number_of_a_field_is_read(text: str) -> None:  # cases 13, 14, 24
    assert rows(text) == [(MOBILE, "strong"), (SECOND, "strong")]


def test_extension_stays_with_its_number_when_a_field_has_several() -> None:  # case 10
    keys = read_phones("8 495 123-45-67 доб. 12; 8 495 123-45-68 доб 34, tel: 89161234567", "RU", kind="form")
    assert [(key.value, key.extension) for key in keys] == [(OFFICE, "12"), ("+74951234568", "34"), (MOBILE, "")]
    assert read_phones("tel:+79161234567,,12", "RU", kind="form")[0].extension == "12"


@pytest.mark.parametrize(
    "text, region, expected",
    [
        pytest.param("+79161234567 89161234567 tel:9161234567", "RU", [MOBILE], id="01-one-number-in-three-spellings"),
        pytest.param("87012345678", "RU", ["+77012345678"], id="06-kazakhstan-is-no-region-of-russia"),
        pytest.param("8 495 123-45-67 доб. 12", "RU", [OFFICE], id="10-one-line"),
        pytest.param("8 (916) 123-45-67 Олег, +375 29 123-45-67 Анна", "RU", [MOBILE, "+375291234567"], id="13-two-countries"),
        pytest.param("89161234567@s.whatsapp.net", "RU", [MOBILE], id="24-whatsapp-host"),
        pytest.param("+54 11 5555-4321 +54 9 11 5555-4321", "AR", ["+5491155554321"], id="25-argentina-twice"),
        pytest.param("+7 840 229-12-34", "RU", ["+78402291234"], id="30-abkhazia"),
    ],
)
def test_numbers_of_a_field_are_these(text: str, region: str, expected: list[str]) -> None:
    assert [key.value for key in read_phones(text, region, kind="form")] == expected


def test_possible_number_is_a_key_only_when_an_exchange_says_it() -> None:  # case 29
    number = "+7 577 123-45-61"  # no range of the plan that libphonenumber has
    assert rows(number, kind="ani") == [("+75771234561", "weak")]
    assert read_phones(number, "RU", kind="ani")[0].flags == ("possible",)
    assert rows(number, kind="form") == []
    assert rows(f"тел. {number}", kind="text") == []


def test_own_line_is_blocked_when_it_shows_as_caller() -> None:  # cases 26, 27
    assert rows("84951234567", kind="ani", blocked=frozenset({OFFICE})) == [(OFFICE, "blocked")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ИНН 7717771514", id="19-inn"),
        pytest.param("наша организация 7717771514, Москва", id="19-inn-without-label"),
        pytest.param("Заказ №89161234567", id="20-order"),
        pytest.param("заказ 89161234567 не пришёл", id="20-order-without-sign"),
        pytest.param("Номер заказа 89161234567", id="20-number-of-an-order"),
        pytest.param("4276 3800 1234 5678", id="21-card"),
        pytest.param("р/с 40817810099910004312", id="21-account"),
        pytest.param("к/с 30101810400000000225 БИК 044525225", id="21-account-and-bank"),
        pytest.param("112-233-445 95", id="21-snils"),
        pytest.param("паспорт 4509 123456", id="21-passport"),
        pytest.param("4509 123456", id="21-passport-without-label"),
        pytest.param("45 09 123456", id="21-passport-in-three"),
        pytest.param("с 12.03.2024-15.03.2024", id="21-date-range"),
        pytest.param("12.03.2024 15.03.2024", id="21-two-dates"),
        pytest.param("ОГРН 1027700132195", id="21-ogrn"),
        pytest.param("бюджет 8 000 000 000 руб", id="21-sum"),
        pytest.param("9O2 З45 12-34", id="23-homoglyphs-are-not-read-in-prose"),
        pytest.param("ivan79161234567@example.com", id="24-digits-of-an-address"),
        pytest.param("79161234567@example.com", id="24-address-of-digits"),
        pytest.param("192.168.100.101", id="21-ip-address"),
        pytest.param("трек 80083412345678", id="21-parcel"),
    ],
)
def test_prose_has_no_phone_when_digits_mean_something_else(text: str) -> None:
    assert rows(text, kind="text") == []


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Позвоните мне 8 916 123-45-67 после 18:00", [(MOBILE, "strong")]),
        ("мой номер 9161234567", [(MOBILE, "strong")]),
        ("Заказ 15, тел. 89161234567", [(MOBILE, "strong")]),
        ("тел. заказчика 89161234567", [(MOBILE, "strong")]),
        ("договор 5, +79161234567", [(MOBILE, "strong")]),
        ("89161234567", [(MOBILE, "strong")]),
        ("(495) 123-45-67", [(OFFICE, "weak")]),
        ("8 916 123-45-67 8 495 123-45-67", [(MOBILE, "strong"), (OFFICE, "weak")]),
        ("+7 495 123-45-67 доб. 12", [(OFFICE, "weak")]),
        ("Какая цена? 89161234567", [(MOBILE, "strong")]),
        ("№ 8-916-123-45-67", [(MOBILE, "strong")]),
        ("WhatsApp: 79161234567", [(MOBILE, "strong")]),
        ("пишите https://wa.me/79161234567", [(MOBILE, "strong")]),
        ("тел 8-10-375-29-123-45-67", [("+375291234567", "strong")]),
        ("2024-01-15 10:30 89161234567", [(MOBILE, "strong")]),
    ],
)
def test_prose_has_a_phone_when_it_says_so(text: str, expected: list[tuple[str, str]]) -> None:
    assert rows(text, kind="text") == expected


def test_extension_is_found_when_it_stands_in_prose() -> None:
    assert read_phones("звоните +7 495 123-45-67 (доб. 12)", "RU", kind="text")[0].extension == "12"


def test_at_most_ten_keys_when_a_field_holds_a_list() -> None:
    many = ",".join(f"+7916{n:07d}" for n in range(1230000, 1230060))
    assert len(read_phones(many, "RU", kind="form")) == 10
    assert len(read_phones(many, "RU", kind="text")) == 10
