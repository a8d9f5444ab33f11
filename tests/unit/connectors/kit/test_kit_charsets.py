"""Forms in 8-bit sets that nobody declared: 34 languages, of one name to three fields, in every shape that a body has."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from connectors.kit import Request
from connectors.kit.decoding import decode, guess
from connectors.kit.decoding.languages import LANGUAGES, OF_REGION
from connectors.mail.imap import charset as mail_charset

FORM = "application/x-www-form-urlencoded"
FORMS: dict[str, Any] = json.loads((Path(__file__).parent / "charset_forms.json").read_text("utf-8"))
NAMES = ("name", "message", "city")

#: Read in another alphabet for want of a hint: one short word each, and Ukrainian in a set that only a hint tells apart.
LEAST_WITHOUT_A_HINT = 0.9
#: The same at a source of another country, as when a visitor from abroad writes: his page's country is not known.
LEAST_AT_A_RUSSIAN_SOURCE = 0.9


def encoded(text: str, charset: str) -> bytes:
    """Vietnamese tones follow their letter in cp1258."""
    if charset != "cp1258":
        return text.encode(charset)
    made = b""
    for char in text:
        parts = unicodedata.normalize("NFD", char)
        for cut in range(len(parts), 0, -1):
            try:
                made += unicodedata.normalize("NFC", parts[:cut]).encode(charset) + parts[cut:].encode(charset)
                break
            except UnicodeEncodeError:
                continue
    return made


def all_forms() -> Iterator[tuple[str, str, str, list[str]]]:
    for language, told in FORMS.items():
        for charset in told["charsets"]:
            for form in told["forms"]:
                yield language, told["region"], charset, form


def read(body: bytes, content_type: str = FORM, region: str = "", query: str = "", **headers: str) -> dict[str, Any]:
    named = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    decoded = decode(Request("POST", "", query, named, body, datetime(2026, 1, 15, tzinfo=UTC)), region)
    return decoded.fields or {"text": decoded.data}


def pairs(form: list[str], charset: str) -> list[tuple[str, bytes]]:
    return [(name, encoded(value, charset)) for name, value in zip(NAMES, form, strict=False)]


def escaped(fields: list[tuple[str, bytes]]) -> bytes:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in fields).encode()


def is_right(form: list[str], charset: str, region: str = "", **headers: str) -> bool:
    return list(read(escaped(pairs(form, charset)), FORM, region, **headers).values()) == form


@pytest.mark.parametrize("language, region, charset, form", list(all_forms()))
def test_form_is_read_when_its_set_is_not_declared_and_the_source_is_of_its_country(
    language: str, region: str, charset: str, form: list[str]
) -> None:
    fields = pairs(form, charset)
    wanted = dict(zip(NAMES, form, strict=False))
    assert read(escaped(fields), FORM, region) == wanted
    assert read(b"&".join(name.encode() + b"=" + value for name, value in fields), FORM, region) == wanted  # not escaped
    assert read(escaped(fields), FORM + "; charset=UTF-8", region) == wanted  # declared wrongly
    assert read(escaped(fields), FORM, "RU", origin=f"https://shop.example.{region.lower()}") == wanted
    parts = (b'--b\r\nContent-Disposition: form-data; name="' + n.encode() + b'"\r\n\r\n' + v + b"\r\n" for n, v in fields)
    assert read(b"".join(parts) + b"--b--\r\n", "multipart/form-data; boundary=b", region) == wanted
    lines = b"".join(name.encode() + b"=" + value + b"\r\n" for name, value in fields) + b"page=/\r\n"
    assert read(lines, "text/plain", region) == {**wanted, "page": "/"}
    members = b",".join(b'"' + name.encode() + b'":"' + value + b'"' for name, value in fields)
    assert read(b"{" + members + b"}", "application/json", region) == wanted


def test_guess_is_right_as_often_as_measured_without_any_hint() -> None:
    results = [is_right(form, charset) for _, _, charset, form in all_forms()]
    assert sum(results) / len(results) >= LEAST_WITHOUT_A_HINT


def test_guess_is_right_as_often_as_measured_at_a_source_of_another_country() -> None:
    results = [is_right(form, charset, "RU") for _, _, charset, form in all_forms()]
    assert sum(results) / len(results) >= LEAST_AT_A_RUSSIAN_SOURCE


@pytest.mark.parametrize("charset", ["cp1251", "cp866"])
@pytest.mark.parametrize(
    "word",
    [
        "Иван",
        "Ян",
        "Яна",
        "Юля",
        "Ия",
        "Ася",
        "Цой",
        "Чук",
        "Лев",
        "Илья",
        "Щукин",
        "да",
        "нет",
        "дом",
        "цена",
        "двери",
        "ремонт",
        "УФА",
        "МОСКВА",
        "перезвоните",
    ],
)
def test_single_russian_word_is_read_at_a_russian_source(word: str, charset: str) -> None:
    assert read(b"name=" + quote_from_bytes(word.encode(charset)).encode(), FORM, "RU") == {"name": word}


@pytest.mark.parametrize(
    "body, content_type, query",
    [
        (b"_charset_=koi8-r&name=%ED%CF%D2%CF%DA", FORM, ""),
        (b"name=%ED%CF%D2%CF%DA&accept-charset=KOI8-R", FORM, ""),
        (b"fields%5Bcharset%5D=koi8-r&name=%ED%CF%D2%CF%DA", FORM, ""),
        (b"name=%ED%CF%D2%CF%DA", FORM, "charset=koi8-r"),
        (b"name=%ED%CF%D2%CF%DA", FORM + "; charset=koi8-r", ""),
        (b'{"encoding": "koi8-r", "name": "\xed\xcf\xd2\xcf\xda"}', "application/json", ""),
        (b'{"name": "\xed\xcf\xd2\xcf\xda"}', "application/json; charset=koi8-r", ""),
        (
            (b'--b\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\nkoi8-r\r\n'
            b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xed\xcf\xd2\xcf\xda\r\n--b--'),
            "multipart/form-data; boundary=b", "",
        ),
        (b"name=\xed\xcf\xd2\xcf\xda\r\n_charset_=koi8-r\r\n", "text/plain", ""),
    ],
)  # fmt: skip
def test_set_is_the_declared_one_where_the_form_names_it(body: bytes, content_type: str, query: str) -> None:
    assert read(body, content_type, "RU", query)["name"] == "Мороз"


def test_declared_set_is_not_believed_where_it_makes_no_words() -> None:
    body = b"name=" + quote_from_bytes("Перезвоните мне".encode("cp1251")).encode()
    for wrong in ("iso-8859-1", "windows-1252", "koi8-r", "utf-8", "us-ascii", "nonsense"):
        assert read(body, f"{FORM}; charset={wrong}", "RU") == {"name": "Перезвоните мне"}, wrong


def test_short_value_is_read_like_its_neighbours_when_it_could_be_utf8_by_chance() -> None:
    name = "英茂".encode("gbk")  # valid UTF-8 as well: two letters of another alphabet
    name.decode("utf-8")
    body = b"name=" + quote_from_bytes(name).encode() + b"&message=" + quote_from_bytes("请给我回电话".encode("gbk")).encode()
    assert read(body, FORM, "CN") == {"name": "英茂", "message": "请给我回电话"}


def test_name_of_a_file_is_read_like_the_form_it_comes_with() -> None:
    head = 'Content-Disposition: form-data; name="plan"; filename="Чертёж кухни.pdf"'.encode("cp1251")
    body = b"--b\r\n" + head + b"\r\nContent-Type: application/pdf\r\n\r\n%PDF\xff\xfe\x00\r\n--b--\r\n"
    assert read(body, "multipart/form-data; boundary=b", "RU")["plan"]["name"] == "Чертёж кухни.pdf"


def test_names_of_fields_are_read_like_their_values() -> None:
    body = (
        "&".join(quote_from_bytes(word.encode("cp1254")) for word in ("Adınız",)).encode()
        + b"="
        + quote_from_bytes("Gökçe Şahin".encode("cp1254")).encode()
    )
    assert read(body, FORM, "TR") == {"Adınız": "Gökçe Şahin"}


def test_japanese_mail_set_is_known_by_its_escapes() -> None:
    assert read(b"name=" + quote_from_bytes("佐藤花子".encode("iso2022_jp")).encode(), FORM) == {"name": "佐藤花子"}


@pytest.mark.parametrize("language, region, charset, form", [one for one in all_forms() if len(one[3]) > 1])
def test_mail_is_read_by_the_same_guess(language: str, region: str, charset: str, form: list[str]) -> None:
    text = "\n".join(form)
    without_a_hint = guess.likely(encoded(text, charset))
    assert mail_charset.decode(encoded(text, charset))[1] == without_a_hint


def test_browsers_language_is_a_hint() -> None:
    body = b"name=" + quote_from_bytes("Rūta".encode("cp1257")).encode()
    assert read(body, FORM, "RU", accept_language="lt-LT,lt;q=0.9,en;q=0.5") == {"name": "Rūta"}
    assert guess.hints("", "zh-TW,zh;q=0.9", "RU")[0] == "zh-tw"
    assert guess.hints("127.0.0.1", "*;q=0.5, xx", "ZZ") == ()


def test_every_language_and_country_of_the_tables_is_known() -> None:
    assert {language for said in OF_REGION.values() for language in said.split()} <= LANGUAGES.keys()
    for language in LANGUAGES.values():
        for name in language.charsets:
            b"a".decode(name)


def test_work_is_bounded_however_long_the_text_is(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[int] = []
    real = guess._guess
    monkeypatch.setattr(guess, "_guess", lambda raw, language="": (fed.append(len(raw)), real(raw, language))[1])
    for size in (1, 2, 4):
        guess.likely("Привет мир ".encode("koi8-r") * 20_000 * size, ("ru",))
    assert max(fed) <= guess.SAMPLE_BYTES
    assert len(fed) == 3
