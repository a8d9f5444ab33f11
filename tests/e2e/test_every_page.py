"""Every page of the console, taken from its table of routes, in both languages, both themes, wide and narrow: axe finds
nothing serious or moderate, nothing scrolls sideways, and what a finger must hit is large enough.

One hub and one browser; a page that is added to the routes is looked at without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import axe_playwright_python
import httpx
import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine, text
from walking import PASSWORD, chromium, served, sign_in

from crm_core import access
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.merging.commands import merge_contacts
from crm_core.people.commands import add_owner
from crm_core.routing.commands import exclude_owner, save_version
from ingest.processing.process import drain
from ingest.sources.sources import add_source
from webhooks.console.shell.routes import ROUTES

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
_RUN = """
() => axe.run(document, {resultTypes: ["violations"]}).then(
  (found) => found.violations.filter((one) => ["critical", "serious", "moderate"].includes(one.impact)).map(
    (one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")}`))
"""
#: What a finger must hit, but links within a text, which may be as high as their line (WCAG 2.5.8), and what is hidden.
_SMALL = """
() => [...document.querySelectorAll("a, button, input, select, textarea, summary, label.menu-label")].filter((one) => {
  const box = one.getBoundingClientRect(), style = getComputedStyle(one);
  if (box.width < 2 || box.height < 2 || style.visibility === "hidden" || !one.checkVisibility() || one.closest(".visually-hidden, .skip, p, dd, pre, .touch-head")) return false;
  if (one.matches("input[type=checkbox], input[type=radio]") && one.closest("label")) return false;
  return box.height < 43.5 && !one.matches("input[type=hidden]");
}).map((one) => `${one.tagName} ${one.className} ${(one.innerText || one.name || "").slice(0, 30)} ${Math.round(one.getBoundingClientRect().height)}`).slice(0, 5)
"""
_SIDEWAYS = "() => document.documentElement.scrollWidth > innerWidth + 1 ? document.documentElement.scrollWidth : 0"
#: Pages that answer with another page, a file, or the end of the session.
_NO_PAGE = frozenset({"home", "file", "event_raw", "source_checked", "replay_preview"})


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US").new_page()


@pytest.fixture
def address(config: HubConfig, engine: Engine) -> Iterator[str]:
    with engine.begin() as connection:
        access.add_user(connection, HUB, "olga@example.com", "Olga Admin", "admin", access.hash_password(PASSWORD))
        add_owner(connection, HUB, "Ivan Petrov", extension="101", email="ivan@example.com", team="Sales")
        source = add_source(connection, HUB, config, "generic_form", "Main site, contact form", {})
        save_version(connection, HUB, _rules(str(source.id)), config.zone, "Осень")
    with served(config):
        _traffic(source.url, config, engine)
        yield config.base_url


def _rules(source: str) -> dict[str, Any]:
    """A rule with a field of every look."""
    comparisons = [
        {"fact": "title", "op": "contains", "value": "Двери межкомнатные " * 6}, {"fact": "source", "op": "in", "value": [source]},
        {"not": {"any": [
            {"fact": "received", "op": "weekday", "value": [6, 7]}, {"fact": "received", "op": "time_in", "value": ["22:00", "06:00"]},
            {"fact": "value", "op": "between", "value": [1000, 2500.5]}, {"fact": "phone", "op": "prefix", "value": "+7343"},
        ]}},
        {"fact": "utm_campaign", "op": "in", "value": ["okna", "dveri"]}, {"fact": "is_client", "op": "eq", "value": False},
        {"fact": "channel", "op": "eq", "value": "form"}, {"fact": "line", "op": "exists"},
    ]  # fmt: skip
    return {
        "settings": {}, "ranges": {"Урал": [["+79122000000", "+79122999999"]]},
        "rules": [
            {"id": "doors", "name": "Двери", "priority": 10, "when": {"all": comparisons}, "then": [{"pool": "1", "skills": ["двери"]}, {"owner": "1"}]},
            {"id": "rest", "name": "Прочее", "priority": 20, "when": {}, "then": [{"pool": "1"}]},
        ],
    }  # fmt: skip


def _traffic(url: str, config: HubConfig, engine: Engine) -> None:
    """Something on every page: leads by form with marks and files, a repeat, spam, an unreadable event, a call-back, an alert."""
    for fields in (
        {"name": "Мария Иванова", "phone": "+7 912 345-67-05", "email": "maria@example.com", "company": "ООО «Окна»",
         "message": "Нужны окна на балкон, 3 метра. Сколько стоит с монтажом?\\nЛучше звонить после 18.", "budget": "100000",
         "page_url": "https://example.com/okna?utm_source=yandex&utm_campaign=okna"},
        {"name": "John Smith", "email": "john@example.org", "message": "A quote for 40 windows, please. " * 12},
        {"phone": "+7 912 345-67-06", "message": ""},
        {"name": "Robot", "phone": "+79123456709", "message": "x", "_gotcha": "filled"},
        {"name": "Мария Иванова", "email": "maria@example.com", "message": "Вы не перезвонили"},
        {"name": "Мария И.", "phone": "+7 912 345-67-08", "message": "С другого номера"},
        {"name": "Мария Иванова", "phone": "+7 912 345-67-07", "company": "Окна", "message": "Из офиса"},
    ):  # fmt: skip
        assert httpx.post(url, timeout=60, json=fields).status_code == 200
    httpx.post(url, timeout=60, content=b"\x00\x01\xff\xfe" * 20, headers={"content-type": "application/octet-stream"})
    drain(None, config, "form")
    with engine.begin() as connection:
        lead = connection.execute(text("SELECT id, contact_id, owner_id FROM lead ORDER BY id LIMIT 1")).one()
        connection.execute(
            text("INSERT INTO activity (kind, phone, title, due_at, owner_id, contact_id, lead_id, missed) VALUES"
                 " ('call_back', '+79123456705', 'Call back', now() - interval '1 hour', :owner, :contact, :lead, 2)"),
            {"owner": lead.owner_id, "contact": lead.contact_id, "lead": lead.id},
        )  # fmt: skip
        maria = connection.scalar(text("SELECT root_id FROM contact WHERE name = 'Мария И.'"))
        merge_contacts(connection, HUB, lead.contact_id, int(maria or 0), "Один голос", datetime.now(UTC))
        apart = add_owner(connection, HUB, "Anastasia Konstantinopolskaya-Preobrazhenskaya")
        for (contact,) in connection.execute(text("SELECT id FROM contact WHERE id = root_id AND kind <> 'number'")).all():
            exclude_owner(connection, HUB, contact, apart, "A longer name than most", datetime.now(UTC))
        connection.execute(
            text("INSERT INTO suggestion (a_id, b_id, bits, why) SELECT :contact, max(id), 14.2, :why FROM contact"),
            {"contact": lead.contact_id, "why": '{"rule": "scored", "fields": [{"field": "prior", "level": "prior", "bits": -9.1},'
             ' {"field": "last", "level": "exact", "bits": 8.2}, {"field": "phone", "level": "close", "bits": 15.1}]}'},
        )  # fmt: skip
        connection.execute(text("INSERT INTO source_alert (source_id, code, subject) SELECT id, 'new_field', 'city' FROM source"))


def _addresses(engine: Engine) -> dict[str, str]:
    """Endpoint → address of every page, with what its rule asks for filled in."""
    with engine.begin() as connection:
        ask = {name: connection.scalar(text(query)) for name, query in {
            "lead_id": "SELECT min(id) FROM lead", "contact_id": "SELECT min(contact_id) FROM lead",
            "source_id": "SELECT min(id) FROM source WHERE connector = 'generic_form'", "owner_id": "SELECT id FROM owner WHERE name = 'Ivan Petrov'", "user_id": "SELECT min(id) FROM app_user",
            "merge_id": "SELECT min(id) FROM merge_event WHERE undone_at IS NULL",
            "version": "SELECT max(version) FROM routing_version WHERE state = 'draft'",
            "event_id": "SELECT uid FROM inbound_event WHERE state = 'needs_attention'",
        }.items()} | {"connector": "imap", "token": "0" * 43}  # fmt: skip
    with engine.begin() as connection:
        other = connection.scalar(text("SELECT max(id) FROM contact WHERE id = root_id"))
    more = {
        "search": "?q=мария 912",
        "merge_page": f"?with={other}",
        "leads": "?state=",
        "events": "?state=attention",
        "routing_rule": "?id=doors",
    }
    found = {}
    for route in ROUTES:
        if route.method != "GET" or route.endpoint in _NO_PAGE:
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(ask[part[1]]), route.rule)
        found[route.endpoint] = f"/console{path}{more.get(route.endpoint, '')}"
    return found | {
        "replay": f"/console/events/replay?event={ask['event_id']}", "nothing found": "/console/search?q=zzzz", "no such page": "/console/nowhere",
        "documentation": "/docs",
    }  # fmt: skip


def _look(page: Page, width: int, theme: Any) -> list[str]:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # a colour on its way is none
    wrong: list[str] = page.evaluate(_RUN)
    if sideways := page.evaluate(_SIDEWAYS):
        wrong.append(f"scrolls sideways: {sideways} px")
    if width < 861:
        wrong += [f"too small to hit: {one}" for one in page.evaluate(_SMALL)]
    return [f"{width} {theme}: {one}" for one in wrong]


def test_every_page_is_fit_for_everybody(page: Page, address: str, engine: Engine) -> None:
    sign_in(page, address)
    addresses = _addresses(engine)
    wrong: dict[str, list[str]] = {}
    for locale in ("ru", "en"):
        with engine.begin() as connection:
            connection.execute(text("UPDATE app_user SET locale = :locale"), {"locale": locale})
        for endpoint, path in addresses.items():
            answer = page.goto(f"{address}{path}", wait_until="load")
            assert answer is not None
            assert answer.status < 500, path
            page.evaluate(_AXE)
            themes = (
                ("light", "dark") if locale == "ru" else ("dark", "light")
            )  # each width in each theme, in one of them in Russian
            found = _look(page, 1280, themes[0]) + _look(page, 360, themes[1])
            if found:
                wrong[f"{endpoint} ({locale})"] = found
    assert wrong == {}, "\n".join(f"{where}: {one}" for where, some in wrong.items() for one in some)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{address}/console/leads")
    page.keyboard.press("/")
    page.keyboard.type("/ maria")
    assert page.evaluate("document.activeElement.id") == "search"
    assert page.locator("#search").input_value() == "/ maria"
