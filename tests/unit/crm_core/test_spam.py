"""What a score is made of: the table, the cap on weak signs, and how it does on what people and robots write."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spam_corpus import GENUINE, RU_PAGE, SPAM, one

from crm_core.parsed import Attribution, Consent, Inquiry
from crm_core.spam import WEIGHTS, Place, Score, Signal, content_signals, person_signals, score
from crm_core.spam.texts import folded
from crm_core.spam.weights import QUARANTINE_FROM, WEAK_CAP

WEAK = sorted(code for code, weight in WEIGHTS.items() if weight.kind == "weak")
GOOD_OR_WEAK = sorted(code for code, weight in WEIGHTS.items() if weight.kind in ("weak", "good"))


def judged(region: str, inquiry: Inquiry, own_hosts: tuple[str, ...] = ()) -> Score:
    return score([*content_signals(inquiry, Place(region, own_hosts)), *person_signals(inquiry, region)])


def codes(inquiry: Inquiry, region: str = "RU", own_hosts: tuple[str, ...] = ()) -> set[str]:
    return {reason["code"] for reason in judged(region, inquiry, own_hosts).reasons}


@pytest.mark.parametrize(
    ("signs", "points", "verdict"),
    [
        ((), 0, "accept"),
        (("honeypot",), 4, "quarantine"),
        (("too_fast",), 3, "accept"),
        (("token_forged",), 2, "accept"),
        (("token_old",), 1, "accept"),
        (("too_fast", "foreign_origin"), 5, "quarantine"),
        (("honeypot", "too_fast", "token_old"), 8, "bury"),
        (("altcha_good", "honeypot"), 2, "accept"),
        (("altcha_good",), 0, "accept"),
        (("altcha_missing",), 2, "accept"),
        (("altcha_replayed",), 3, "accept"),
        (("burst",), 4, "quarantine"),
        (("ip_per_minute",), 2, "accept"),
        (("phone_many_ips", "text_many_ips"), 6, "quarantine"),
        (("user_agent", "foreign_origin", "phone_repeated", "no_referrer"), 3, "accept"),
        (("user_agent", "foreign_origin", "phone_repeated", "links"), 5, "quarantine"),
        (("honeypot", "honeypot"), 4, "quarantine"),
    ],
)
def test_score_when_these_signs_are_seen(signs: tuple[str, ...], points: int, verdict: str) -> None:
    found = score(Signal(code) for code in signs)
    assert (found.points, found.verdict) == (points, verdict)
    assert max(0, sum(reason["points"] for reason in found.reasons)) == points


@given(st.lists(st.sampled_from(GOOD_OR_WEAK)))
def test_score_when_all_signs_are_weak_sets_nobody_aside(signs: list[str]) -> None:
    found = score(Signal(code) for code in signs)
    assert found.verdict == "accept"
    assert found.points <= WEAK_CAP < QUARANTINE_FROM


@given(st.sets(st.sampled_from(sorted(WEIGHTS))), st.sampled_from(WEAK))
def test_score_when_one_more_weak_sign_is_seen_never_falls(signs: set[str], more: str) -> None:
    assert score(map(Signal, signs)).points <= score(map(Signal, signs | {more})).points


@given(st.permutations(sorted(WEIGHTS)))
def test_score_when_signs_come_in_another_order(signs: list[str]) -> None:
    assert score(map(Signal, signs)).points == score(map(Signal, sorted(WEIGHTS))).points


def test_weights_when_a_person_reads_them() -> None:
    for code, weight in WEIGHTS.items():
        assert weight.why.endswith("."), code
        assert (weight.points < 0) == (weight.kind == "good"), code


@pytest.mark.parametrize(("region", "inquiry"), GENUINE)
def test_score_when_a_person_wrote_it(region: str, inquiry: Inquiry) -> None:
    found = judged(region, inquiry)
    assert found.verdict == "accept", found.reasons


def test_score_when_robots_wrote_it(capsys: pytest.CaptureFixture[str]) -> None:
    caught = [judged(region, inquiry).verdict != "accept" for region, inquiry in SPAM]
    share = sum(caught) / len(caught)
    with capsys.disabled():
        print(f"\nspam set aside by its content alone: {sum(caught)} of {len(caught)} ({share:.0%})")
    assert len(SPAM) >= 40
    assert len(GENUINE) >= 60
    assert share >= 0.85


@pytest.mark.parametrize(
    ("inquiry", "code"),
    [
        (one("see https://a.example.com and http://b.example.net"), "links"),
        (one("[url=https://a.example.com]x[/url]"), "markup"),
        (one("<A HREF='https://a.example.com'>x</a>"), "markup"),
        (one("hello", "https://a.example.com"), "link_in_name"),
        (one("hello", "www.a.example.com"), "link_in_name"),
        (one("nice offer https://a.example.com", page=RU_PAGE), "other_script"),
        (one("nice offer https://a.example.com", fields={"Ваш город": "x"}), "other_script"),
        (one("Ego volo scire vestri pretium"), "price_probe"),
        (one("Hi, i wrote about your the price for reseller."), "price_probe"),
        (one("", company="Google"), "brand_company"),
        (one("", fields=dict.fromkeys("abcde", "on")), "all_ticked"),
        (
            one("", fields=dict.fromkeys("abc", True), consents=(Consent("processing", True), Consent("marketing", True))),
            "all_ticked",
        ),
        (one("aQzWsXeDcRfV"), "random_text"),
        (one("hello", email="x@mailinator.com"), "disposable_email"),
        (one("hello", email="x@mx.mailinator.com"), "disposable_email"),
        (one("hello", phone="1111111111"), "phone_repeated"),
        (one("hello", phone="1234567890"), "phone_repeated"),
        (one("hello", phone="8916"), "phone_invalid"),
        (one("hello", phone="8 809 111-22-33"), "phone_premium"),
        (one("hello", email="a.b.c.d.e@gmail.com"), "dotted_email"),
    ],
)
def test_sign_when_it_is_there(inquiry: Inquiry, code: str) -> None:
    assert code in codes(inquiry)


@pytest.mark.parametrize(
    ("inquiry", "code"),
    [
        (one("see https://www.site.example.ru/a and https://shop.site.example.ru/b"), "links"),  # the source's own
        (one("write to a@example.com or b@example.com"), "links"),
        (one("", fields={"page": "https://a.example.com/x", "ref": "https://b.example.com/"}), "links"),
        (one("", fields={"files": "https://a.example.com/1.png, https://b.example.com/2.png"}), "links"),
        (one("3 < 5 and 7 > 2"), "markup"),
        (one("Rooms: 3<br>Budget: <b>500</b>"), "markup"),
        (one("", fields={"html": "<a href='https://a.example.com'>x</a>"}), "markup"),
        (one("", fields={"session": "aQzWsXeDcRfV", "visit": "bQzWsXeDcRfV"}), "random_texts"),
        (one("hello", "example.com"), "link_in_name"),
        (one("nice offer, bitte https://a.example.com Привет", page=RU_PAGE), "other_script"),
        (one("nice offer https://a.example.com"), "other_script"),
        (one("", fields=dict.fromkeys("abcd", "on")), "all_ticked"),
        (one("", fields=dict.fromkeys("abcde", "on") | {"f": "off"}), "all_ticked"),
        (one("JavaScriptTypeScript"), "random_text"),
        (one("hello", phone="+7 (___) ___-__-__"), "phone_invalid"),
        (one("hello", phone="anonymous"), "phone_invalid"),
        (one("hello", email="first.middle.last@gmail.com"), "dotted_email"),
        (one("hello", email="someone@example.com"), "disposable_email"),
    ],
)
def test_sign_when_it_only_looks_like_it(inquiry: Inquiry, code: str) -> None:
    assert code not in codes(inquiry, own_hosts=("site.example.ru",))


def test_price_question_when_the_source_is_where_people_speak_so() -> None:
    assert "price_probe" not in codes(one("Merhaba, fiyatınızı öğrenmek istedim"), "TR")
    assert "price_probe" in codes(one("Merhaba, fiyatınızı öğrenmek istedim"), "RU")


@given(
    st.text(max_size=300),
    st.text(max_size=60),
    st.text(max_size=40),
    st.dictionaries(st.text(max_size=10), st.text(max_size=40), max_size=5),
)
def test_signs_when_anything_is_written(message: str, name: str, phone: str, fields: dict[str, str]) -> None:
    inquiry = Inquiry(
        name=name, message=message, phones=(phone,), emails=(name + "@" + phone,), fields=fields,
        attribution=Attribution(page_url=message),
    )  # fmt: skip
    found = judged("RU", inquiry)
    for reason in found.reasons:
        assert reason["code"] in WEIGHTS or reason["code"] == "weak_signs_capped"
        assert len(reason["detail"]) <= 253


_ODD = st.text(st.sampled_from("aZ9 \t\n\x1c\u00a0\u00ad\u200bßéЁё“”–K…ﬁｗ。"), max_size=30)


@given(_ODD)
def test_folding_is_the_same_for_ascii_and_for_every_other_script(text: str) -> None:
    folded_by_the_book = unicodedata.normalize("NFKC", text)
    for invisible in "\u00ad\u200b":
        folded_by_the_book = folded_by_the_book.replace(invisible, "")
    for typographic, plain in (("“", '"'), ("”", '"'), ("–", "-"), ("ё", "е")):
        folded_by_the_book = folded_by_the_book.casefold().replace(typographic, plain)
    assert folded(text) == re.sub(r"\s+", " ", folded_by_the_book).strip()
