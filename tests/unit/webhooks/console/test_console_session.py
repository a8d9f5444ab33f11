"""Sessions end by themselves, cannot be forged, and forms of others are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.datastructures import Headers

from crm_core.base.config import HubConfig
from webhooks.console.shell import session as sessions
from webhooks.console.shell.safe_redirect import safe_target

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CONFIG = HubConfig(home=Path("/nowhere"), database_url="", broker_url="", secret_key="s" * 40)
SIGNED_IN = sessions.sign_in(NOW, "ru")


def test_session_survives_its_cookie() -> None:
    assert sessions.read(sessions.write(SIGNED_IN, CONFIG), CONFIG, NOW) == SIGNED_IN


def test_signing_in_shares_nothing_with_the_session_before() -> None:
    before = sessions.begin(NOW)
    after = sessions.sign_in(NOW, "")
    assert after.secret != before.secret
    assert sessions.form_token(after, CONFIG) != sessions.form_token(before, CONFIG)


@pytest.mark.parametrize("cookie", ["", "x", "e30.abc", "WyJhIl0.WyJhIl0", "\ud800", "a" * 5000])
def test_forged_or_broken_cookie_is_no_session(cookie: str) -> None:
    assert sessions.read(cookie, CONFIG, NOW) is None


def test_cookie_of_another_installation_is_no_session() -> None:
    other = replace(CONFIG, secret_key="o" * 40)
    assert sessions.read(sessions.write(SIGNED_IN, other), CONFIG, NOW) is None


def test_idle_session_ends() -> None:
    cookie = sessions.write(SIGNED_IN, CONFIG)
    assert sessions.read(cookie, CONFIG, NOW + sessions.IDLE) is not None
    assert sessions.read(cookie, CONFIG, NOW + sessions.IDLE + timedelta(seconds=1)) is None


def _own(session: sessions.Session | None, token: str, **headers: str) -> bool:
    sent = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return sessions.is_own_post(session, token, sent, "127.0.0.1:8080", CONFIG)


def test_own_form_is_taken() -> None:
    token = sessions.form_token(SIGNED_IN, CONFIG)
    assert _own(SIGNED_IN, token)
    assert _own(SIGNED_IN, token, Origin="http://127.0.0.1:8080", Sec_Fetch_Site="same-origin")


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}],
)
def test_form_from_elsewhere_is_refused_even_with_the_token(headers: dict[str, str]) -> None:
    assert not _own(SIGNED_IN, sessions.form_token(SIGNED_IN, CONFIG), **headers)


@pytest.mark.parametrize("token", ["", "0" * 64, "é" * 64])
def test_form_without_the_right_token_is_refused(token: str) -> None:
    assert not _own(SIGNED_IN, token)
    assert not _own(None, token)


def test_cookie_is_bound_to_the_host_under_https() -> None:
    assert sessions.cookie_name(replace(CONFIG, public_url="https://hub.example.com")) == "__Host-leadhub"
    assert sessions.cookie_name(CONFIG) == "leadhub_8080"


@pytest.mark.parametrize("wanted", ["/console/leads", "/console/leads?state=open&q=%D0%BE%D0%BA%D0%BD%D0%B0"])
def test_page_of_the_console_is_a_safe_target(wanted: str) -> None:
    assert safe_target(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    ["", "https://evil.example/", "//evil.example/console/", "/\\evil.example", "/console/../in/x", "/console\\x",
     "/console/\nLocation: x", "javascript:alert(1)", "/in/token"],
)  # fmt: skip
def test_anything_else_is_no_target(wanted: str) -> None:
    assert safe_target(wanted) == ""
