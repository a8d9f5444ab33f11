"""Where an inquiry came from: which place wins, what a cookie says, the first visit apart from the last."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from connectors.kit.forms.attribution import query_of
from connectors.kit.forms.attribution_names import mark_of
from connectors.kit.forms.read_form import Draft, read
from crm_core.parsed import Attribution

PAGE = "https://shop.example.com/?utm_source=page&utm_medium=page&utm_campaign=page&utm_term=page"
COOKIES = "TILDAUTM=utm_source%3Dcookie%7C%7C%7Cutm_content%3Dcookie%7C%7C%7Cutm_term%3Dcookie; PHPSESSID=secret"
REFERRER = "https://search.example.com/?utm_source=ref&utm_content=ref&utm_id=ref"


def marks(**data: Any) -> Attribution:
    return read(data, Draft(), region="RU").attribution


def test_places_go_in_order_when_several_say_a_mark() -> None:
    found = marks(
        referrer=REFERRER, COOKIES=COOKIES, page_url=PAGE, hidden={"utm_source": "hidden", "utm_medium": "hidden"},
        utm_source="field",
    )  # fmt: skip
    assert found.utm == {
        "utm_source": "field",
        "utm_medium": "hidden",
        "utm_campaign": "page",
        "utm_term": "page",
        "utm_content": "cookie",
        "utm_id": "ref",
    }


def test_empty_or_macro_does_not_win_when_another_place_knows() -> None:
    found = marks(utm_source="", utm_medium="{medium}", hidden={"utm_source": "undefined"}, page_url=PAGE)
    assert (found.utm["utm_source"], found.utm["utm_medium"]) == ("page", "page")


@pytest.mark.parametrize(
    "macro",
    ["{keyword}", "{{ad.id}}", "__CID__", "{landingPage}", "undefined", "null", "[source]", "%CAMPAIGN%", "{{campaign.name}}", " "],
)  # fmt: skip
def test_mark_is_empty_when_nobody_filled_the_macro(macro: str) -> None:  # 49
    assert marks(utm_source=macro, gclid=macro, _ga=macro) == Attribution()


def test_other_cookies_are_dropped_when_a_line_of_them_was_sent() -> None:  # 4
    inquiry = read(
        {
            "COOKIES": "PHPSESSID=secret; _ga=GA1.2.111.222; roistat_visit=77; token=secret",
            "cookie": "sid=secret",
        },
        Draft(),
        region="RU",
    )
    assert inquiry.attribution.client_ids == {"ga": "111.222", "roistat_visit": "77"}
    assert "secret" not in repr(inquiry)


def test_bundle_is_read_when_its_separator_is_spoilt() -> None:  # 4
    assert marks(TILDAUTM="utm_source=vk|||amp;utm_medium=social").utm == {
        "utm_source": "vk",
        "utm_medium": "social",
    }


@pytest.mark.parametrize(
    "name, value, key, kept",
    [
        ("_ga", "GA1.2.1234567890.1700000000", "ga", "1234567890.1700000000"),
        ("_ga", "GA1.1.5.6", "ga", "5.6"),
        ("_ga", "GA1.3-2.5.6", "ga", "5.6"),
        ("_ga", "amp-abc", "ga", "amp-abc"),
        (
            "_ga_AB12CD34",
            "GS1.1.1700000000.3.1.1700000100.0.0.0",
            "ga_session",
            "GS1.1.1700000000.3.1.1700000100.0.0.0",
        ),
        ("_ym_uid", "1700000000123456789", "ym_uid", "1700000000123456789"),
        ("_fbp", "fb.1.1700000000000.42", "fbp", "fb.1.1700000000000.42"),
        ("roistat_visit", "77", "roistat_visit", "77"),
        ("calltouch_session_id", "s1", "ct_session_id", "s1"),
        ("_ct_session_id", "s1", "ct_session_id", "s1"),
        ("hubspotutk", "abc", "hubspotutk", "abc"),
    ],
)
def test_visitor_is_known_when_a_cookie_came_as_a_field(name: str, value: str, key: str, kept: str) -> None:
    assert marks(**{name: value}).client_ids == {key: kept}


def test_click_is_known_when_it_is_inside_a_cookie() -> None:
    assert marks(_fbc="fb.1.1700000000000.IwAR0abc").click_ids == {"fbclid": "IwAR0abc"}
    assert marks(cookies="_gcl_aw=GCL.1700000000.Cj0abc").click_ids == {"gclid": "Cj0abc"}
    assert marks(_fbc="fb.1.1700000000000.cookie", page_url="/?fbclid=page").click_ids == {"fbclid": "page"}
    assert marks(gcl_id="Cj0").click_ids == {"gclid": "Cj0"}


@pytest.mark.parametrize(
    "name",
    ["gclid", "gbraid", "wbraid", "dclid", "yclid", "ysclid", "fbclid", "ttclid", "msclkid", "vkclid", "rb_clickid", "li_fat_id",
     "twclid", "_openstat"],
)  # fmt: skip
def test_click_is_kept_when_the_address_carries_it(name: str) -> None:
    assert marks(page_url=f"https://shop.example.com/?{name}=x1").click_ids == {name: "x1"}


def test_value_is_unescaped_once_more_when_it_was_escaped_twice() -> None:
    assert marks(utm_term="%25D0%25BB").utm["utm_term"] == "%D0%BB"
    assert marks(page_url="https://shop.example.com/?utm_term=%25D0%25BB").utm["utm_term"] == "л"
    assert marks(utm_term="50% off").utm["utm_term"] == "50% off"
    assert len(marks(utm_term="x" * 9000).utm["utm_term"]) == 512


@pytest.mark.parametrize(
    "name",
    [
        "first_utm_source",
        "ft_utm_source",
        "ft_source",
        "utm_source_first",
        "initial_utm_source",
        "first_touch_source",
    ],
)
def test_first_visit_is_apart_when_hidden_fields_remember_it(name: str) -> None:
    found = marks(**{name: "ya", "utm_source": "vk"})
    assert (found.utm, found.first) == ({"utm_source": "vk"}, {"utm": {"utm_source": "ya"}})


def test_first_visit_is_apart_when_the_snippet_remembers_it() -> None:
    visit = {
        "u": "https://shop.example.com/a?utm_source=ya&gclid=g1&x=1",
        "r": "https://search.example.com/",
        "t": 1768478400000,
    }
    found = marks(first_visit=visit, page_url="https://shop.example.com/b")
    assert found.utm == found.click_ids == {}
    assert found.first == {
        "page_url": "https://shop.example.com/a?utm_source=ya&gclid=g1&x=1",
        "referrer": "https://search.example.com/",
        "at": "2026-01-15T12:00:00+00:00",
        "utm": {"utm_source": "ya"},
        "click_ids": {"gclid": "g1"},
    }


def test_first_visit_is_not_overwritten_when_a_later_field_is_empty() -> None:
    found = marks(first_utm_source="ya", ft_source="", initial_utm_source="{source}", first_landing_page="no address")
    assert found.first == {"utm": {"utm_source": "ya"}}


def test_both_visits_are_known_when_sourcebuster_packs_them() -> None:
    line = "sbjs_current=typ%3Dutm%7C%7C%7Csrc%3Dvk%7C%7C%7Cmdm%3Dcpc%7C%7C%7Ccmp%3D(none); sbjs_first=typ%3Dutm%7C%7C%7Csrc%3Dya"
    found = marks(cookies=line)
    assert found.utm == {"utm_source": "vk", "utm_medium": "cpc"}
    assert found.first == {"utm": {"utm_source": "ya"}}


@pytest.mark.parametrize("value", [{"u": 5}, "text", ["x"], {"u": {"u": {"u": "x"}}}, {"t": "soon"}, {"utm_source": None}])
def test_nothing_breaks_when_the_first_visit_is_nonsense(value: Any) -> None:
    assert marks(first_visit=value).first == {}


def test_title_of_the_page_is_kept_when_it_was_sent() -> None:
    assert marks(page_title="Kitchens" * 100).page_title == ("Kitchens" * 100)[:512]
    assert marks(context={"pageName": "Kitchens"}).page_title == "Kitchens"


@pytest.mark.parametrize(
    "name, value, messengers, phones",
    [
        ("telegram", "@ivan_p", {"telegram": "@ivan_p"}, ()),
        ("Ваш ник в Telegram", "https://t.me/ivan_p", {"telegram": "https://t.me/ivan_p"}, ()),
        ("telegram", "+7 912 345-67-41", {"telegram": "+7 912 345-67-41"}, ("+7 912 345-67-41",)),
        ("WhatsApp", "8 912 345-67-41", {"whatsapp": "8 912 345-67-41"}, ("8 912 345-67-41",)),
        ("whatsapp", "https://wa.me/79123456741", {"whatsapp": "https://wa.me/79123456741"}, ("+79123456741",)),
        ("vk", "vk.com/id1", {"vk": "vk.com/id1"}, ()),
        ("telegram", "on", {}, ()),
        ("whatsapp", "да", {}, ()),
        ("messenger", "WhatsApp", {}, ()),
        ("telegram", "write me in the evening please", {}, ()),
    ],
)  # fmt: skip
def test_account_is_kept_when_a_person_typed_one(
    name: str, value: str, messengers: dict[str, str], phones: tuple[str, ...]
) -> None:
    inquiry = read({name: value}, Draft(), region="RU")
    assert (inquiry.messengers, inquiry.phones) == (messengers, phones)
    assert inquiry.fields == ({} if messengers else {name: value})


@pytest.mark.parametrize(
    "name, mark",
    [
        ("utmSource", ("utm", "utm_source")), ("utm[utm_medium]", ("utm", "utm_medium")), ("UTM Campaign", ("utm", "utm_campaign")),
        ("00N_utm_source__c", ("utm", "utm_source")), ("_wc_order_attribution_utm_term", ("utm", "utm_term")),
        ("tracking_source", ("utm", "utm_source")), ("lastTouch_medium", ("utm", "utm_medium")), ("utm_custom", ("utm", "utm_custom")),
        ("firstTouch_utmSource", ("first", "utm_source")), ("attribution_first_touch_utm_source", ("first", "utm_source")),
        ("first_touch_gclid", ("first", "gclid")), ("hidden_yclid", ("click_ids", "yclid")), ("GCLID__c", ("click_ids", "gclid")),
        ("googleClickId", ("click_ids", "gclid")), ("cookies__ga", ("client_ids", "ga")), ("ymClientId", ("client_ids", "ym_uid")),
        ("source", None), ("autumn_source", None), ("lead_source", None), ("client_id", None), ("name", None), ("utm", None),
        ("What was the utm_source that you saw before you came here", None), ("", None), ("x" * 500, None),
    ],
)  # fmt: skip
def test_mark_is_known_in_every_spelling(name: str, mark: tuple[str, str] | None) -> None:
    assert mark_of(name) == mark


def test_word_that_people_read_counts_last_and_stays_a_field() -> None:
    inquiry = read({"Источник": "yandex", "Campaign": "brand", "page_url": PAGE}, Draft(), region="RU")
    assert (inquiry.attribution.utm["utm_source"], inquiry.attribution.utm["utm_campaign"]) == ("page", "page")
    assert inquiry.fields == {"Источник": "yandex", "Campaign": "brand"}
    assert read({"Источник": "https://shop.example.com/"}, Draft(), region="RU").attribution == Attribution()


def test_cookies_that_came_as_a_level_are_dropped_but_for_marks() -> None:
    inquiry = read(
        {"cookies": {"_ga": "GA1.2.1.2", "PHPSESSID": "secret"}, "куки": "sid=secret; _ym_uid=5"}, Draft(), region="RU"
    )
    assert inquiry.attribution.client_ids == {"ga": "1.2", "ym_uid": "5"}
    assert "secret" not in repr(inquiry)


def test_text_made_of_marks_gives_them_and_a_sentence_does_not() -> None:
    assert marks(tags="utm_source=ya&utm_medium=cpc").utm == {"utm_source": "ya", "utm_medium": "cpc"}
    assert marks(note="I saw utm_source=ya in the address").utm == {}


@pytest.mark.parametrize(
    "url", ["https://a.example/?a=1&b=%D0%98+x&c=&d=e=f#/g?utm_source=h", "/p?x=%zz&&=1", "?", "no", "#", "https://[bad/?a=1"]
)
def test_query_is_read_as_the_library_reads_it(url: str) -> None:
    query = url.partition("#")[0].partition("?")[2]
    assert query_of(url.partition("#")[0]) == parse_qsl(query)
