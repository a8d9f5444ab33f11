"""A head of sales makes a rule in a real browser: with script by keyboard, without script on a phone, and sees what it would do."""

from __future__ import annotations

import re
from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def posted_to(config: HubConfig, engine: Engine) -> str:
    with engine.begin() as connection:
        access.add_user(connection, HUB, "olga@example.com", "Olga Head", "head", access.hash_password(PASSWORD))
        add_owner(connection, HUB, "Ivan Petrov", extension="101")
        add_owner(connection, HUB, "Anna Sidorova", extension="102")
        return add_source(connection, HUB, config, "generic_form", "Main site", {}).url


@pytest.fixture
def address(config: HubConfig, posted_to: str) -> Iterator[str]:
    with served(config):
        _ask(config, posted_to, *range(4))
        yield config.base_url


def _ask(config: HubConfig, posted_to: str, *numbers: int) -> None:
    for n in numbers:
        body = {"name": f"Oleg Smirnov{n}", "email": f"o{n}@example.com", "message": "doors", "product": "doors"}
        assert httpx.post(posted_to, timeout=60, json=body).status_code == 200
    drain(None, config, "form")


def _picture(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"routing-{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), name


@pytest.mark.parametrize("script, width", [(True, 1280), (False, 360)])
def test_rule_is_made_tried_and_put_into_force(
    browser: Browser, address: str, posted_to: str, config: HubConfig, engine: Engine, script: bool, width: int
) -> None:
    context = browser.new_context(java_script_enabled=script, locale="en-US", viewport={"width": width, "height": 860})
    page = context.new_page()
    sign_in(page, address)
    page.goto(f"{address}/console/routing")
    page.get_by_role("button", name="New draft").click()
    expect(page.get_by_role("status")).to_contain_text("The draft is there")
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_label("Name").fill("Doors to Anna")
    fact = page.locator('select[name="w.0.fact"]')
    fact.focus()
    fact.select_option(label="Product")
    if not script:
        page.get_by_role("button", name="Show its fields").click()
    else:
        expect(page.get_by_role("button", name="Show its fields")).to_have_count(0)
    expect(page.locator('select[name="w.0.op"]')).to_be_visible()
    if script:
        expect(fact).to_be_focused()
    page.locator('input[name="w.0.value"]').fill("doors")
    page.get_by_label("Pool or person").select_option(label="Anna Sidorova")
    page.get_by_role("button", name="Add a condition").click()
    expect(page.locator('select[name="w.1.fact"]')).to_be_focused()
    page.locator('select[name="w.1.fact"]').select_option(label="Received")
    if not script:
        page.get_by_role("button", name="Show its fields").first.click()
    page.locator('select[name="w.1.op"]').select_option(label="between the times")
    if not script:
        page.get_by_role("button", name="Show its fields").first.click()
    expect(page.locator('input[name="w.1.value"]')).to_have_count(2)
    _picture(page, f"rule-{width}")
    page.get_by_label("Name").press("Enter")  # saves; the times are missing
    expect(page.get_by_role("alert")).to_contain_text("Write two times")
    expect(page.locator('input[name="w.0.value"]')).to_have_value("doors")
    _picture(page, f"wrong-{width}")
    page.get_by_role("button", name="Remove this condition").last.click()
    page.get_by_role("button", name="Save the rule").last.click()
    expect(page.get_by_role("status")).to_contain_text("Saved in the draft")
    expect(page.locator("#rules")).to_contain_text("If product is “doors” → Anna Sidorova")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator("#report")).to_contain_text("Nothing was changed.")
    moved = page.locator("#report a[href^='/console/leads/']")
    expect(moved).to_have_count(2)  # the pool gave two to each
    _picture(page, f"report-{width}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE app_user SET locale = 'ru'"))
    page.reload() if script else page.goto(page.url.replace("/simulate", ""))
    _picture(page, f"version-ru-{width}")
    page.goto(re.sub(r"/simulate$", "", page.url) + "/rule?id=rule-1")
    _picture(page, f"rule-ru-{width}")
    page.get_by_role("link", name="Отмена").click()
    page.get_by_role("button", name="в действие").click()
    expect(page.get_by_role("status")).to_contain_text("Действует со следующего лида")
    _picture(page, f"list-ru-{width}")
    context.close()
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT state FROM routing_version")) == "active"
    _ask(config, posted_to, 4, 5, 6)
    with engine.begin() as connection:
        owners = (
            connection.execute(text("SELECT o.name FROM lead l JOIN owner o ON o.id = l.owner_id ORDER BY l.id")).scalars().all()
        )
    assert sorted(owners[:4]) == ["Anna Sidorova"] * 2 + ["Ivan Petrov"] * 2
    assert owners[4:] == ["Anna Sidorova"] * 3
