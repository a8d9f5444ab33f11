"""A new source on one page: what it is, a few fields, then both addresses, the provider's words and the first event."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest

from connectors.kit import registry
from connectors.kit.guide import guide_of
from crm_core.access import HUB
from ingest.processing.process import drain
from ingest.sources.sources import add_source, source_address
from webhooks.console.sources.setup_form import fields_of

if TYPE_CHECKING:
    from conftest import Hub


def _titles(page: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'<a class="chip"[^>]*>([^<]+)</a>', page)]


def _cards(page: str) -> list[tuple[str, str]]:
    found = re.findall(r'<a class="choice".*?<span class="strong">([^<]+)</span><span class="muted">([^<]*)</span>', page)
    return [(html.unescape(title), html.unescape(summary)) for title, summary in found]


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_every_connector_is_reached_and_says_one_sentence_in_the_readers_language(hub: Hub, locale: str) -> None:
    admin = hub.signed_in("admin")
    admin.get("/console/sources/add")
    admin.post("/console/language", locale=locale)
    everything = [one for one in registry.discover().values() if registry.folder_of(one.name)]
    said = set()
    for kind in ("form", "call"):
        page = admin.get(f"/console/sources/add?kind={kind}").text
        said |= {summary for _, summary in _cards(page)} | {
            html.unescape(one) for one in re.findall(r'class="chip"[^>]* title="([^"]+)"', page)
        }
    guides = [guide for one in everything if (guide := guide_of(one)) and one.channel != "mail"]
    assert said == {guide.summary.in_(locale) for guide in guides}
    assert len(said) == len(everything) - 1


def test_common_ones_come_first_and_any_form_is_the_first_of_all(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    assert _titles(admin.get("/console/sources/add?kind=form").text)[:4] == [
        "Any web form",
        "Tilda",
        "Contact Form 7",
        "Yandex Forms",
    ]
    assert _titles(admin.get("/console/sources/add?kind=call").text) == ["Mango Office", "Zadarma, Novofon", "Any exchange"]
    start = admin.get("/console/sources/add").text
    assert 'href="/console/sources/add/generic_form"' in start
    assert 'href="/console/sources/add/imap"' in start


@pytest.mark.parametrize(
    "words, found",
    [("яндекс", {"Yandex Forms"}), ("wordpress forms", {"Elementor forms", "Gravity Forms", "Ninja Forms"}), ("MANGO", {"Mango Office"}),
     ("nobody has this", set())],
)  # fmt: skip
def test_search_works_without_script_in_both_languages(hub: Hub, words: str, found: set[str]) -> None:
    page = hub.signed_in("admin").get("/console/sources/add", query_string={"q": words}).text
    titles = {title for title, _ in _cards(page)}
    assert found <= titles if found else (titles == set() and "Any web form reads it" in page)


@pytest.mark.parametrize("name", ["generic_form", "tilda", "mango", "zadarma", "generic_call", "meta", "yandex_forms", "imap"])
def test_at_most_three_settings_stand_open_and_what_is_needed_is_among_them(hub: Hub, name: str) -> None:
    page = hub.signed_in("admin").get(f"/console/sources/add/{name}").text
    open_part = page.split('<details class="fold wide"', 1)[0]
    fields = re.findall(r'id="f-(\w+)"', open_part)
    assert 1 <= len(fields) <= 4
    required = set(registry.config_schema(name).get("required", ())) - {"host"}  # a mailbox's server is found by its address
    assert required <= set(fields)


def test_call_source_is_set_up_from_its_page(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    admin.get("/console/sources/add/generic_call")
    answer = admin.post("/console/sources/add/generic_call", source_name="Office")
    assert answer.status_code == 303
    where = answer.headers["Location"]
    assert "/connect" in where
    page = admin.get(where).text
    [source_id] = [int(found) for found in re.findall(r"/sources/(\d+)/connect", where)]
    with hub.engine.begin() as connection:
        url = source_address(connection, hub.config, source_id)
    assert f'<code id="address">{url}</code>' in page
    assert f'<code id="route-address">{url.replace("/in/", "/route/")}</code>' in page
    assert "Waiting for the first event, 0:0" in page
    assert 'data-refresh-seconds="2"' in page
    for step in guide_of(registry.get("generic_call")).steps.en:  # type: ignore[union-attr]
        assert html.escape(step, quote=True).replace("&#x27;", "&#39;") in page
    hub.rows("UPDATE source SET created_at = now() - interval '4 minutes' WHERE id = :id RETURNING id", id=source_id)
    late = admin.get(where).text
    assert "Nothing has come for three minutes" in late
    assert "The events of calls are switched on at the provider." in late
    assert url in admin.get(f"/console/sources/{source_id}").text
    # The question's address answers as the contract says.
    asked = hub.new_visitor().client.get(
        url[url.index("/in/") :].replace("/in/", "/route/"), query_string={"caller": "+79123456701"}
    )
    assert (asked.status_code, asked.json["contact"]) == (200, None)


def test_first_event_is_shown_with_what_was_understood_of_it(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    where = f"/console/sources/{hub.source_id}/connect"
    assert "Waiting for the first event" in admin.get(where).text
    hub.send(b'{"name": "Anna Sidorova", "phone": "+7 912 345-67-01", "message": "Two doors", "colour": "green"}')
    page = admin.get(where).text
    assert "The first event came after" in page
    for said in ("Anna Sidorova", "Two doors", "Fields kept as they are"):
        assert said in page
    assert "data-refresh-seconds" not in page.split('id="waiting"', 1)[1].split(">", 1)[0]
    assert "Waiting for the first event" not in page


def test_event_that_was_refused_is_shown_as_the_first_one(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        source = add_source(connection, HUB, hub.config, "mango", "Mango", {"key": "k", "salt": "s"})
    client = hub.new_visitor().client
    client.post(source.url[source.url.index("/in/") :] + "/events/call", data={"vpbx_api_key": "k", "sign": "no", "json": "{}"})
    drain(None, hub.config, "call")
    page = hub.signed_in("admin").get(f"/console/sources/{source.id}/connect").text
    assert 'class="verdict bad"' in page
    assert "not signed with this source" in page or "signature" in page


def test_secret_that_the_hub_made_is_shown_once(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    admin.get("/console/sources/add/meta")
    page = admin.post("/console/sources/add/meta", source_name="Facebook", app_secret="a" * 32, page_token="b" * 40)
    assert page.status_code == 200
    [secret] = re.findall(r'<code id="made-secret">([\w-]{20,})</code>', page.text)
    [(source_id,)] = hub.rows("SELECT id FROM source WHERE connector = 'meta'")
    assert secret not in admin.get(f"/console/sources/{source_id}/connect").text


def test_mailbox_asks_for_address_and_password_and_finds_the_server(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    admin.get("/console/sources/add/imap")
    answer = admin.post(
        "/console/sources/add/imap",
        user="sales@sub.example.com",
        password="x",
        folder="INBOX",
        start="new",
        security="tls",
        port="0",
    )
    assert answer.status_code == 422  # nobody answers there, and that is said
    assert "Server found by the address: imap.sub.example.com" in answer.text
    saved = admin.post(
        "/console/sources/add/imap",
        user="sales@yandex.ru",
        password="x",
        save="later",
        folder="INBOX",
        security="tls",
        start="new",
        port="0",
    )
    assert saved.status_code == 303
    assert hub.rows("SELECT name, config->>'host' FROM source WHERE connector = 'imap'") == [
        ("sales@yandex.ru", "imap.yandex.ru")
    ]


def test_settings_open_in_the_guides_order() -> None:
    from webhooks.console.shell.language import Language

    fields = fields_of(registry.get("imap"), Language("ru"), {}, {})
    assert [field.name for field in fields if not field.extra] == ["user", "password"]
    every = ["region", "timezone", "lost_days", "reopen_days", "asleep_days", "together_minutes", "reissued_days"]
    assert [field.name for field in fields][-7:] == every  # what every source has comes last
