"""A person's first quarter of an hour in a real browser: sign in, connect a form, get a lead, ask why, mend, read in Russian.

Nothing may leave this machine, nothing may be said in the browser's console, nothing may scroll sideways on a phone.
Screenshots go to test-artefacts/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
)
from sqlalchemy import Engine, text
from walking import ARTEFACTS, PASSWORD, chromium, served, sign_in

from crm_core import access
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.people.absences import set_absent
from crm_core.people.commands import add_owner
from ingest.processing.process import drain

#: Panels whose content is wider than they are.
_CUT_PANELS = (
    "[...document.querySelectorAll('.panel')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText.slice(0, 40))"
)


@dataclass
class Watch:
    """What a page must never do."""

    strangers: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        context.on("request", self._asked)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.said.append(str(error.error)))

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            self.strangers.append(request.url)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def address(config: HubConfig, engine: Engine) -> Iterator[str]:
    """The real application on a real socket, with an administrator, two owners at work and one away."""
    with engine.begin() as connection:
        access.add_user(connection, HUB, "olga@example.com", "Olga Admin", "admin", access.hash_password(PASSWORD))
        add_owner(connection, HUB, "Ivan Petrov", extension="101", email="ivan@example.com", team="Sales")
        add_owner(connection, HUB, "Anna Sidorova", extension="102", email="anna@example.com", team="Sales")
        away = add_owner(connection, HUB, "Pavel Kozlov", extension="103", email="", team="Sales")
        set_absent(connection, HUB, away, datetime(2099, 1, 1, tzinfo=UTC), datetime.now(UTC), "vacation")
    with served(config):
        yield config.base_url


def _picture(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(
        path=ARTEFACTS / f"console-{name}.png", full_page=page.viewport_size is not None and page.viewport_size["width"] < 500
    )


def _add_form(page: Page, address: str) -> str:
    """Adds a form by hand and returns its address."""
    page.goto(f"{address}/console/sources")
    page.get_by_role("link", name="Add a source").first.click()
    page.get_by_role("link", name="Website and advertising").click()
    page.get_by_label("Name", exact=True).fill("Main site, contact form")
    page.get_by_role("button", name="Save and show the address").click()
    expect(page.get_by_role("status")).to_contain_text("The source is saved")
    posted_to = page.locator("#address").text_content()
    assert posted_to is not None
    return posted_to


def _traffic(posted_to: str, config: HubConfig) -> None:
    for fields in (
        {"name": "Мария Иванова", "phone": "+7 912 345-67-05", "email": "maria@example.com", "city": "Екатеринбург",
         "message": "Нужны окна на балкон, 3 метра. Сколько стоит с монтажом?\nЛучше звонить после 18.",
         "page_url": "https://example.com/okna?utm_source=yandex&utm_campaign=okna"},
        {"name": "John Smith", "email": "john@example.org", "message": "A quote for 40 windows, please."},
        {"name": '<script>alert("x")</script>', "email": "evil@example.com", "message": "<img src=x onerror=alert(1)>"},
        {"name": "Мария Иванова", "email": "maria@example.com", "message": "Вы не перезвонили"},
    ):  # fmt: skip
        assert httpx.post(posted_to, timeout=60, json=fields).status_code == 200
    assert (
        httpx.post(
            posted_to, timeout=60, content=b"\x00\x01\xff\xfe" * 20, headers={"content-type": "application/octet-stream"}
        ).status_code
        == 200
    )
    drain(None, config, "form")


def test_first_quarter_of_an_hour(browser: Browser, address: str, config: HubConfig, engine: Engine) -> None:
    watch = Watch()
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-US")
    watch.follow(context)
    page = context.new_page()

    page.goto(f"{address}/")
    _picture(page, "sign-in")
    sign_in(page, address)
    expect(page.get_by_text("Three steps to the first lead")).to_be_visible()
    _picture(page, "leads-empty")

    posted_to = _add_form(page, address)
    _picture(page, "source")
    page.get_by_role("button", name="Try it", exact=True).click()
    expect(page.get_by_text("Waits for its turn.").first).to_be_visible()
    drain(None, config, "form")
    expect(page.locator("#tried").get_by_text("Test", exact=True)).to_be_visible()  # the page looks again by itself
    _picture(page, "source-tried")
    with page.expect_navigation():
        page.get_by_role("button", name="Send as a real inquiry").click()
    drain(None, config, "form")
    expect(page.locator("#tried").get_by_text("New lead")).to_be_visible()

    page.get_by_role("link", name="Change").first.click()
    page.get_by_label("Product line").fill("windows")
    page.get_by_label("Allowed sites").fill("https://example.com/contact")
    _picture(page, "source-change")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The source is changed.")
    expect(page.locator(".facts").get_by_text("windows")).to_be_visible()

    _traffic(posted_to, config)
    page.goto(f"{address}/console/leads")
    page.get_by_role("searchbox", name="Name, phone, e-mail or words").fill("345-67-05")
    page.get_by_role("button", name="Apply").click()
    _picture(page, "leads-found")
    page.get_by_role("link", name="Мария Иванова").click()
    expect(page.get_by_role("heading", name="Why this owner")).to_be_visible()
    expect(page.locator(".candidates")).to_contain_text("Pavel Kozlov: away until")
    expect(page.get_by_text("Екатеринбург")).to_be_visible()
    assert page.get_by_role("link", name="Call", exact=True).get_attribute("href") == "tel:+79123456705"
    page.get_by_label("Comment").fill("Called back, measures on Friday.")
    page.get_by_role("button", name="Save comment").click()
    expect(page.get_by_role("status")).to_contain_text("Your comment is saved.")
    expect(page).not_to_have_url(re.compile("done="))
    _picture(page, "lead")

    page.goto(f"{address}/console/events?state=needs_attention")
    page.locator("a.row-link").click()
    expect(page.locator(".raw")).to_contain_text("00000000  00 01 ff fe")
    _picture(page, "event")
    page.get_by_role("link", name="Replay…").click()
    expect(page.get_by_text("A replay would change nothing.")).to_be_visible()
    expect(page.get_by_role("button", name="Replay")).to_have_count(0)  # nothing offers what changes nothing
    _picture(page, "replay")

    page.goto(f"{address}/console/ledger")
    expect(page.get_by_text("Balanced: everything that arrived")).to_be_visible()
    _picture(page, "ledger")
    page.get_by_role("button", name="RU").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Баланс")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    page.get_by_role("button", name="Выйти").click()
    expect(page.get_by_role("button", name="Войти")).to_be_visible()
    context.close()
    assert (watch.strangers, watch.said) == ([], [])


@pytest.mark.parametrize(
    "width, scheme, locale", [(1280, "dark", "en"), (390, "light", "ru"), (390, "dark", "en"), (1280, "light", "ru")]
)
def test_every_page_fits_and_is_quiet(
    browser: Browser, address: str, config: HubConfig, engine: Engine, width: int, scheme: str, locale: str
) -> None:
    watch = Watch()
    context = browser.new_context(
        viewport={"width": width, "height": 860}, locale="en-US", color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    sign_in(page, address)
    posted_to = _add_form(page, address)
    _traffic(posted_to, config)
    watch.follow(context)
    with engine.begin() as connection:
        uid = connection.scalar(text("SELECT uid FROM inbound_event WHERE state = 'needs_attention'"))
        hostile, lead = connection.scalars(text("SELECT id FROM lead ORDER BY id DESC")).all()[::2][:2]
        connection.execute(text("UPDATE app_user SET locale = :locale"), {"locale": locale})
        access.add_user(
            connection, HUB, "maria.konstantinova-ivanova@example.com", "Мария Константинова-Иванова", "manager", None, 1
        )
        access.add_token(connection, HUB, "manager", "Приложение на телефоне отдела продаж", 1)[1]
        connection.execute(
            text("UPDATE source SET name = :name"), {"name": "Заявки с главной страницы и из корзины, сайт окон и дверей"}
        )
    for name, path in (
        ("leads", "leads"), ("lead", f"leads/{lead}"), ("hostile", f"leads/{hostile}"), ("contacts", "contacts"),
        ("call-backs", "call-backs"), ("events", "events"), ("event", f"events/{uid}"), ("sources", "sources"),
        ("source", "sources/1"), ("change", "sources/1/change"), ("choose", "sources/add"), ("add", "sources/add/imap"), ("owners", "owners"),
        ("queues", "queues"), ("ledger", "ledger"), ("quarantine", "quarantine"), ("replay", "events/replay?state=needs_attention"),
        ("users", "users"), ("user", "users/1"), ("tokens", "tokens"), ("account", "account"),
    ):  # fmt: skip
        assert page.goto(f"{address}/console/{path}").status == 200  # type: ignore[union-attr]
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (name, sideways) == (name, 0)
        assert (name, page.evaluate(_CUT_PANELS)) == (name, [])
        assert page.evaluate("document.querySelectorAll('main h1').length") == 1
        _picture(page, f"{name}-{width}-{scheme}-{locale}")
    unlabelled = (
        "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(e => !e.labels.length).length"
    )
    page.goto(f"{address}/console/owners")
    assert page.evaluate(unlabelled) == 0
    context.close()
    assert (watch.strangers, watch.said) == ([], [])


def test_console_works_by_keyboard_and_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-US", viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"{address}/")
    expect(page.get_by_label("Login", exact=True)).to_be_focused()  # by itself, soon after the page has come
    page.keyboard.type("olga@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/console/leads")
    page.wait_for_load_state()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # opens the menu
    page.get_by_role("link", name="Ledger").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ledger")
    context.close()
