"""The page snippet in a real browser: whatever happens to hub, page and connection, one inquiry arrives once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from snippet_world import FIELDS, Hub, Site, Stub, open_hub, open_site, open_stub, until
from sqlalchemy import Engine
from walking import chromium

from connectors.kit import Request, registry
from crm_core.base.config import HubConfig
from crm_core.parsed import Inquiry
from ingest.screening import challenge
from webhooks.entrance.snippet_file import snippet

pytestmark = pytest.mark.e2e

#: Retries come at once: the waiting itself is not what is tested.
NO_WAIT = (
    "const real = window.setTimeout; window.setTimeout = (f, ms, ...rest) => real(f, ms >= 1000 && ms < 9000 ? 50 : ms, ...rest);"
)

#: Retries never come by themselves: what was saved stays as it is until the test looks at it and flushes.
BY_HAND = "const real = window.setTimeout; window.setTimeout = (f, ms, ...rest) => real(f, ms >= 1000 && ms < 9000 ? 1e9 : ms, ...rest);"

#: Tells when the signed time of a form has been kept.
TOKEN_IS_KEPT = """{
  const set = WeakMap.prototype.set;
  WeakMap.prototype.set = function (key, value) { if (value && typeof value === "string") window.tokenIsKept = true; return set.call(this, key, value); };
}"""

#: Makes what waits in the browser older by so many days.
AGED = """(days) => {
  for (const key of Object.keys(localStorage).filter((key) => key.startsWith("leadhub:queue:"))) {
    const item = JSON.parse(localStorage[key]);
    localStorage[key] = JSON.stringify({ ...item, t: item.t - days * 864e5 });
  }
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium("--host-resolver-rules=MAP shop.test 127.0.0.1") as launched:
        yield launched


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor of its own. Nothing but 127.0.0.1 is asked for, and no page breaks its own policy."""
    made = browser.new_context(locale="en-US")
    strangers: list[str] = []
    said: list[str] = []
    made.on(
        "request",
        lambda request: (
            strangers.append(request.url) if urlsplit(request.url).hostname not in ("127.0.0.1", "shop.test") else None
        ),
    )
    made.on("console", lambda message: said.append(message.text) if "Content Security Policy" in message.text else None)
    made.on("weberror", lambda error: said.append(str(error.error)))
    yield made
    made.close()
    assert (strangers, said) == ([], [])


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


def fill(page: Page, name: str = "Anna", phone: str = "+7 912 345-67-01") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Phone").fill(phone)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send").click()


def pending(page: Page) -> int:
    count: int = page.evaluate("LeadHub.pending()")
    return count


def flush_until_sent(page: Page) -> None:
    """Again and again: a try that is still on its way is not begun anew by a flush."""
    until(lambda: page.evaluate("LeadHub.flush().then(() => LeadHub.pending())") == 0)


def read(event: dict[str, object]) -> Inquiry:
    """What the hub understands of an event."""
    connector = registry.get("generic_form")
    request = Request("POST", "", "", event["headers"], event["body"], event["received_at"])  # type: ignore[arg-type]
    [inquiry] = connector.parse(request, connector.config_model(region="RU", timezone="Europe/Moscow"))
    assert isinstance(inquiry, Inquiry)
    return inquiry


def test_lead_arrives_once_when_the_hub_was_down_and_the_page_was_closed(context: BrowserContext, site: Site, hub: Hub) -> None:
    address = site.form(hub.source.url)
    page = context.new_page()
    page.goto(address)
    fill(page)
    hub.stop()
    send(page)
    expect(page.get_by_role("status")).to_have_text("Saved, will be sent when you are online.")
    page.close(run_before_unload=False)
    assert hub.events() == []
    hub.start()
    page = context.new_page()
    page.goto(address)
    until(lambda: pending(page) == 0)
    [event] = hub.events()
    assert hub.leads() == 1
    inquiry = read(event)
    assert inquiry.name == "Anna"
    assert inquiry.submitted_at is not None
    assert inquiry.submitted_at < event["received_at"]
    assert inquiry.antispam_fields["script"] == "1"
    assert inquiry.attribution.page_title == "Contacts"
    page.reload()
    assert pending(page) == 0
    assert len(hub.events()) == 1


def test_inquiry_is_back_dated_when_it_waited_for_three_days(context: BrowserContext, site: Site, hub: Hub) -> None:
    context.add_init_script(BY_HAND)
    page = context.new_page()
    address = site.form(hub.source.url)
    page.goto(address)
    hub.stop()
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.evaluate(AGED, 3)
    hub.start()
    flush_until_sent(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    [event] = hub.events()
    submitted = read(event).submitted_at
    assert submitted is not None
    assert 3 <= (event["received_at"] - submitted).total_seconds() / 86_400 < 3.01


def test_inquiry_older_than_a_week_is_forgotten(context: BrowserContext, site: Site, stub: Stub) -> None:
    stub.statuses = [503, 200]
    context.add_init_script(BY_HAND)
    page = context.new_page()
    page.goto(site.form(stub.address))
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.evaluate(AGED, 7.1)
    page.reload()
    assert pending(page) == 0
    page.evaluate("LeadHub.flush()")
    assert len(stub.heard) == 1


@pytest.mark.parametrize("how", ["twice", "thrice by script"])
def test_one_inquiry_is_made_when_the_button_is_clicked_again_and_again(
    context: BrowserContext, site: Site, hub: Hub, how: str
) -> None:
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    fill(page)
    if how == "twice":
        page.get_by_role("button", name="Send").dblclick()
    else:
        page.evaluate("() => { const f = document.forms[0]; f.requestSubmit(); f.requestSubmit(); f.requestSubmit(); }")
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    assert page.get_by_label("Name").input_value() == ""
    assert page.get_by_role("button", name="Send").is_enabled()
    [event] = hub.events()
    assert event["redeliveries"] == 0


def test_each_inquiry_arrives_once_when_two_tabs_wait_for_the_hub(context: BrowserContext, site: Site, hub: Hub) -> None:
    address = site.form(hub.source.url)
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(address)
    hub.stop()
    for number, tab in enumerate(tabs):
        fill(tab, f"Anna {number}", f"+7 912 345-67-0{number}")
        send(tab)
        expect(tab.get_by_role("status")).to_contain_text("Saved")
    for tab in tabs:  # a tab sees what another wrote a little later
        until(lambda tab=tab: pending(tab) == 2)  # type: ignore[misc]
    hub.start()
    for tab in tabs:
        tab.evaluate("() => { dispatchEvent(new Event('online')); }")
    for tab in tabs:
        until(lambda tab=tab: pending(tab) == 0)  # type: ignore[misc]
    assert sorted(json.loads(event["body"])["fields"]["name"] for event in hub.events()) == ["Anna 0", "Anna 1"]
    assert hub.leads() == 2


def test_nothing_is_lost_when_two_tabs_send_at_the_same_moment(context: BrowserContext, site: Site, hub: Hub) -> None:
    """Tabs see each other's storage with a delay: neither may write over what the other keeps or takes away."""
    address = site.form(hub.source.url)
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(address)
    hub.stop()
    for number, tab in enumerate(tabs):
        tab.evaluate(
            "(tab) => { let n = 0; const clock = setInterval(() => { LeadHub.send({name: `Anna ${tab}.${n}`, phone: `+7912345${tab}${n}00`});"
            " if (++n === 10) clearInterval(clock); }, 5); }",
            number,
        )
    for tab in tabs:
        until(lambda tab=tab: pending(tab) == 20)  # type: ignore[misc]
    hub.start()
    for tab in tabs:
        tab.evaluate("() => { dispatchEvent(new Event('online')); }")
    for tab in tabs:
        until(lambda tab=tab: pending(tab) == 0)  # type: ignore[misc]
    names = sorted(json.loads(event["body"])["fields"]["name"] for event in hub.events())
    assert names == sorted(f"Anna {tab}.{number}" for tab in range(2) for number in range(10))


def test_inquiry_arrives_when_cookies_are_broken_and_known(context: BrowserContext, site: Site, hub: Hub) -> None:
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    page.evaluate(
        "() => { document.cookie = '_fbp=%E0%A4%A'; document.cookie = '_ga=GA1.2.111.222'; document.cookie = '_ym_uid=1768';"
        " document.cookie = 'roistat_visit=77'; document.cookie = 'session=secret'; }"
    )
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    [event] = hub.events()
    inquiry = read(event)
    assert inquiry.attribution.client_ids["ga"] == "111.222"
    assert inquiry.attribution.client_ids["ym_uid"] == "1768"
    assert inquiry.attribution.client_ids["roistat_visit"] == "77"
    assert b"secret" not in event["body"]


@pytest.mark.parametrize("how", ["blocked", "full"])
def test_inquiry_arrives_when_storage_cannot_be_written(context: BrowserContext, site: Site, hub: Hub, how: str) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
        if how == "blocked"
        else "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
    )
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    hub.stop()
    fill(page)
    send(page)
    until(lambda: page.evaluate("LeadHub.pending()") == 1)
    expect(page.get_by_role("status")).to_contain_text("keep this page open")  # never "saved": it is not
    hub.start()
    page.evaluate("LeadHub.flush()")
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    assert len(hub.events()) == 1


def test_inquiry_is_tried_again_with_its_key_when_the_hub_fails(context: BrowserContext, site: Site, stub: Stub) -> None:
    stub.statuses = [500, 503, 429, 408, 200]
    context.add_init_script(NO_WAIT)
    page = context.new_page()
    page.goto(site.form(stub.address))
    fill(page)
    send(page)
    flush_until_sent(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    letters = stub.letters()
    assert [letter["_try"] for letter in letters] == [0, 1, 2, 3, 4]
    assert len({letter["_key"] for letter in letters}) == 1
    assert len(letters[0]["_key"]) == 32
    assert [letter["_age_ms"] for letter in letters] == sorted(letter["_age_ms"] for letter in letters)


@pytest.mark.parametrize("status", [400, 404, 413])
def test_inquiry_is_kept_and_shown_when_it_is_refused_for_good(
    context: BrowserContext, site: Site, stub: Stub, status: int
) -> None:
    stub.statuses = [status]
    page = context.new_page()
    page.goto(site.form(stub.address))
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Not sent. Please call or write to us.")
    assert page.get_by_label("Name").input_value() == "Anna"  # nothing that was typed is lost
    page.evaluate("LeadHub.flush()")
    page.reload()
    assert pending(page) == 0
    assert page.evaluate("LeadHub.failed().map((item) => [item.dead, item.f.name])") == [[status, "Anna"]]
    assert len(stub.heard) == 1


def test_slow_answer_is_given_up_and_the_inquiry_sent_again(context: BrowserContext, site: Site, stub: Stub) -> None:
    stub.delays = [600.0]
    context.add_init_script(BY_HAND)
    page = context.new_page()
    page.goto(site.form(stub.address, script='data-leadhub-timeout="0.5"'))
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_contain_text("Saved")
    flush_until_sent(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    letters = stub.letters()
    assert len(letters) >= 2  # a busy machine may be slower than the limit once more
    assert len({letter["_key"] for letter in letters}) == 1


def test_beacon_carries_the_same_key_when_the_page_is_left_too_early(context: BrowserContext, site: Site, stub: Stub) -> None:
    stub.delays = [600.0]
    page = context.new_page()
    address = site.form(stub.address)
    page.goto(address)
    fill(page)
    send(page)
    until(lambda: len(stub.heard) == 1)
    page.goto("about:blank")
    until(lambda: len(stub.heard) >= 2)
    assert len({letter["_key"] for letter in stub.letters()}) == 1


def test_hub_knows_a_beacon_and_its_repetition_for_one_inquiry(context: BrowserContext, site: Site, hub: Hub) -> None:
    """The page is left at once: fetch, beacon and the next page's repetition may all arrive."""
    page = context.new_page()
    address = site.form(hub.source.url)
    page.goto(address)
    fill(page)
    page.evaluate("() => { document.forms[0].requestSubmit(); location.href = 'about:blank'; }")
    page.wait_for_url("about:blank")
    page.goto(address)
    until(lambda: pending(page) == 0)
    assert len(hub.events()) == 1
    assert hub.leads() == 1


def test_first_touch_is_kept_and_last_touch_follows_the_visitor(context: BrowserContext, site: Site, hub: Hub) -> None:
    address = site.form(hub.source.url)
    page = context.new_page()
    page.goto(f"{address}?utm_source=first&gclid=g1")
    page.goto(f"{address}?utm_source=second&yclid=y2&utm_campaign={'x' * 3000}")
    page.goto(address)  # the form stands on another page than the one that was advertised
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    origin = read(hub.events()[0]).attribution
    assert origin.utm["utm_source"] == "second"
    assert origin.click_ids == {"yclid": "y2"}
    assert origin.first["utm"] == {"utm_source": "first"}
    assert origin.first["click_ids"] == {"gclid": "g1"}
    assert origin.page_url == address


def test_script_does_not_run_when_its_integrity_is_wrong_and_the_form_works_all_the_same(
    browser: Browser, site: Site, hub: Hub
) -> None:
    wrong = "sha384-" + "A" * 64
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(site.form(hub.source.url, integrity=wrong))
    assert page.evaluate("typeof window.LeadHub") == "undefined"
    fill(page)
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert len(hub.events()) == 1
    context.close()


def test_form_posts_by_itself_when_scripts_are_off(browser: Browser, site: Site, hub: Hub) -> None:
    context = browser.new_context(java_script_enabled=False, locale="ru-RU")
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    fill(page)
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Спасибо")
    assert len(hub.events()) == 1
    context.close()


def test_consents_are_told_with_the_words_beside_the_box(context: BrowserContext, site: Site, hub: Hub) -> None:
    inner = FIELDS + (
        '<label><input type="checkbox" name="agree" data-leadhub-consent="processing" data-leadhub-consent-id="v3"> '
        'I agree to the\n <a href="https://example.com/privacy">processing</a> of my data</label>'
        '<label><input type="checkbox" name="box7" data-leadhub-consent="marketing"> Send me news and offers</label>'
    )
    page = context.new_page()
    page.goto(site.form(hub.source.url, inner=inner))
    fill(page)
    page.get_by_label("I agree").check()
    send(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    [event] = hub.events()
    words = "I agree to the processing of my data"
    first, second = json.loads(event["body"])["ctx"]["_consents"]
    assert first == {
        "field": "agree", "purpose": "processing", "given": True, "text": words, "id": "v3",
        "url": "https://example.com/privacy", "sha256": hashlib.sha256(words.encode()).hexdigest(),
    }  # fmt: skip
    assert (second["field"], second["purpose"], second["given"]) == ("box7", "marketing", False)
    given = {consent.purpose: consent for consent in read(event).consents}
    assert given["processing"].given
    assert given["processing"].text == words
    assert given["processing"].text_sha256 == first["sha256"]
    assert given["processing"].text_id == "v3"
    assert not given["marketing"].given
    assert given["marketing"].text == "Send me news and offers"


def test_signed_time_is_fetched_at_the_first_touch_and_sent_along(context: BrowserContext, site: Site, hub: Hub) -> None:
    context.add_init_script(TOKEN_IS_KEPT)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/c/" in request.url else None)
    page.goto(site.form(hub.source.url, form="data-leadhub-guard"))
    assert asked == []
    page.get_by_label("Name").focus()
    until(lambda: page.evaluate("window.tokenIsKept === true"))
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    assert asked == [hub.source.url.replace("/in/", "/c/")]
    [event] = hub.events()
    age = challenge.check(hub.config, hub.source.id, read(event).antispam_fields["time_token"], datetime.now(UTC))
    assert age is not None


@pytest.mark.parametrize("down", [False, True], ids=["hub up", "hub fails"])
def test_file_is_sent_at_once_or_by_the_browser_itself(
    context: BrowserContext, site: Site, hub: Hub, stub: Stub, down: bool
) -> None:
    posted_to = stub.address if down else hub.source.url
    stub.statuses = [503, 200]
    page = context.new_page()
    page.goto(
        site.form(
            posted_to, form='enctype="multipart/form-data"', inner=FIELDS + '<label>File <input type="file" name="plan"></label>'
        )
    )
    fill(page)
    page.get_by_label("File").set_input_files({"name": "plan.txt", "mimeType": "text/plain", "buffer": b"two rooms"})
    send(page)
    if down:
        page.wait_for_url(stub.address)
        assert len(stub.heard) == 2
        keys = {body.partition(b'name="_key"\r\n\r\n')[2][:32] for body in stub.heard}
        assert len(keys) == 1  # if the hub has both, the second is a double of the first
        assert all(b"two rooms" in body for body in stub.heard)
    else:
        expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
        [event] = hub.events()
        inquiry = read(event)
        assert b"two rooms" in event["body"]
        assert inquiry.attribution.page_title == "Contacts"
        assert inquiry.antispam_fields["script"] == "1"
        assert event["provider_key"]


def test_what_the_site_asks_for_happens(context: BrowserContext, site: Site, hub: Hub) -> None:
    """Texts of its own, Russian by the page, an event for its counters, its own page of thanks, native validation."""
    inner = FIELDS + '<p data-leadhub-status data-leadhub-sending="Летит…"></p><input name="_gotcha" hidden>'
    address = site.form(hub.source.url, inner=inner, lang="ru", form='data-leadhub-keep data-leadhub-form="footer"')
    page = context.new_page()
    page.goto(address)
    send(page)  # the name is required
    assert page.get_by_role("status").count() == 0
    page.evaluate(
        "() => { window.heard = []; for (const n of ['sending', 'sent', 'saved', 'failed']) document.addEventListener('leadhub:' + n, (e) => heard.push([n, !!e.detail.key, e.detail.answer && e.detail.answer.accepted])); }"
    )
    page.get_by_label("Name").fill("Анна")
    send(page)
    expect(page.get_by_role("status")).to_have_text("Спасибо! Отправлено.")
    assert page.evaluate("heard")[-1] == ["sent", True, True]
    assert page.get_by_label("Name").input_value() == "Анна"
    assert read(hub.events()[0]).form_id == "footer"

    site.pages["/thanks"] = "<!doctype html><title>Thanks</title>"
    page.goto(site.form(hub.source.url, "/next", form='data-leadhub-next="/thanks?ok=1"'))
    fill(page)
    send(page)
    page.wait_for_url(site.url("/thanks?ok=1"))
    assert len(hub.events()) == 2


def test_honeypot_is_sent_as_any_field(context: BrowserContext, site: Site, hub: Hub) -> None:
    page = context.new_page()
    page.goto(site.form(hub.source.url, inner=FIELDS + '<input name="_gotcha" hidden>'))
    fill(page)
    page.evaluate("document.querySelector('[name=_gotcha]').value = 'robot'")
    send(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    assert read(hub.events()[0]).antispam_fields["honeypot"] == "_gotcha=robot"


def test_all_forms_are_taken_but_those_that_are_not_for_us(context: BrowserContext, site: Site, hub: Hub) -> None:
    address = site.form(hub.source.url, script='data-leadhub-forms="all"')
    site.pages["/"] = site.pages["/"].replace("<form data-leadhub ", "<form ") + (
        f'<form id="login" action="{site.hub}/livez"><input type="password" name="p"></form>'
        f'<form id="off" data-leadhub="off" action="{site.hub}/livez"><input name="q"></form>'
    )
    page = context.new_page()
    page.goto(address)
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    for other in ("login", "off"):
        page.goto(address)
        page.evaluate(f"document.getElementById('{other}').requestSubmit()")
        page.wait_for_url("**/livez?*")
    assert len(hub.events()) == 1


def test_site_without_forms_sends_by_script(context: BrowserContext, site: Site, hub: Hub) -> None:
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    answer = page.evaluate("LeadHub.send({name: 'Anna', phone: '+7 912 345-67-01', topping: ['a', 'b']})")
    assert answer["state"] == "sent"
    [event] = hub.events()
    assert (event["provider_key"], answer["answer"]["event"]) == (answer["key"], event["uid"])


def test_page_without_tls_has_neither_locks_nor_hashes_and_works(context: BrowserContext, site: Site, hub: Hub) -> None:
    site.form(
        hub.source.url,
        inner=FIELDS + '<label><input type="checkbox" name="agree" data-leadhub-consent> I agree to all of it</label>',
    )
    page = context.new_page()
    page.goto(site.url("/", host="shop.test"))
    assert page.evaluate("[typeof navigator.locks, typeof crypto.subtle]") == ["undefined", "undefined"]
    fill(page)
    page.get_by_label("I agree").check()
    send(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    assert read(hub.events()[0]).consents[0].given


def test_script_is_small_enough_as_served() -> None:
    assert len(snippet().compressed) <= 4000


#: What scripts of pages do with a submit that is theirs. Each is run on the form before it is sent.
TAKEN_BY_THE_PAGE = {
    "react_clears": "document.body.addEventListener('submit', (e) => { e.preventDefault(); e.target.reset(); });",
    "react_clears_later": "document.body.addEventListener('submit', (e) => { e.preventDefault(); setTimeout(() => e.target.reset(), 700); });",
    "root_stops_and_unmounts": "document.body.addEventListener('submit', (e) => { e.preventDefault(); e.stopPropagation(); e.target.remove(); });",
    "stops_at_once_and_hides": "document.forms[0].addEventListener('submit', (e) => { e.preventDefault(); e.stopImmediatePropagation(); e.target.hidden = true; });",
    "cf7_asks_then_resets": """document.forms[0].addEventListener('submit', (e) => { e.preventDefault();
        setTimeout(() => { e.target.classList.add('sent'); e.target.reset(); }, 400); });""",
    "empties_without_reset": """document.forms[0].addEventListener('submit', (e) => { e.preventDefault();
        for (const input of e.target.elements) input.value = ''; });""",
}


@pytest.mark.parametrize("taken", TAKEN_BY_THE_PAGE)
def test_copy_arrives_once_when_a_script_of_the_page_takes_the_form(
    context: BrowserContext, site: Site, hub: Hub, taken: str
) -> None:
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    page.evaluate(TAKEN_BY_THE_PAGE[taken])
    fill(page)
    send(page)
    until(lambda: len(hub.events()) == 1)
    until(lambda: pending(page) == 0)
    assert hub.leads() == 1
    inquiry = read(hub.events()[0])
    assert (inquiry.name, inquiry.phones) == ("Anna", ("+7 912 345-67-01",))


def test_form_is_not_sent_while_the_pages_own_validation_refuses_it(context: BrowserContext, site: Site, hub: Hub) -> None:
    page = context.new_page()
    page.add_init_script(
        "const real = window.setTimeout; window.setTimeout = (f, ms, ...rest) => real(f, ms === 250 ? 5 : ms, ...rest);"
    )
    page.goto(site.form(hub.source.url))
    page.evaluate(
        """document.addEventListener('leadhub:skipped', () => (window.skipped = true));
        document.forms[0].addEventListener('submit', (e) => { if (e.target.phone.value.length < 5) e.preventDefault(); });"""
    )
    fill(page, phone="12")
    send(page)
    until(lambda: page.evaluate("window.skipped"))
    assert hub.events() == []
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    [event] = hub.events()
    assert read(event).phones == ("+7 912 345-67-01",)


def test_refused_copy_is_forgotten_when_the_form_is_sent_again(context: BrowserContext, site: Site, hub: Hub) -> None:
    page = context.new_page()
    page.goto(site.form(hub.source.url))
    page.evaluate(
        "document.forms[0].addEventListener('submit', (e) => { if (e.target.phone.value.length < 5) e.preventDefault(); });"
    )
    fill(page, phone="12")
    send(page)
    fill(page)
    send(page)
    expect(page.get_by_role("status")).to_have_text("Thank you! Sent.")
    page.evaluate("new Promise((done) => setTimeout(done, 600))")  # two looks at the form
    assert [read(event).phones for event in hub.events()] == [("+7 912 345-67-01",)]


def test_empty_form_is_not_sent_when_the_page_stops_it(context: BrowserContext, site: Site, hub: Hub) -> None:
    page = context.new_page()
    page.goto(site.form(hub.source.url, inner='<input name="name"><input name="phone" type="tel">'))
    page.evaluate("document.forms[0].addEventListener('submit', (e) => e.preventDefault());")
    send(page)
    page.evaluate("new Promise((done) => setTimeout(done, 600))")
    assert (hub.events(), pending(page)) == ([], 0)


def test_form_arrives_from_a_frame_that_may_keep_nothing(context: BrowserContext, site: Site, hub: Hub) -> None:
    inner = site.form(hub.source.url, path="/inner")
    site.pages["/"] = (
        f'<!doctype html><meta charset="utf-8"><iframe sandbox="allow-scripts allow-forms" srcdoc="" src="{inner}"></iframe>'
    )
    site.pages["/"] = site.pages["/"].replace(' srcdoc=""', "")
    page = context.new_page()
    page.route("**/", lambda route: route.fulfill(body=site.pages["/"], content_type="text/html"))
    page.goto(site.url("/"))
    frame = page.frame_locator("iframe")
    frame.get_by_label("Name").fill("Anna")
    frame.get_by_label("Phone").fill("+7 912 345-67-01")
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("status")).to_have_text("Thank you! Sent.")
    assert hub.leads() == 1
