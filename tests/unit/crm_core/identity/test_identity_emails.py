"""E-mail keys, case by case. The number in an id groups the rows of one case."""

from __future__ import annotations

import pytest

from crm_core.identity.emails import email_key, read_emails


def value(address: str) -> str | None:
    key = email_key(address)
    return key.value if key else None


def guesses(address: str) -> set[str]:
    return {key.value for key in read_emails(address) if key.is_guess}


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param("Ivan.Petrov+crm@Gmail.com", "ivanpetrov@googlemail.com", id="31-gmail"),
        pytest.param("ivan@ya.ru", "ivan@yandex.kz", id="33-yandex-domains"),
        pytest.param("ivan@yandex.com", "Ivan+shop@yandex.ru", id="33-yandex-tag"),
        pytest.param("x@ivanov.fastmail.com", "ivanov@fastmail.com", id="36-fastmail"),
        pytest.param("info@почта.рф", "info@xn--80a1acny.xn--p1ai", id="38-idn"),
        pytest.param("INFO@ПОЧТА.РФ", "info@почта.рф", id="38-idn-capitals"),
        pytest.param("ivan+a@outlook.com", "ivan@outlook.com", id="12x-outlook-tag"),
        pytest.param("ivan@me.com", "ivan+x@icloud.com", id="12x-apple"),
        pytest.param("ivan@pm.me", "ivan@protonmail.com", id="12x-proton"),
        pytest.param("ivan@example.com ", "ivan@example.com", id="F58-trailing-space"),
        pytest.param("mailto:Ivan@example.com?subject=Hi", "ivan@example.com", id="F58-mailto"),
        pytest.param("ivan@example.com/", "ivan@example.com", id="12x-final-slash"),
        pytest.param("Иван <ivan@example.com>", "ivan@example.com", id="12x-display-name"),
        pytest.param("ivan@example.com.", "ivan@example.com", id="12x-final-dot"),
        pytest.param("ｉｖａｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ivan@example.com", id="12x-full-width"),
        pytest.param("\u202aivan@example.com\u202c", "ivan@example.com", id="12x-direction-marks"),
    ],
)
def test_two_spellings_make_one_key_when_the_provider_says_so(one: str, other: str) -> None:
    assert value(one) == value(other) is not None


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param("a.b@company.ru", "ab@company.ru", id="32-dots-of-a-company"),
        pytest.param("ivan.petrov@yandex.ru", "ivan-petrov@ya.ru", id="34-yandex-dash"),
        pytest.param("ivan@mail.ru", "ivan@bk.ru", id="35-mail-ru-domains"),
        pytest.param("ivan+1@mail.ru", "ivan@mail.ru", id="35-mail-ru-tag"),
        pytest.param("iаvan@mail.ru", "iavan@mail.ru", id="39-cyrillic-a"),
        pytest.param("ivan@gmail.con", "ivan@gmail.com", id="40-typo"),
        pytest.param("a1@privaterelay.appleid.com", "b2@privaterelay.appleid.com", id="44-relay"),
        pytest.param("ivan@outlook.com", "ivan@hotmail.com", id="12x-microsoft-domains"),
        pytest.param("sales+ivan@corp.example", "sales@corp.example", id="12x-tag-of-a-company"),
        pytest.param("kw-one@yahoo.com", "kw@yahoo.com", id="12x-yahoo"),
    ],
)
def test_two_addresses_stay_two_keys_when_nobody_says_otherwise(one: str, other: str) -> None:
    assert value(one) != value(other)


@pytest.mark.parametrize(
    "written, guess",
    [
        pytest.param("ivan-petrov@ya.ru", "ivan.petrov@yandex.ru", id="34-yandex-dash"),
        pytest.param("ivan.petrov@yandex.ru", "ivan-petrov@yandex.ru", id="34-yandex-dot"),
        pytest.param("ivan+1@mail.ru", "ivan@mail.ru", id="35-mail-ru-tag"),
        pytest.param("iаvan@mail.ru", "iavan@mail.ru", id="39-cyrillic-in-the-name"),
        pytest.param("ivan@mаil.ru", "ivan@mail.ru", id="39-cyrillic-in-the-domain"),
        pytest.param("ivan@gmail.con", "ivan@gmail.com", id="40-typo"),
        pytest.param("i.van@gmial.com", "ivan@gmail.com", id="40-typo-and-dots"),
        pytest.param("ivan@firma.con", "ivan@firma.com", id="40-con"),
        pytest.param("ivan@gmail.cmo", "ivan@gmail.com", id="40-ending"),
        pytest.param("ivan@gmaiil.com", "ivan@gmail.com", id="40-letter-twice"),
        pytest.param("ivan@ayndex.ru", "ivan@yandex.ru", id="40-listed"),
        pytest.param("ivan@yanedx.ru", "ivan@yandex.ru", id="40-letters-exchanged"),
        pytest.param("ivan@yandes.ru", "ivan@yandex.ru", id="40-other-letter"),
        pytest.param("ivan@outlook.cm", "ivan@outlook.com", id="40-letter-less"),
        pytest.param("ivan@narod.ru", "ivan@yandex.ru", id="12x-unproved-yandex"),
        pytest.param("kw-one@yahoo.com", "kw@yahoo.com", id="12x-yahoo"),
        pytest.param("sales+ivan@corp.ru", "sales@corp.ru", id="12x-tag-of-a-company"),
    ],
)
def test_guess_is_weak_and_marked_when_unproved(written: str, guess: str) -> None:
    key = next(key for key in read_emails(written) if key.value == guess)
    assert (key.strength, key.is_guess) == ("weak", True)
    assert not email_key(written).is_guess  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    ["+tag@gmail.com", "@", "a@b", "ivan@mail,ru", "ivan@mail .ru", "", "ivan", "ivan@@example.com",
     "ivan@example..com", "ivan@-example.com", "x" * 65 + "@example.com", "ivan@" + "a." * 130 + "ru", "@example.com"],
)  # fmt: skip
def test_no_key_when_it_is_no_address(text: str) -> None:  # case 37
    assert read_emails(text) == ()
    assert email_key(text) is None


@pytest.mark.parametrize(
    "address, strength, flags",
    [
        pytest.param("iаvan@mail.ru", "weak", ("mixed_script",), id="39-mixed-script"),
        pytest.param("ivan@mаil.ru", "weak", ("mixed_script",), id="39-mixed-domain"),
        pytest.param("иван@почта.рф", "strong", (), id="39-one-script-each"),
        pytest.param("иван@mail.ru", "strong", (), id="39-cyrillic-name-latin-domain"),
        pytest.param("ivan@gmail.con", "weak", ("typo",), id="40-typo"),
        pytest.param("info@firma.ru", "weak", ("role",), id="41-role"),
        pytest.param("sales2@firma.ru", "weak", ("role",), id="41-role-with-number"),
        pytest.param("noreply@site.ru", "weak", ("role",), id="42-noreply"),
        pytest.param("a1@privaterelay.appleid.com", "strong", ("relay",), id="44-relay"),
        pytest.param("shop.a1@ivan.anonaddy.com", "strong", ("relay",), id="44-relay-subdomain"),
        pytest.param("ivan@mailinator.com", "weak", ("disposable",), id="45-disposable"),
        pytest.param("test@test.ru", "blocked", ("junk",), id="51-test"),
        pytest.param("1@1.ru", "blocked", ("junk",), id="51-one"),
        pytest.param("asd@asd.com", "blocked", ("junk",), id="51-asd"),
        pytest.param("client@example.com", "strong", (), id="12x-ordinary"),
    ],
)
def test_class_is_told_when_the_address_is(address: str, strength: str, flags: tuple[str, ...]) -> None:
    key = email_key(address)
    assert key is not None
    assert (key.strength, key.flags) == (strength, flags)


@pytest.mark.parametrize(
    "address", ["ivan@mail.com", "ivan@email.com", "ivan@ymail.com", "ivan@firma.com", "ivan@corp.co", "ivan@gmx.com", "ivan@outlook.ru",
                "ivan@yandex.kz", "ivan@ramblers.de", "ivan@lcloud.com", "ivan@hotmail.co.uk"]
)  # fmt: skip
def test_domain_is_no_slip_when_it_may_be_meant(address: str) -> None:  # case 40
    assert "typo" not in (email_key(address) or pytest.fail(address)).flags


def test_relay_makes_no_guesses_when_it_has_a_tag() -> None:  # case 44
    assert guesses("a+b@duck.com") == set()


@pytest.mark.parametrize("own", ["firma.ru", "anna@firma.ru"])
def test_own_address_is_blocked_when_named(own: str) -> None:  # case 43
    keys = read_emails("Anna@firma.ru, ivan@example.com", own=frozenset({own}))
    assert [(key.value, key.strength) for key in keys] == [
        ("anna@firma.ru", "blocked"),
        ("ivan@example.com", "strong"),
    ]


@pytest.mark.parametrize("text", ["a@example.com, b@example.com", "a@example.com/b@example.com", "a@example.com b@example.com"])
def test_two_addresses_are_read_when_one_field_holds_both(text: str) -> None:  # F58
    assert [key.value for key in read_emails(text)] == ["a@example.com", "b@example.com"]


def test_address_is_read_when_a_label_touches_it() -> None:
    assert [key.value for key in read_emails("Почта:ivan@example.com")] == ["ivan@example.com"]


def test_address_is_shown_as_written_when_the_key_differs() -> None:
    key = email_key(" Ivan.Petrov+crm@Gmail.com ")
    assert key is not None
    assert key.display == "Ivan.Petrov+crm@Gmail.com"


def test_written_address_wins_when_it_was_guessed_before() -> None:
    keys = read_emails("ivan+1@mail.ru, ivan@mail.ru")
    assert [(key.value, key.strength) for key in keys] == [
        ("ivan+1@mail.ru", "strong"),
        ("ivan@mail.ru", "strong"),
    ]
