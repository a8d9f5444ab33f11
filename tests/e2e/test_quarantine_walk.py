"""A head of sales looks through the quarantine in a real browser: two tabs press at once, and one lead comes of it; a flood
is released with one click. In both languages, by day and by night, on a phone too. Screenshots go to test-artefacts/.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, text
from walking import ARTEFACTS, PASSWORD, chromium, served, sign_in

from crm_core import access
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.people.commands import add_owner
from ingest.journal.accept import RawEvent, insert_events
from ingest.processing.process import drain
from ingest.sources.sources import NewSource, add_source

_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def source(config: HubConfig, engine: Engine) -> Iterator[NewSource]:
    """A form of the real application on a real socket, which takes six posts a minute for a flood."""
    with engine.begin() as connection:
        access.add_user(connection, HUB, "olga@example.com", "Olga Head", "head", access.hash_password(PASSWORD))
        add_owner(connection, HUB, "Ivan Petrov", extension="101", email="ivan@example.com", team="Sales")
        made = add_source(connection, HUB, config, "generic_form", "Landing page", {"burst_per_minute": 6})
    with served(config):
        yield made


def _picture(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"quarantine-{name}.png", full_page=True)


def _flood(config: HubConfig, source: NewSource) -> None:
    """Twenty visitors within some seconds, each from an address of his own."""
    headers = {"user-agent": "Mozilla/5.0", "origin": "https://site.example.com", "accept-language": "ru",
               "content-type": "application/x-www-form-urlencoded"}  # fmt: skip
    with psycopg.connect(config.database_url, autocommit=True) as connection:
        for n in range(20):
            body = urlencode({"name": f"Visitor {n}", "phone": f"+791234571{n:02}"}).encode()
            insert_events(connection, [RawEvent(source.id, "form", body, headers=headers, remote_ip=f"198.51.100.{n}")])


def test_quarantine_when_a_head_looks_through_it(browser: Browser, source: NewSource, config: HubConfig, engine: Engine) -> None:
    def count(statement: str) -> int:
        with engine.begin() as connection:
            return int(connection.execute(text(statement)).scalar_one())

    strangers: list[str] = []
    said: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-US")
    context.on(
        "request", lambda request: strangers.append(request.url) if urlsplit(request.url).hostname != "127.0.0.1" else None
    )
    context.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page = context.new_page()
    sign_in(page, config.base_url)
    page.get_by_role("link", name="Quarantine").click()
    expect(page.get_by_text("Nothing is set aside")).to_be_visible()

    trapped = {"name": "Мария Иванова", "phone": "+7 912 345-67-05", "message": "Окна на балкон", "_gotcha": "autofilled"}
    offer = {
        "name": "SEO",
        "email": "seo@example.net",
        "message": "We offer SEO services: first page of Google, free audit https://a.example.top",
    }
    for fields in (trapped, offer, offer | {"name": "SEO again"}):
        answer = httpx.post(source.url, timeout=60, json=fields)
        assert (answer.status_code, answer.json()["ok"]) == (200, True)  # the visitor sees success
    drain(None, config, "form")
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.get_by_text("A hidden field was filled in (_gotcha): +4")).to_be_visible()
    expect(page.get_by_role("link", name="Quarantine")).to_contain_text("3")
    _picture(page, "list")

    other = context.new_page()
    other.goto(page.url)
    for tab in (page, other):
        tab.locator("tr", has_text="Мария Иванова").get_by_role("checkbox").check()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("status")).to_contain_text("Released.")
    other.get_by_role("button", name="Release").click()
    expect(other.get_by_role("main")).to_contain_text("none of these is set aside")
    other.close()
    drain(None, config, "form")
    assert count("SELECT count(*) FROM lead") == 1
    assert count("SELECT count(*) FROM touch WHERE kind = 'form'") == 1

    page.get_by_label("All on this page").check()
    page.get_by_role("button", name="It is spam").click()
    expect(page.get_by_text("Nothing is set aside")).to_be_visible()
    page.get_by_role("link", name="Confirmed as spam").click()
    expect(page.locator("tbody tr")).to_have_count(2)

    _flood(config, source)
    drain(None, config, "form")
    assert count("SELECT count(*) FROM lead") == 7
    page.goto(f"{config.base_url}/console/queues")
    expect(page.locator("#alerts")).to_contain_text("More than 6 posts in a minute.")
    expect(page.locator("#alerts")).to_contain_text("14 inquiries")
    _picture(page, "alert")
    page.get_by_role("button", name="Release all").click()
    expect(page.get_by_role("status").first).to_contain_text("Released.")
    drain(None, config, "form")
    assert count("SELECT count(*) FROM lead") == 21
    page.get_by_role("button", name="Seen to").click()
    expect(page.locator("#alerts")).to_have_count(0)

    night = browser.new_context(viewport={"width": 360, "height": 740}, locale="ru-RU", color_scheme="dark")
    night.add_cookies(context.cookies())
    phone = night.new_page()
    phone.goto(f"{config.base_url}/console/quarantine?shelf=confirmed")
    with phone.expect_navigation():  # the next one would cut it off
        phone.locator("button[name=locale][value=ru]").first.evaluate("button => button.click()")
    phone.goto(f"{config.base_url}/console/quarantine?shelf=confirmed")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Карантин")
    expect(phone.locator("tbody tr")).to_have_count(2)
    assert phone.evaluate(_WIDER) <= 0
    _picture(phone, "phone-dark-ru")
    assert strangers == []
    # What the second tab was told is an answer of its own kind.
    assert said == ["Failed to load resource: the server responded with a status of 409 (CONFLICT)"]
