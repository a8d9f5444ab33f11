"""Cases 52, 56 to 59 and 67 from the door to the rows: keys of senders, phones, names, addresses, consents, doubles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
import servers
from case_hub import BROWSER, FORM, SCRIPT, CaseHub, at_once, open_hub

from crm_core.base.config import HubConfig
from ingest.sources.sources import NewSource

_FORM = SCRIPT | {"Content-Type": FORM}

#: As typed, the region of the source, the keys by which the person is known then. {} is a number of this test's own.
PHONES: list[tuple[str, str, list[str]]] = [
    *((typed, "RU", ["+79001{}"]) for typed in (
        "8 (900) 1{}", "9001{}", "79001{}", "+8 900 1{}", "+89001{}", "007 900 1{}", "тел. 8 900 1{} Иван", "8900 1{} WhatsApp",
        "tel:+7-900-1{}", "+7+79001{}", "８９００１{}", " 79001{}", "8 900 1{} доб. 123",
    )),
    ("89001{}, 84951{}", "RU", ["+79001{}", "+74951{}"]),
    ("8-10-380-44-1{}", "RU", ["+380441{}"]),
    ("375291{}", "RU", ["+375291{}"]),
    ("998901{}", "RU", ["+998901{}"]),
    ("87011{}", "RU", ["+77011{}"]),
    ("80291{}", "BY", ["+375291{}"]),
    ("0441{}", "UA", ["+380441{}"]),
    ("901{}", "UZ", ["+998901{}"]),
]  # fmt: skip
#: Kept as typed and known to nobody: too short, of another country's plan, of none.
NO_KEYS = ["8900123456", "1234567", "80291234567", "+1 (555) 555-0123", "00000000000", "+77 900", "1027700132195"]
EMPTY = ["+7 (___) ___-__-__", "+7"]


@pytest.fixture(scope="module")
def hub(
    postgres_server: servers.RunPostgres, _brokers: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CaseHub]:
    with postgres_server.fresh_database() as url:
        home = tmp_path_factory.mktemp("home")
        config = HubConfig(home=home, database_url=url, broker_url=_brokers["valkey"], secret_key="only-for-tests-" + "0" * 32)
        with open_hub(config) as opened:
            yield opened


def form(hub: CaseHub, source: NewSource, remote: str = "198.51.100.7", **fields: str) -> None:
    heard = hub.send(source, urlencode(fields).encode(), _FORM, remote=remote)
    assert (heard.status, heard.json()["ok"]) == (200, True)


def values(hub: CaseHub, source: NewSource, kind: str, *strengths: str) -> list[str]:
    return [key["value"] for key in hub.keys(source, kind) if not strengths or key["strength"] in strengths]


def test_person_is_known_by_his_number_however_he_typed_it(hub: CaseHub) -> None:  # 56
    regions = {region: hub.add(region=region) for region in ("RU", "BY", "UA", "UZ")}
    wanted: dict[str, set[str]] = {region: set() for region in regions}
    for number, (typed, region, keys) in enumerate(PHONES):
        own = f"{230_000 + 317 * number:06}"
        form(hub, regions[region], f"203.0.113.{number + 1}", phone=typed.replace("{}", own), name=f"Иван {number}")
        wanted[region] |= {key.replace("{}", own) for key in keys}
    hub.drain()
    for region, source in regions.items():
        # A number of an office is a weaker key than one of a person, but it is a key.
        assert set(values(hub, source, "phone", "strong", "weak")) == wanted[region], region
        assert set(values(hub, source, "phone", "weak")) <= {key for key in wanted[region] if key.startswith(("+7495", "+38044"))}
        assert set(hub.ends(source)) == {"created"}
    typed_with = [touch["data"]["phones"] for touch in hub.touches(regions["RU"]) if "доб." in str(touch["data"]["phones"])]
    assert [len(phones) for phones in typed_with] == [1], "the extension is told as it was typed"


def test_number_is_kept_as_typed_and_joins_nobody_when_it_is_none(hub: CaseHub) -> None:  # 56
    source = hub.add()
    for number, typed in enumerate(NO_KEYS + EMPTY):
        form(hub, source, f"203.0.113.{number + 101}", phone=typed, message=f"Вопрос {number}")
    hub.drain()
    assert set(hub.ends(source)) == {"created"}, "without a usable number it is a lead all the same"
    assert values(hub, source, "phone", "strong") == []
    touches = hub.touches(source)
    for typed, touch in zip(NO_KEYS + EMPTY, touches, strict=True):
        data = touch["data"]
        if typed in EMPTY:
            assert data["phones"] == []
        else:
            assert data["phones"] == [typed] or data["fields"] == {"phone": typed}
    assert len({touch["contact_id"] for touch in touches}) == len(touches)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ИВАНОВ ИВАН", "Иванов Иван"), ("Иванов Иван Иванович", "Иванов Иван Иванович"), ("Иван 👍", "Иван"),
        ("https://spam.example.com", ""), ("+7 900 123-45-57", ""),
    ],
)  # fmt: skip
def test_contact_has_the_name_that_was_meant_or_none(hub: CaseHub, typed: str, name: str) -> None:  # 57
    source = hub.add(spam="mark")
    form(hub, source, name=typed, email="someone@example.com", form_name="Иван из формы", utm_campaign="Пётр")
    hub.drain()
    (lead,) = hub.leads(source)
    assert lead["form_name"] == "Иван из формы"
    hub.rows("UPDATE identifier SET value = value || id WHERE kind = 'email' RETURNING id")  # the next one is somebody else
    assert hub.one("SELECT name FROM contact WHERE id = %s", lead["contact_id"]) == name


@pytest.mark.parametrize(
    ("typed", "strong"),
    [
        ("anna1@example.com ", ["anna1@example.com"]), ("mailto:anna2@example.com", ["anna2@example.com"]),
        ("анна3@почта.рф", ["анна3@xn--80a1acny.xn--p1ai"]), ("anna4@example.com, anna5@example.org", ["anna4@example.com", "anna5@example.org"]),
        ("anna6@gmail.con", []),
    ],
)  # fmt: skip
def test_person_is_known_by_his_address_however_he_typed_it(hub: CaseHub, typed: str, strong: list[str]) -> None:  # 58
    source = hub.add()
    form(hub, source, email=typed, message="Здравствуйте")
    hub.drain()
    assert hub.ends(source) == ["created"]
    assert values(hub, source, "email", "strong") == strong
    if not strong:  # mistyped: what was typed is kept and nothing is rewritten silently
        assert hub.touches(source)[0]["data"]["emails"] == [typed]
        assert "anna6@gmail.con" in values(hub, source, "email")


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        *(({"agree": value}, {"processing": True, "marketing": False}) for value in ("on", "yes", "1", "true", "да", "Y", "согласен", "I agree to it")),
        *(({"agree": value}, {"processing": False, "marketing": False}) for value in ("", "0", "нет", "off")),
        ({"agree": "on", "news": "on"}, {"processing": True, "marketing": True}),
    ],
)  # fmt: skip
def test_answer_is_kept_by_purpose_and_a_box_that_was_not_sent_is_a_no(
    hub: CaseHub, sent: dict[str, str], given: dict[str, bool]
) -> None:  # 59
    source = hub.add(consent_fields={"agree": "processing", "news": "marketing"})
    form(hub, source, name="Anna", message="Hello", **sent)
    hub.drain()
    rows = hub.rows("SELECT purpose, given FROM consent WHERE source_id = %s", source.id)
    assert {row["purpose"]: row["given"] for row in rows} == given


def test_consent_is_to_the_words_that_the_visitor_saw_when_they_change_meanwhile(hub: CaseHub) -> None:  # 59
    """Two visitors opened the page before the words were changed and one after; they send in another order."""
    source = hub.add()
    saw = {"a": ("Old words", "v1"), "b": ("New words", "v2"), "c": ("Old words", "v1")}
    for n, (name, (words, version)) in enumerate(saw.items()):
        form(hub, source, f"203.0.113.{n + 201}", name=f"Anna {name}", email=f"{name}@example.org", agree="on",
             _consent_text=words, _consent_text_id=version)  # fmt: skip
    hub.drain()
    rows = hub.rows("SELECT text_id, text_sha256 FROM consent WHERE source_id = %s ORDER BY event_id", source.id)
    assert [(row["text_id"], row["text_sha256"]) for row in rows] == [
        (version, hashlib.sha256(words.encode()).hexdigest()) for words, version in saw.values()
    ]
    texts = hub.rows("SELECT text FROM consent_text WHERE source_id = %s ORDER BY text", source.id)
    assert [row["text"] for row in texts] == ["New words", "Old words"]


def test_one_key_is_one_lead_quoted_or_bare_and_other_bytes_under_it_are_kept(hub: CaseHub) -> None:  # 52
    source = hub.add()
    first = b"name=Anna&phone=%2B79005550101"
    heard = [hub.send(source, first, _FORM | {"Idempotency-Key": key}) for key in ('"8e03978e"', "8e03978e", '"8e03978e"')]
    other = hub.send(source, b"name=Boris&phone=%2B79005550102", _FORM | {"Idempotency-Key": "8e03978e"})
    long = [hub.send(source, b"name=Vera&phone=%2B79005550103", _FORM | {"Idempotency-Key": "k" * 5_000}) for _ in range(2)]
    assert {answer.status for answer in (*heard, other, *long)} == {200}
    assert len({answer.body for answer in heard}) == len({answer.body for answer in long}) == 1
    hub.drain()
    assert hub.ends(source) == ["created", "created", "created"]
    assert hub.events(source)[2]["redeliveries"] == 1
    assert len(hub.leads(source)) == 3


def test_key_that_a_page_keeps_for_everybody_costs_nobody_his_inquiry(hub: CaseHub) -> None:  # 52
    """Rendered into a page that a cache hands to all, or kept by the browser that goes back to correct something."""
    source = hub.add()
    sent = ["name=Anna&phone=%2B79005550111", "name=Boris&phone=%2B79005550112", "name=Anna&phone=%2B79005550111"]
    heard = [hub.send(source, f"_key=static&{body}".encode(), BROWSER, remote="198.51.100.52") for body in sent]
    assert {answer.status for answer in heard} == {200}
    hub.drain()
    assert hub.ends(source) == ["created", "created"], "the third is the first, sent again"
    assert sorted(touch["data"]["name"] for touch in hub.touches(source)) == ["Anna", "Boris"]


def test_form_with_a_file_that_the_browser_repeats_by_itself_is_one_lead(hub: CaseHub) -> None:  # 52, 65
    """The snippet sent it with what it knows of the page; the answer was lost, and the browser posts the bare form."""
    source = hub.add()
    part = '--{0}\r\nContent-Disposition: form-data; name="{1}"{2}\r\n\r\n{3}\r\n'
    key = "5f0c4a1be2d84c0f9a3b7d2c8e9f0a1b"
    for border, more in (("one", {"page_title": "Contacts", "_script": "1"}), ("two", {})):
        fields = {"name": "Anna", "phone": "+79005550113", "_key": key, **more}
        body = "".join(part.format(border, name, "", value) for name, value in fields.items())
        body += part.format(border, "plan", '; filename="plan.txt"', "two rooms") + f"--{border}--\r\n"
        sent = SCRIPT | {"Content-Type": f"multipart/form-data; boundary={border}"}
        assert hub.send(source, body.encode(), sent, remote="198.51.100.65").status == 200
    hub.drain()
    assert hub.ends(source) == ["created", "attached"]
    assert hub.events(source)[1]["reason"]["double"]["rule"] == "double_submission"


@pytest.mark.parametrize("how", ["one after the other", "at once", "read apart"])
def test_double_click_without_a_key_is_one_lead_with_two_events(hub: CaseHub, how: str) -> None:  # 67
    source = hub.add()
    body = urlencode({"name": "Анна", "message": f"Хочу кухню, {how}", "captcha": "x"}).encode()
    if how == "at once":
        heard = at_once(2, lambda _: hub.send(source, body, BROWSER))
    else:
        heard = [hub.send(source, body, BROWSER)]
        if how == "read apart":
            hub.drain()
        heard.append(hub.send(source, body, BROWSER))
    assert [answer.status for answer in heard] == [200, 200]
    hub.drain()
    assert hub.ends(source) == ["created", "attached"]
    assert hub.events(source)[1]["reason"]["double"]["rule"] == "double_submission"
    (lead,) = hub.leads(source)
    assert lead["touches"] == 1  # the second stays on record and is no second inquiry


def test_corrected_address_half_a_minute_later_is_the_same_person_with_both(hub: CaseHub) -> None:  # 67
    source = hub.add()
    fields: dict[str, Any] = {"name": "Анна Примерова", "message": "Хочу шкаф"}
    form(hub, source, "198.51.100.67", **fields, email="anna.primerova@gmial.com")
    hub.drain()
    hub.rows(
        "UPDATE inbound_event SET received_at = received_at - interval '30 seconds' WHERE source_id = %s RETURNING id", source.id
    )
    hub.rows("UPDATE touch SET at = at - interval '30 seconds' WHERE source_id = %s RETURNING id", source.id)
    form(hub, source, "198.51.100.67", **fields, email="anna.primerova@gmail.com")
    hub.drain()
    assert hub.ends(source) == ["created", "attached"]
    assert len({touch["contact_id"] for touch in hub.touches(source)}) == 1
    shown = hub.rows(
        "SELECT DISTINCT c.display FROM contact_identifier c JOIN touch t ON t.contact_id = c.contact_id WHERE t.source_id = %s",
        source.id,
    )
    assert {"anna.primerova@gmial.com", "anna.primerova@gmail.com"} <= {row["display"] for row in shown}
