"""What the tests in a real browser share: the system's Chromium, the application on a real socket, the way in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from crm_core.base.config import HubConfig
from webhooks import engines
from webhooks.wsgi import create_application

# What a page shows must come; how soon is no matter of these tests. Five seconds are too few for a busy machine.
expect.set_options(timeout=60_000)

ARTEFACTS = Path(__file__).parents[1] / "test-artefacts"
LOGIN, PASSWORD = "olga@example.com", "correct horse battery"

_PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--no-first-run")  # fmt: skip


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """The system's browser, which never talks to its maker. `more` are further switches."""
    program = next((path for path in _PLACES if Path(path).exists()), "")
    assert program, "Chromium is missing: install the system's package chromium."
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=[*_QUIET, *more])
        yield launched
        launched.close()


@contextmanager
def served(config: HubConfig) -> Iterator[str]:
    """The real application on a real socket; its address."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", config.port, create_application(config), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield config.base_url
    server.shutdown()
    thread.join()
    server.server_close()
    engines.close_engines()


def sign_in(page: Page, address: str) -> None:
    """As the user `LOGIN`, who must exist; ends at the leads."""
    page.goto(f"{address}/")
    page.get_by_label("Login", exact=True).fill(LOGIN)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}/console/leads")
