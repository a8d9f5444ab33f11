"""Many alerts of every kind on the page of queues, in both languages, on a phone and on a desk: none is hidden behind others,
none pushes the page wide, and each button works. Screenshots go to test-artefacts/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine
from walking import ARTEFACTS, LOGIN, PASSWORD, chromium, served, sign_in

from crm_core import access
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.alerts.alerts import raise_alert
from ingest.quarantine.alerts import MOST_OPEN
from ingest.sources.sources import add_source

_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: Boxes that stick out of the screen on the right.
_OUTSIDE = """() => [...document.querySelectorAll('#alerts tbody *')].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && box.right > innerWidth + 1 && !one.closest('.visually-hidden');
}).map(one => one.outerHTML.slice(0, 120))"""
_LONG = "Kontaktformular_der_Niederlassung_" * 7
_HOSTILE = "<img src=x onerror=document.title='broken'>"
_KINDS: dict[str, dict[str, Any]] = {
    "token_expired": {}, "source_broken": {}, "fetch_failed": {"code": "x"}, "poll_failed": {"code": "x", "said": "No."},
    "burst": {"limit": 60, "since": "2026-11-22T01:00:00+00:00", "until": "2026-11-22T01:10:00+00:00"},
    "silence": {"hours": 30, "expected": 12.5, "since": "2026-11-21T01:00:00+00:00"},
    "contacts_missing": {"now_percent": 3, "usual_percent": 97, "of_last": 40}, "field_gone": {}, "unheard_of": {"many": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def hub(config: HubConfig, engine: Engine) -> Iterator[HubConfig]:
    """A hub with an alert of each kind, and after them more new fields than are shown."""
    with engine.begin() as connection:
        access.add_user(connection, HUB, LOGIN, "Olga Head", "admin", access.hash_password(PASSWORD))
        source = add_source(connection, HUB, config, "generic_form", "Site " + "Straßenbahnhaltestelle" * 8, {}).id
        for code, data in _KINDS.items():
            raise_alert(connection, source, code, _LONG if code in ("contacts_missing", "field_gone") else "", data)
        for n in range(MOST_OPEN):
            raise_alert(connection, source, "new_field", (_HOSTILE if n == MOST_OPEN - 1 else _LONG) + f" · {n}")
    with served(config):
        yield config


def test_alerts_page_when_everything_is_wrong_at_once(browser: Browser, hub: HubConfig, engine: Engine) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-US")
    page = context.new_page()
    sign_in(page, hub.base_url)
    for locale, more in (("en", "9 more are not shown"), ("ru", "Ещё 9 не показано")):
        if locale == "ru":
            with engine.begin() as connection:
                access.set_locale(connection, access.HUB, access.find_user_id(connection, LOGIN) or 0, "ru")
        page.goto(f"{hub.base_url}/console/queues")
        rows = page.locator("#alerts tbody tr")
        for width in (1280, 768, 360, 320):
            page.set_viewport_size({"width": width, "height": 860})
            expect(rows).to_have_count(MOST_OPEN)
            assert page.evaluate(_WIDER) == 0, (locale, width)
            assert page.evaluate(_OUTSIDE) == [], (locale, width)
        expect(page.locator("#alerts")).to_contain_text(more)
        # What stops inquiries comes before the fields, however new these are.
        first = " ".join(rows.nth(n).inner_text() for n in range(len(_KINDS) - 1))
        for word in {"en": ("no longer accepts", "Nothing for 30 hours", "More than 60 posts", "unheard of"),
                     "ru": ("больше не принимает", "Ни одного обращения за 30 ч", "Больше 60 отправок")}[locale]:  # fmt: skip
            assert word in first, (locale, word)
        assert "{" not in page.locator("#alerts").inner_text()
        assert page.title() != "broken"
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / f"alerts-{locale}-phone.png", clip={"x": 0, "y": 0, "width": 320, "height": 860})
    rows.first.get_by_role("button", name="Разобрано").click()
    expect(page.locator("#alerts")).to_contain_text("Ещё 8 не показано")
    context.close()
