"""Signing in by password or link, signing out, and where one lands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, g, make_response, request

from crm_core.access import (
    Attempt,
    Principal,
    audit,
    begin_session,
    check_password,
    end_session,
    has_password,
    set_locale,
    use_sign_in_link,
)
from crm_core.access.sessions import Method
from crm_core.base.errors import TooMany, Transient
from webhooks.console.shell import browser
from webhooks.console.shell import session as sessions
from webhooks.console.shell.request_context import Answer, Desk, entered
from webhooks.console.shell.safe_redirect import safe_target

#: The first of these pages that the person may open is his home.
_HOMES = (("leads", "leads.read"), ("events", "events.read"), ("owners", "owners.read"))


def home(desk: Desk) -> Answer:
    return desk.go(next(endpoint for endpoint, permission in _HOMES if desk.may(permission)))


def sign_in_page(desk: Desk) -> Answer:
    if desk.visitor is not None:
        return desk.go("home")
    return _form(desk, "", "")


def sign_in(desk: Desk) -> Answer:
    login = entered("login", 254)
    attempt = Attempt(
        login,
        request.form.get("password", ""),
        network=browser.network_of(request, desk.config),
        visitor=desk.session.secret,
        devices=browser.known_to(request, desk.config),
    )
    try:
        principal = check_password(desk.engine, attempt, desk.now)
    except (TooMany, Transient) as error:
        return _later(desk, login, error)
    if principal is None:
        return _form(desk, login, "wrong"), 403
    return welcome(desk, principal, "password")


def _later(desk: Desk, login: str, error: TooMany | Transient) -> Response:
    """Says for how long: after wrong passwords 429, while others' are being checked 503."""
    kind, status = ("wait", 429) if isinstance(error, TooMany) else ("busy", 503)
    answer = make_response(_form(desk, login, kind, seconds=error.data["seconds"]), status)
    answer.headers["Retry-After"] = str(error.data["seconds"])
    return answer


def _form(desk: Desk, login: str, problem: str, **facts: Any) -> str:
    said = ""
    if "seconds" in facts:
        said = desk.language.count(f"sign_in.{problem}", facts["seconds"])
    elif problem:
        said = desk.language(f"sign_in.{problem}")
    return desk.page("shell/sign_in.html", login=login, problem=said, next=safe_target(request.values.get("next", "")))


def link_page(desk: Desk, token: str) -> Answer:  # noqa: ARG001 - the rule names it; only the button uses it
    """Shows a button only: whoever fetches the link to preview it must not burn it."""
    return desk.page("shell/link.html")


def use_link(desk: Desk, token: str) -> Answer:
    with desk.engine.begin() as connection:
        principal = use_sign_in_link(connection, token, desk.now)
    if principal is None:
        return _form(desk, "", "link_used"), 403
    return welcome(desk, principal, "link")


def welcome(desk: Desk, principal: Principal, method: Method) -> Response:
    """A new session on the server, in the language that they chose last. Whoever has no password yet is offered one."""
    session = sessions.sign_in(desk.now, desk.session.locale)
    with desk.engine.begin() as connection:
        end_session(connection, desk.session.secret)  # of whoever was signed in here before
        begin_session(connection, principal.id, session.secret, method, browser.kind_of(request), desk.now)
        audit(connection, principal, "session.begin", principal.actor, {"by": method})
        if not principal.locale and desk.session.locale:
            set_locale(connection, principal.id, desk.session.locale)
        needs_password = method == "link" and not has_password(connection, principal.id)
    g.desk = replace(desk, session=session)
    answer = desk.go("first_password") if needs_password else desk.go("home")
    if not needs_password:
        answer.headers["Location"] = safe_target(request.form.get("next", "")) or answer.headers["Location"]
    browser.remember(answer, request, desk.config, principal.id)
    return answer


def sign_out(desk: Desk) -> Answer:
    with desk.engine.begin() as connection:
        end_session(connection, desk.session.secret)
        audit(connection, desk.principal, "session.end", desk.principal.actor)
    g.desk = replace(desk, session=sessions.begin(desk.now, desk.language.locale), visitor=None)
    return desk.go("sign_in_page")
