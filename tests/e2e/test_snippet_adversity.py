"""The page snippet where site, service and browser do their worst: an inquiry is not lost, and nobody is told what is not so."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from snippet_world import FIELDS, Hub, Site, Stub, open_hub, open_site, open_stub, until
from sqlalchemy import Engine
from walking import chromium

from crm_core.base.config import HubConfig

pytestmark = pytest.mark.e2e

FILE = FIELDS + '<label>File <input type="file" name="plan"></label>'
PLAN = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"two rooms"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(locale="en-US")
    broken: list[str] = []
    made.on("weberror", lambda error: broken.append(str(error.error)))
    yield made
    made.close()
    assert broken == []


@pytest.fixture
def site() -> Iterator[Site]:
    with open_site() as opened:
        yield opened


@pytest.fixture
def hub(config: HubConfig, engine: Engine) -> Iterator[Hub]:
    with open_hub(config, engine) as opened:
        yield opened


@pytest.fixture
def stub() -> Iterator[Stub]:
    with open_stub() as opened:
        yield opened


def submit(page: Page, message: str = "") -> None:
    page.get_by_label("Name").fill("Anna")
    page.get_by_label("Phone").fill("+7 912 345-67-01")
    page.get_by_label("Message").fill(message)
    page.get_by_role("button", name="Send").click()


def says(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(text)


def fields(hub: Hub) -> list[dict[str, object]]:
    return [json.loads(event["body"])["fields"] for event in hub.events()]


def test_inquiry_is_kept_when_somebodys_page_answers_instead_of_the_hub(context: BrowserContext, site: Site, stub: Stub) -> None:
    """A proxy in front of the hub is being repaired and says so with 200."""
    stub.pages = 1
    page = context.new_page()
    page.goto(site.form(stub.address))
    submit(page)
    says(page, "Saved")
    page.evaluate("LeadHub.flush()")
    says(page, "Sent")
    assert len({letter["_key"] for letter in stub.letters()}) == 1


@pytest.mark.parametrize(("status", "told"), [(301, "Saved"), (302, "Saved"), (303, "Saved"), (307, "Sent"), (308, "Sent")])
def test_redirect_counts_only_if_the_inquiry_went_along(
    context: BrowserContext, site: Site, stub: Stub, status: int, told: str
) -> None:
    """301 to 303 make a GET of the post: what answers there has not seen the inquiry."""
    stub.statuses = [status, 200]
    page = context.new_page()
    page.goto(site.form(stub.address))
    submit(page)
    says(page, told)
    assert page.evaluate("LeadHub.pending()") == (told == "Saved")


@pytest.mark.parametrize("char", ["字", "я", "😀"])
def test_long_text_arrives_when_its_characters_have_many_bytes(context: BrowserContext, site: Site, hub: Hub, char: str) -> None:
    """A browser refuses to keep more than 64 kB alive; it must not be asked to, or the inquiry waits for ever."""
    text = char * (28_000 // len(char.encode("utf-16-le")) * 2)
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    submit(page, text)
    says(page, "Sent")
    assert [sent["message"] for sent in fields(hub)] == [text]


def test_fields_arrive_as_typed_when_they_are_named_like_what_every_object_has(
    context: BrowserContext, site: Site, hub: Hub
) -> None:
    names = ("constructor", "__proto__", "toString", "action", "submit", "id", "method", "length")
    inner = FIELDS + "".join(f'<input name="{name}" value="of {name}">' for name in names)
    page = context.new_page()
    page.goto(site.form(hub.source.url, inner=inner))
    submit(page)
    says(page, "Sent")
    [sent] = fields(hub)
    assert {name: sent.get(name) for name in names} == {name: f"of {name}" for name in names}


def test_no_consent_is_made_up_when_the_form_asks_for_none(context: BrowserContext, site: Site, hub: Hub) -> None:
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    submit(page)
    says(page, "Sent")
    assert "_consents" not in json.loads(hub.events()[0]["body"])["ctx"]


def test_inquiry_arrives_when_the_site_clears_its_storage_meanwhile(context: BrowserContext, site: Site, hub: Hub) -> None:
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    hub.stop()
    submit(page)
    says(page, "Saved")
    page.evaluate("localStorage.clear()")
    assert page.evaluate("LeadHub.pending()") == 1
    hub.start()
    page.evaluate("LeadHub.flush()")
    says(page, "Sent")
    assert len(fields(hub)) == 1


def test_page_tells_its_visitor_when_another_tab_has_sent_the_inquiry(context: BrowserContext, site: Site, hub: Hub) -> None:
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(site.form(hub.source.url))
    hub.stop()
    submit(tabs[0])
    says(tabs[0], "Saved")
    hub.start()
    tabs[1].evaluate("LeadHub.flush()")
    until(lambda: len(hub.events()) == 1)
    tabs[0].evaluate("LeadHub.flush()")
    says(tabs[0], "Sent")
    assert len(fields(hub)) == 1
    assert hub.leads() == 1


def test_none_is_thrown_away_when_many_wait(context: BrowserContext, site: Site, hub: Hub) -> None:
    """A tablet on a fair's stand, without a connection for a day."""
    page = context.new_page()
    address = site.form(hub.source.url)
    page.goto(address)
    hub.stop()
    page.evaluate(
        "async () => { for (let n = 0; n < 40; n++) await LeadHub.send({name: `Guest ${n}`, phone: `+791234567${10 + n}`}); }"
    )
    page.goto("about:blank")
    hub.start()
    page.goto(address)
    until(lambda: page.evaluate("LeadHub.pending()") == 0)
    assert sorted(str(sent["name"]) for sent in fields(hub)) == sorted(f"Guest {n}" for n in range(40))


@pytest.mark.parametrize("method", ["post", "POST"])
def test_form_with_a_file_can_be_sent_again_when_the_visitor_comes_back(
    context: BrowserContext, site: Site, stub: Stub, method: str
) -> None:
    """The browser posts by itself after a failed try; back on the page, which the browser kept, the form must work."""
    stub.statuses = [503, 204, 200]
    page = context.new_page()
    page.goto(site.form(stub.address, form='enctype="multipart/form-data"', inner=FILE))
    page.evaluate("(method) => document.forms[0].setAttribute('method', method)", method)
    page.get_by_label("File").set_input_files(PLAN)
    submit(page)
    until(lambda: len(stub.heard) == 2)  # an answer without content leaves the page where it is
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    expect(page.get_by_role("status")).to_have_text("")
    assert page.get_by_label("Name").input_value() == "Anna"
    page.get_by_role("button", name="Send").click()
    says(page, "Sent")
    first, second, third = (body.partition(b'name="_key"\r\n\r\n')[2][:32] for body in stub.heard)
    assert first == second
    assert third not in (
        first,
        b"",
    )  # another inquiry: with the old key the hub would take it for the old one
    assert all(body.count(b'name="_key"') == 1 for body in stub.heard)


def test_button_with_an_address_of_its_own_keeps_its_meaning(context: BrowserContext, site: Site, stub: Stub) -> None:
    page = context.new_page()
    page.goto(
        site.form(
            stub.address,
            inner=FIELDS + f'<button formaction="{stub.address}/price" formnovalidate>Price</button>',
        )
    )
    page.get_by_role("button", name="Price").click()
    page.wait_for_url(f"{stub.address}/price")
    assert stub.heard == [b"name=&phone=&message="]


def test_closing_a_dialog_and_searching_are_no_inquiries_when_all_forms_are_taken(
    context: BrowserContext, site: Site, stub: Stub
) -> None:
    address = site.form(stub.address, script='data-leadhub-forms="all"')
    site.pages["/"] += (
        '<dialog open><form method="dialog"><button>Close</button></form></dialog>'
        f'<form role="search" action="{stub.address}"><input name="q"><button>Find</button></form>'
    )
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**/in/stub?q=")
    assert stub.heard == []


def test_no_wait_is_longer_than_a_browser_can_count_when_the_clock_was_put_back(
    context: BrowserContext, site: Site, stub: Stub
) -> None:
    """A timer of more than 24 days runs out at once: the page would try without a pause."""
    stub.statuses = [503]
    page = context.new_page()
    page.goto(site.form(stub.address))
    submit(page)
    says(page, "Saved")
    page.evaluate(
        "() => { const now = Date.now, real = window.setTimeout; Date.now = () => now() - 30 * 864e5; window.waits = [];"
        " window.setTimeout = (f, ms, ...rest) => (waits.push(ms), real(f, ms, ...rest)); }"
    )
    until(lambda: page.evaluate("waits.length"))
    assert 0 < max(page.evaluate("waits")) < 2**31
