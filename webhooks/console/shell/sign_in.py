"""Signing in by password or link, signing out, and where one lands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, g, make_response, request

from crm_core.access import (
    Attempt,
    Principal,
    begin_session,
    check_password,
    drop_session,
    end_session,
    has_password,
    set_locale,
    use_sign_in_link,
)
from crm_core.access.sessions import Method
from crm_core.base.errors import TooMany, Transient
from webhooks.console.shell import browser
from webhooks.console.shell import session as sessions
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered
from webhooks.console.shell.safe_redirect import safe_target

#: The first of these pages that the person may open is his home.
_HOMES = (("leads", "leads.read"), ("events", "events.read"), ("owners", "owners.read"))


def home(context: RequestContext) -> PageAnswer:
    return context.go(next(endpoint for endpoint, permission in _HOMES if context.may(permission)))


def sign_in_page(context: RequestContext) -> PageAnswer:
    if context.visitor is not None:
        return context.go("home")
    return _form(context, "", "")


def sign_in(context: RequestContext) -> PageAnswer:
    login = entered("login", 254)
    attempt = Attempt(
        login,
        request.form.get("password", ""),
        network=browser.network_of(request, context.config),
        visitor=context.session.secret,
        devices=browser.known_to(request, context.config),
    )
    try:
        principal = check_password(context.engine, attempt, context.now)
    except (TooMany, Transient) as error:
        return _later(context, login, error)
    if principal is None:
        return _form(context, login, "wrong"), 403
    return welcome(context, principal, "password")


def _later(context: RequestContext, login: str, error: TooMany | Transient) -> Response:
    """Says for how long: after wrong passwords 429, while others' are being checked 503."""
    kind, status = ("wait", 429) if isinstance(error, TooMany) else ("busy", 503)
    answer = make_response(_form(context, login, kind, seconds=error.data["seconds"]), status)
    answer.headers["Retry-After"] = str(error.data["seconds"])
    return answer


def _form(context: RequestContext, login: str, problem: str, **facts: Any) -> str:
    said = ""
    if "seconds" in facts:
        said = context.language.count(f"sign_in.{problem}", facts["seconds"])
    elif problem:
        said = context.language(f"sign_in.{problem}")
    return context.page("shell/sign_in.html", login=login, problem=said, next=safe_target(request.values.get("next", "")))


def link_page(context: RequestContext, token: str) -> PageAnswer:  # noqa: ARG001 - the rule names it; only the button uses it
    """Shows a button only: whoever fetches the link to preview it must not burn it."""
    return context.page("shell/link.html")


def use_link(context: RequestContext, token: str) -> PageAnswer:
    with context.engine.begin() as connection:
        principal = use_sign_in_link(connection, token, context.now)
    if principal is None:
        return _form(context, "", "link_used"), 403
    return welcome(context, principal, "link")


def welcome(context: RequestContext, principal: Principal, method: Method) -> Response:
    """A new session on the server, in the language that they chose last. Whoever has no password yet is offered one."""
    session = sessions.sign_in(context.now, context.session.locale)
    with context.engine.begin() as connection:
        drop_session(connection, context.session.secret)  # of whoever was signed in here before
        begin_session(connection, principal, session.secret, method, browser.kind_of(request), context.now)
        if not principal.locale and context.session.locale:
            set_locale(connection, principal, principal.id, context.session.locale)
        needs_password = method == "link" and not has_password(connection, principal.id)
    g.context = replace(context, session=session)
    answer = context.go("first_password") if needs_password else context.go("home")
    if not needs_password:
        answer.headers["Location"] = safe_target(request.form.get("next", "")) or answer.headers["Location"]
    browser.remember(answer, request, context.config, principal.id)
    return answer


def sign_out(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        end_session(connection, context.principal, context.session.secret)
    g.context = replace(context, session=sessions.begin(context.now, context.language.locale), visitor=None)
    return context.go("sign_in_page")
