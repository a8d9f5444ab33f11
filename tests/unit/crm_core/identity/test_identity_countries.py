"""Words for countries, and numbers that were written without theirs."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm_core.identity.countries import of_calling_code, of_currency, regions_in
from crm_core.identity.national import RANKS, CountryHint, Rank
from crm_core.identity.phones import e164, read_phones

PROFILE = settings(max_examples=300, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("India", "IN"), ("Индия", "IN"), ("भारत", "IN"), ("IN", "IN"), ("ind", "IN"), ("+91", "IN"), ("0091", "IN"), ("🇮🇳", "IN"),
        ("Pakistan (+92)", "PK"), ("+92 Pakistan", "PK"), ("PK Pakistan", "PK"), ("India (भारत)", "IN"), ("🇬🇧 +44", "GB"),
        ("United States of America", "US"), ("США", "US"), ("USA", "US"), ("UK", "GB"), ("Великобритания", "GB"), ("ОАЭ", "AE"),
        ("РФ", "RU"), ("Russian Federation", "RU"), ("Россия (+7)", "RU"), ("RU|+7", "RU"), ("Белоруссия", "BY"), ("Киргизия", "KG"),
        ("Polska", "PL"), ("Deutschland", "DE"), ("Österreich", "AT"), ("España", "ES"), ("México", "MX"), ("Brasil", "BR"),
        ("Türkiye", "TR"), ("Turkey", "TR"), ("O'zbekiston", "UZ"), ("Oʻzbekiston", "UZ"), ("Ўзбекистон", "UZ"), ("Қазақстан", "KZ"),
        ("Україна", "UA"), ("საქართველო", "GE"), ("Հայաստան", "AM"), ("Azərbaycan", "AZ"), ("中国", "CN"), ("日本", "JP"), ("대한민국", "KR"),
        ("Korea, Republic of", "KR"), ("Iran, Islamic Republic of", "IR"), ("Côte d’Ivoire", "CI"), ("Viet Nam", "VN"),
        ("Bosnia & Herzegovina", "BA"), ("Bosnia and Herzegovina", "BA"), ("ไทย", "TH"), ("ישראל", "IL"), ("السعودية", "SA"),
        ("Georgia", "GE"), ("Česká republika", "CZ"), ("Ελλάδα", "GR"), ("Magyarország", "HU"), ("România", "RO"),
    ],
)  # fmt: skip
def test_country_is_known_when_it_is_written_like_this(text: str, region: str) -> None:
    assert regions_in(text) == (region,)


@pytest.mark.parametrize("text", ["", "-", "Other", "Другая", "Congo", "Конго", "Москва", "yes", "1", "x" * 500, "EUR", "???"])
def test_country_is_unknown_when_the_words_name_none_or_two(text: str) -> None:
    assert regions_in(text) == ()


def test_digits_alone_are_a_calling_code_where_one_was_asked_for() -> None:
    assert (regions_in("91"), regions_in("91", bare_code=True), regions_in("1876", bare_code=True)) == ((), ("IN",), ())
    assert (of_calling_code("7"), of_calling_code("1"), of_calling_code("999"), of_calling_code("")) == ("RU", "US", "", "")


def test_currency_names_a_country_when_only_one_has_it() -> None:
    assert {code: of_currency(code) for code in ("NGN", "PLN", "EUR", "USD", "XXX", "")} == {
        "NGN": "NG", "PLN": "PL", "EUR": "", "USD": "", "XXX": "", "": "",
    }  # fmt: skip


def read(text: str, region: str, **regions: str) -> list[tuple[str, str, tuple[str, ...]]]:
    hints = [CountryHint(rank, tuple(named.split())) for rank, named in regions.items()]  # type: ignore[arg-type]
    return [(key.value, key.strength, key.flags) for key in read_phones(text, region, kind="form", hints=hints)]


INDIA, RUSSIA = "+919876549001", "+79876549001"


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        ({}, [(RUSSIA, "strong", ())]),
        ({"beside": "IN"}, [(INDIA, "strong", ("country_beside",))]),
        ({"field": "IN"}, [(INDIA, "strong", ("country_field",))]),
        ({"field": "IN", "beside": "US"}, [(INDIA, "strong", ("country_field",))]),  # no such number in the United States
        ({"field": "PL"}, [(RUSSIA, "weak", ("country_unsure",))]),
        ({"field": "KZ"}, [(RUSSIA, "strong", ())]),  # one plan
        ({"locale": "IN", "page": "DE"}, [(INDIA, "strong", ("country_locale",))]),
        ({"page": "IN"}, [(INDIA, "weak", ("country_page", "country_unsure")), (RUSSIA, "weak", ("other_country",))]),
        ({"browser": "IN"}, [(INDIA, "weak", ("country_browser", "country_unsure")), (RUSSIA, "weak", ("other_country",))]),
        ({"browser": "PL"}, [(RUSSIA, "strong", ())]),
        ({"default": "US"}, [(RUSSIA, "strong", ())]),
    ],
)  # fmt: skip
def test_ten_digits_are_read_by_the_first_rank_that_knows_them(
    hints: dict[str, str], expected: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    assert read("9876549001", "RU", **hints) == expected


def test_two_numbers_of_one_rank_are_none() -> None:
    assert read("9162345005", "RU", field="US IN") == []


def test_number_with_its_country_needs_no_hint() -> None:
    for text in ("+7 987 654-90-01", "00 7 987 654-90-01"):
        assert [(value, strength) for value, strength, _ in read(text, "RU", field="IN")] == [(RUSSIA, "strong")]


def test_number_written_in_full_stays_when_only_the_page_is_foreign() -> None:
    assert read("8 987 654-90-01", "RU", locale="GB") == [(RUSSIA, "strong", ())]
    assert read("8 987 654-90-01", "RU", field="GB") == [(RUSSIA, "weak", ("country_unsure",))]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+44 (0)7911 123456", "+447911123456"), ("+44 (0)20 7946 0018", "+442079460018"), ("0044 (0)7911 123456", "+447911123456"),
        ("44 (0)7911 123456", "+447911123456"), ("+49 (0)151 23456013", "+4915123456013"), ("+49 0151 23456013", "+4915123456013"),
        ("+33 (0)6 12 34 56 78", "+33612345678"), ("+43 (0)664 1234567", "+436641234567"), ("+353 (0)87 123 4567", "+353871234567"),
        ("+90 (0)532 123 45 67", "+905321234567"), ("+375 (0)29 123-45-67", "+375291234567"), ("+375 8 029 123-45-67", "+375291234567"),
        ("+380 (0)50 123 45 67", "+380501234567"), ("380 (0)50 123 45 67", "+380501234567"), ("+998 (0)90 123 45 67", "+998901234567"),
        ("+996 (0)555 123456", "+996555123456"), ("+374 (0)91 123456", "+37491123456"), ("+994 (0)50 212 40 72", "+994502124072"),
        ("+46 (0)70-123 40 81", "+46701234081"), ("+31 (0)6 12345678", "+31612345678"), ("+32 (0)470 12 34 56", "+32470123456"),
        ("+41 (0)79 123 45 67", "+41791234567"), ("+61 (0)412 345 678", "+61412345678"), ("+81 (0)90-1234-5678", "+819012345678"),
        ("+91 (0)98765 43001", "+919876543001"), ("+48 (0) 512 345 012", "+48512345012"), ("+420 (0)601 123 456", "+420601123456"),
        ("+370 (8-612) 34567", "+37061234567"), ("+7 (0)916 123-45-67", "+79161234567"), ("8-10-44-(0)7911-123456", "+447911123456"),
        ("+39 06 1234 5678", "+390612345678"), ("+39 (0)6 1234 5678", "+390612345678"), ("+39 (0)347 123 4567", "+393471234567"),
        ("011 44 20 7946 0017", "+442079460017"), ("0011 44 7911 123456", "+447911123456"), ("010 44 7911 123456", "+447911123456"),
    ],
)  # fmt: skip
def test_trunk_prefix_is_no_part_of_an_international_number(text: str, number: str) -> None:
    assert e164(text, "RU") == number


PLANS = sorted(phonenumbers.SUPPORTED_REGIONS)
NUMBERISH = st.text(alphabet="0123456789+-() .", min_size=5, max_size=22)
HINTS = st.lists(
    st.builds(CountryHint, st.sampled_from(RANKS), st.lists(st.sampled_from(PLANS), max_size=2).map(tuple)), max_size=3
)


def _is_valid(value: str) -> bool:
    number = phonenumbers.parse(value, None)
    is_so_written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == value
    return phonenumbers.is_valid_number(number) and is_so_written


@PROFILE
@given(text=NUMBERISH, region=st.sampled_from(["RU", "DE", "US", "IT", "BR", "AR", "MX", "BY", "LT"]), hints=HINTS)
@example(text="+44(0)2079460018", region="RU", hints=[])
@example(text="+542320001111", region="AR", hints=[])
def test_what_leaves_is_a_valid_number_or_nothing(text: str, region: str, hints: list[CountryHint]) -> None:
    for key in read_phones(text, region, kind="form", hints=hints):
        assert key.strength == "blocked" or _is_valid(key.value), key


@PROFILE
@given(region=st.sampled_from(PLANS), style=st.sampled_from(["+{c} (0){n}", "+{c} {n}", "00{c}(0){n}", "{c} (0){n}", "+{c}0{n}"]))
def test_examples_of_every_plan_are_themselves_however_the_trunk_is_written(region: str, style: str) -> None:
    example_number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example_number is None:
        return
    value = phonenumbers.format_number(example_number, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.national_significant_number(example_number)
    text = style.format(c=example_number.country_code, n=national)
    for key in read_phones(text, "RU", kind="form"):
        assert key.strength == "blocked" or _is_valid(key.value), (text, value, key)


@pytest.mark.parametrize("rank", RANKS)
def test_every_rank_is_tried_before_the_source_gives_up(rank: Rank) -> None:
    (key, *_) = read_phones("0151 23456013", "RU", kind="form", hints=[CountryHint(rank, ("DE",))])
    assert key.value == "+4915123456013"
