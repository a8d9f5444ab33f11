"""What form builders and static-form services hear at the door, byte for byte, and what the hub has of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

import orjson
import psycopg
import pytest
from door_client import Door, Heard, call, open_door
from psycopg.rows import dict_row

from crm_core.base.config import HubConfig
from ingest.processing.process import Processor
from ingest.sources.sources import NewSource

_BROWSER = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Content-Type": "application/x-www-form-urlencoded",
    "Referer": "https://www.example.com/contact/",
}
_WORDPRESS = {"Accept": "*/*", "User-Agent": "WordPress/6.8; https://www.example.com"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json"}


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config) as opened:
        yield opened


def _form(door: Door, source: NewSource, headers: Mapping[str, str], **fields: str) -> Heard:
    return door.post(source, urlencode(fields).encode(), headers=headers)


def _touches(door: Door) -> list[dict[str, Any]]:
    """Drains the channel; the touches in order of their events."""
    processor = Processor(door.config)
    try:
        processor.drain("form", budget_seconds=60)
    finally:
        processor.close()
    with psycopg.connect(door.config.database_url, row_factory=dict_row) as connection:
        return connection.execute("SELECT * FROM touch WHERE kind = 'form' ORDER BY event_id, seq").fetchall()


def test_elementor_hears_exactly_200_and_json_when_it_posts(door: Door) -> None:
    """201, 202 and 204 are an error to the visitor."""
    source = door.add("elementor")
    heard = _form(door, source, _FORM | _WORDPRESS, Phone="+7 912 345-61-30", form_id="6f8642e", form_name="Call")
    assert (heard.status, heard.body) == (200, b"{}")
    assert heard.headers["content-type"].startswith("application/json")


def test_elementor_hears_200_when_nothing_can_be_read_of_its_post(door: Door) -> None:
    source = door.add("elementor")
    heard = door.post(source, b"", headers=_FORM | _WORDPRESS)
    assert (heard.status, heard.body) == (200, b"{}")
    assert _touches(door) == []
    assert door.rows()[0]["state"] == "needs_attention"


def test_cf7_template_broken_by_a_quote_is_kept_read_and_answered_when_posted(door: Door) -> None:
    """The plug-in pastes texts into its template unescaped and calls the result text/plain."""
    source = door.add("cf7")
    body = (
        '{"your-name": "Иван", "your-tel": "+7 912 345-61-31", "your-message": "Кухня "под ключ", срочно\nЖду звонка"}'.encode()
    )
    heard = door.post(source, body, headers=_WORDPRESS | {"Content-Type": "text/plain; charset=UTF-8"})
    assert (heard.status, heard.body) == (200, b"{}")
    assert bytes(door.rows()[0]["body"]) == body
    (touch,) = _touches(door)
    assert touch["text"] == 'Кухня "под ключ", срочно\nЖду звонка'
    assert touch["data"]["phones"] == ["+7 912 345-61-31"]
    assert touch["data"]["warnings"] == ["broken_json"]


def test_cf7_query_is_an_inquiry_when_sent_by_get(door: Door) -> None:
    """And no prefetch becomes one."""
    source = door.add("cf7")
    query = urlencode({"your-name": "Иван", "your-tel": "+7 912 345-61-32", "menu-1[0]": "Кухня"})
    heard = call(door.entrance, "GET", f"/in/{source.token}", headers=_WORDPRESS, query=query)
    assert (heard.status, heard.body) == (200, b"{}")
    call(door.entrance, "HEAD", f"/in/{source.token}", query=query)
    call(door.entrance, "GET", f"/in/{source.token}")
    (touch,) = _touches(door)
    assert (touch["data"]["name"], touch["data"]["fields"]) == ("Иван", {"menu-1": ["Кухня"]})


def test_cf7_file_in_base64_is_taken_out_of_the_fields_when_posted(door: Door) -> None:
    source = door.add("cf7")
    body = orjson.dumps({"your-email": "anna@example.com", "file-1": {"filename": "plan.txt", "content": "YSBkcmF3aW5n"}})
    assert door.post(source, body, headers=_JSON | _WORDPRESS).status == 200
    (touch,) = _touches(door)
    assert touch["data"]["emails"] == ["anna@example.com"]
    assert "YSBkcmF3aW5n" not in orjson.dumps(touch["data"]).decode()


def test_gravity_entry_is_one_event_when_sent_twice(door: Door) -> None:
    source = door.add("gravity")
    entry = orjson.dumps({"id": "42", "form_id": "2", "1.3": "Anna", "1.6": "Example", "2": "anna@example.com"})
    answers = [door.post(source, entry, headers=_JSON | _WORDPRESS) for _ in range(2)]
    assert [(heard.status, heard.body) for heard in answers] == [(200, b"{}")] * 2
    assert [row["redeliveries"] for row in door.rows()] == [1]
    (touch,) = _touches(door)
    assert (touch["data"]["name"], touch["data"]["emails"]) == ("Anna Example", ["anna@example.com"])


def test_webflow_post_with_a_wrong_signature_is_kept_and_answered_when_a_secret_is_set(door: Door) -> None:
    """Webflow shows nobody the refusal, so it hears 200; the event waits for the right secret."""
    source = door.add("webflow", {"secret": "right"})
    body = orjson.dumps({"triggerType": "form_submission", "payload": {"id": "1", "data": {"Phone Number": 15550000000}}})
    signed = {"x-webflow-timestamp": "1700000000000", "x-webflow-signature": "0" * 64}
    assert (door.post(source, body, headers=_JSON | signed).status, _touches(door)) == (200, [])
    assert door.rows()[0]["state"] == "rejected"


def test_webflow_number_is_a_phone_when_it_was_sent_without_quotes(door: Door) -> None:
    source = door.add("webflow")
    body = b'{"triggerType":"form_submission","payload":{"name":"Contact","id":"1","data":{"Phone Number":15550000000}}}'
    door.post(source, body, headers=_JSON)
    (touch,) = _touches(door)
    assert (touch["data"]["phones"], touch["data"]["form"]["name"]) == (["15550000000"], "Contact")


def test_marquiz_contact_is_a_person_when_he_left_only_a_messenger(door: Door) -> None:
    source = door.add("marquiz")
    body = {
        "contacts": {"telegram": "@anna_example"},
        "answers": [{"q": "Что?", "a": ["Стол", "Стул"]}],
        "quiz": {"id": "1"},
    }
    heard = door.post(source, orjson.dumps(body), headers=_JSON)
    assert (heard.status, heard.body) == (200, b"{}")
    (touch,) = _touches(door)
    assert touch["data"]["messengers"] == {"telegram": "@anna_example"}
    assert touch["data"]["fields"] == {"Что?": ["Стол", "Стул"]}
    assert door.rows()[0]["outcome"] == "created"


def test_roistat_query_in_cp1251_is_read_when_sent_by_get(door: Door) -> None:
    """Macros that only Roistat could fill in are no marks."""
    source = door.add("roistat")
    values = {"roistat": "77", "key": "secret-of-roistat", "name": "Анна", "phone": "89001234567", "fields[charset]": "windows-1251",
              "fields[utm_source]": "{utmSource}", "fields[Город]": "Тула"}  # fmt: skip
    query = "&".join(f"{quote_plus(k.encode('cp1251'))}={quote_plus(v.encode('cp1251'))}" for k, v in values.items())
    heard = call(door.entrance, "GET", f"/in/{source.token}", query=query)
    assert (heard.status, heard.json()) == (200, {"status": "ok"})
    (touch,) = _touches(door)
    data = touch["data"]
    assert (data["name"], data["fields"]) == ("Анна", {"Город": "Тула"})
    assert data["attribution"]["client_ids"] == {"roistat_visit": "77"}
    assert not any(key.startswith("utm_") for key in data["attribution"])
    assert "secret-of-roistat" not in orjson.dumps(data).decode()


def test_calltouch_json_is_read_when_its_type_says_form(door: Door) -> None:
    source = door.add("calltouch")
    body = {
        "fio": "Борис",
        "phoneNumber": "79001234569",
        "comment": "a=1&b=2",
        "sessionId": "undefined",
        "requestUrl": "undefined",
    }
    heard = door.post(source, orjson.dumps(body), headers=_FORM, rest="/12345/register/")
    assert (heard.status, heard.body) == (200, b"{}")
    (touch,) = _touches(door)
    data = touch["data"]
    assert (data["name"], data["phones"], touch["text"]) == ("Борис", ["79001234569"], "a=1&b=2")
    assert (data["form"]["id"], data["attribution"]["client_ids"], data["attribution"]["page_url"]) == (
        "12345",
        {},
        "",
    )


def test_formsubmit_script_hears_true_as_a_text_when_it_posts(door: Door) -> None:
    """Scripts compare `success` with "true"."""
    source = door.add("formsubmit")
    scripts = [
        {"Accept": "application/json"},
        {"Accept": "*/*"},
        {},
        {"Accept": "application/json, text/html"},
        {"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"},
    ]
    body = b"email=anna%40example.com&_captcha=false"
    heard = [door.post(source, body, headers=_FORM | headers, rest="/ajax") for headers in scripts]
    assert [(answer.status, answer.json()["success"]) for answer in heard] == [(200, "true")] * len(scripts)


def test_formsubmit_visitor_sees_a_page_when_his_browser_posts(door: Door) -> None:
    heard = _form(door, door.add("formsubmit"), _BROWSER, email="anna@example.com", _captcha="false")
    assert (heard.status, heard.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize(("connector", "field"), [("formspree", "_next"), ("formsubmit", "_next"), ("web3forms", "redirect")])
def test_visitor_is_sent_to_the_page_that_the_form_names_when_its_host_is_allowed(door: Door, connector: str, field: str) -> None:
    source = door.add(connector, allowed_hosts=["www.example.com"])
    allowed = _form(door, source, _BROWSER, email="anna@example.com", **{field: "https://www.example.com/thanks"})
    assert (allowed.status, allowed.headers["location"]) == (303, "https://www.example.com/thanks?lead=ok")
    evil = _form(door, source, _BROWSER, email="boris@example.com", **{field: "https://evil.example/"})
    assert (evil.status, evil.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert all("evil" not in str(touch["data"]["fields"]) for touch in _touches(door))


def test_formspree_script_hears_both_styles_when_it_posts(door: Door) -> None:
    heard = door.post(
        door.add("formspree"),
        b'{"email":"anna@example.com","_next":"https://www.example.com/thanks"}',
        headers=_JSON | {"Accept": "application/json"},
    )
    assert (heard.status, heard.json()) == (
        200,
        {"ok": True, "success": "email sent", "next": "https://www.example.com/thanks", "errors": []},
    )
    assert heard.headers["access-control-allow-origin"] == "*"


def test_scripts_hear_what_their_providers_would_say_when_they_post_json(door: Door) -> None:
    wanted: dict[str, dict[str, Any]] = {
        "basin": {"success": True, "id": None, "error": None},
        "getform": {"success": True},
        "google_forms": {"ok": True},
        "hubspot": {"inlineMessage": "Thank you. We have received your request."},
        "tilda_json": {"message": "OK"},
        "web3forms": {"success": True, "message": "Email sent successfully!"},
        **{
            name: {}
            for name in (
                "calltouch",
                "cf7",
                "elementor",
                "gravity",
                "marquiz",
                "ninja",
                "webflow",
                "wix",
                "wpforms",
            )
        },
    }
    script = _JSON | {"Accept": "application/json"}
    heard = {name: door.post(door.add(name), b'{"email":"anna@example.com"}', headers=script) for name in wanted}
    assert {name: answer.json() for name, answer in heard.items()} == wanted
    assert {answer.status for answer in heard.values()} == {200}
    assert len(_touches(door)) == len(wanted)


def test_honeypot_is_told_beside_the_inquiry_when_a_robot_filled_it(door: Door) -> None:
    """Nothing is refused: the robot hears what a visitor hears, and the event is there with its reason."""
    source = door.add("formspree")
    heard = _form(door, source, _BROWSER, email="robot@example.net", message="Buy links", _gotcha="x")
    person = _form(door, source, _BROWSER, email="anna@example.com", message="Hello", _gotcha="")
    assert (heard.status, heard.headers["content-type"]) == (person.status, person.headers["content-type"])
    assert len(door.rows()) == 2
