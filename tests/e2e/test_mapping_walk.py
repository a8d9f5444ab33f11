"""A site owner who knows no code, in a real browser: the form's phone was not understood, he says which field it is, tries
it, publishes it, and gets the phone of the lead that came without. Screenshots go to test-artefacts/.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, text
from walking import ARTEFACTS, PASSWORD, chromium, served, sign_in

from crm_core import access
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.people.commands import add_owner
from ingest.processing.process import drain
from ingest.sources.sources import add_source

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
ODD = {
    "zakaz_kod": "+7 912 345-67-05, лучше после 18", "zakaz_kto": "Мария Иванова", "zakaz_chto": "Окна на балкон, 3 метра",
    "utm_source": "yandex", "promo": "ВЕСНА",
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def posted_to(config: HubConfig, engine: Engine) -> Iterator[str]:
    """The address of a form of the real application on a real socket, with an administrator and an owner."""
    with engine.begin() as connection:
        access.add_user(connection, HUB, "olga@example.com", "Olga Admin", "admin", access.hash_password(PASSWORD))
        add_owner(connection, HUB, "Ivan Petrov", extension="101", email="ivan@example.com", team="Sales")
        source = add_source(connection, HUB, config, "generic_form", "Landing page", {})
    with served(config):
        yield source.url


def _picture(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"mapping-{name}.png", full_page=True)


def _say(page: Page, field: str, role: str) -> None:
    """Opens a field of the newest event and presses what it is."""
    row = page.locator(".bench").first.locator(".arrived > li", has_text=field)
    row.locator("summary").click()
    row.get_by_role("button", name=role, exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The draft knows it now.")


@pytest.mark.parametrize("scripts", [True, False])
def test_missing_phone_is_found_by_a_click(
    browser: Browser, posted_to: str, config: HubConfig, engine: Engine, *, scripts: bool
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US", java_script_enabled=scripts)
    strangers: list[str] = []
    said: list[str] = []
    context.on(
        "request", lambda request: None if urlsplit(request.url).hostname == "127.0.0.1" else strangers.append(request.url)
    )
    context.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page = context.new_page()
    sign_in(page, config.base_url)
    assert httpx.post(posted_to, timeout=60, data=ODD).status_code == 200
    drain(None, config, "form")

    page.goto(f"{config.base_url}/console/leads")
    page.locator("a.row-link").first.click()
    expect(page.get_by_text("No phone or e-mail that can be used.").first).to_be_visible()

    page.goto(f"{config.base_url}/console/sources")
    page.get_by_role("link", name="Landing page").click()
    page.get_by_role("link", name="How it is read").click()
    expect(page.get_by_role("heading", name="What arrived")).to_be_visible()
    _picture(page, "bench")
    _say(page, "zakaz_kod", "Phone")
    _say(page, "zakaz_kto", "Name")
    _say(page, "zakaz_chto", "Message")
    expect(page.get_by_role("heading", name="Under the draft")).to_be_visible()
    _picture(page, "draft")

    page.get_by_role("button", name="Try on the last 100").click()
    expect(page.locator("#report")).to_contain_text("1 would be understood otherwise. 0 new leads would come.")
    expect(page.locator("#report ins").filter(has_text="Мария Иванова")).to_be_visible()
    _picture(page, "tried")
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.get_by_role("status")).to_contain_text("Published.")
    _picture(page, "published")

    page.get_by_role("link", name="Send the affected events again…").click()
    expect(page.get_by_text("Understood otherwise: Name, Phone, Message, Kept as it came.")).to_be_visible()
    _picture(page, "replay")
    with page.expect_navigation():
        page.get_by_role("button", name="Replay: 1 of 1 will change").click()
    drain(None, config, "form")
    page.goto(f"{config.base_url}/console/leads")
    expect(page.locator("a.row-link")).to_have_count(1)
    page.locator("a.row-link").first.click()
    expect(page.get_by_text("Мария Иванова").first).to_be_visible()
    assert page.get_by_role("link", name="Call", exact=True).get_attribute("href") == "tel:+79123456705"
    _picture(page, "lead")
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM lead")) == 1
        assert connection.scalar(text("SELECT count(*) FROM contact")) == 1
    context.close()
    assert (strangers, said) == ([], [])


@pytest.mark.parametrize("width, scheme, locale", [(1280, "dark", "ru"), (390, "light", "ru"), (390, "dark", "en")])
def test_page_fits_everywhere(
    browser: Browser, posted_to: str, config: HubConfig, engine: Engine, width: int, scheme: str, locale: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 860}, locale="en-US", color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    sign_in(page, config.base_url)
    long = {"a_very_long_name_of_a_field_without_any_blank_" + "x" * 80: "value" * 60, "<b>bold</b>": "<script>alert(1)</script>"}
    for body in ({**ODD, **long}, {"name": "Anna", "phone": "+7 912 345-67-06"}):
        assert httpx.post(posted_to, timeout=60, json=body).status_code == 200
    assert (
        httpx.post(
            posted_to, timeout=60, content=b"\x00\x01\xff\xfe" * 20, headers={"content-type": "application/octet-stream"}
        ).status_code
        == 200
    )
    drain(None, config, "form")
    with engine.begin() as connection:
        connection.execute(text("UPDATE app_user SET locale = :locale"), {"locale": locale})
        connection.execute(
            text("INSERT INTO source_field (source_id, form_id, field, event_id) SELECT id, 'order', 'promo', 1 FROM source")
        )
    page.goto(f"{config.base_url}/console/sources/1/mapping")
    for event in page.locator(".bench").all():
        if event.get_attribute("open") is None:
            event.locator("> summary").click()
    assert page.evaluate(SIDEWAYS) == 0
    page.locator("#mapping-text").fill('fields:\n  phone: {from: ["$.zakaz_kod"]}\n')
    page.locator("button[value=try]").click()
    expect(page.locator("#report")).to_be_visible()
    assert page.evaluate(SIDEWAYS) == 0
    assert page.evaluate("document.querySelectorAll('main h1').length") == 1
    unlabelled = "[...document.querySelectorAll('input:not([type=hidden]):not(.menu-toggle), select, textarea')].filter(e => !e.labels.length).length"
    assert page.evaluate(unlabelled) == 0
    _picture(page, f"{width}-{scheme}-{locale}")
    context.close()
