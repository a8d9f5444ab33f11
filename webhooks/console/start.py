"""Signing in by password or link, signing out, and where one lands."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, g, request

from crm_core.access import (
    Principal,
    audit,
    check_password,
    session_epoch,
    set_locale,
    use_sign_in_link,
)
from webhooks.console import session as sessions
from webhooks.console.desk import Answer, Desk, entered
from webhooks.console.targets import safe_target

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
    with desk.engine.begin() as connection:
        principal = check_password(connection, login, request.form.get("password", ""), desk.now)
        if principal is not None:
            audit(connection, principal, "session.begin", principal.actor, {"by": "password"})
    if principal is None:
        return _form(desk, login, "wrong"), 403
    return _welcome(desk, principal)


def _form(desk: Desk, login: str, problem: str) -> str:
    wanted = request.values.get("next", "")
    return desk.page("sign_in.html", login=login, problem=problem, next=safe_target(wanted))


def link_page(desk: Desk, token: str) -> Answer:  # noqa: ARG001 - the rule names it; only the button uses it
    """Shows a button only: whoever fetches the link to preview it must not burn it."""
    return desk.page("link.html")


def use_link(desk: Desk, token: str) -> Answer:
    with desk.engine.begin() as connection:
        principal = use_sign_in_link(connection, token, desk.now)
        if principal is not None:
            audit(connection, principal, "session.begin", principal.actor, {"by": "link"})
    if principal is None:
        return _form(desk, "", "link_used"), 403
    return _welcome(desk, principal)


def _welcome(desk: Desk, principal: Principal) -> Response:
    """A new session for him, in the language that he chose last."""
    with desk.engine.begin() as connection:
        epoch = session_epoch(connection, principal.id)
        if not principal.locale and desk.session.locale:
            set_locale(connection, principal.id, desk.session.locale)
    session = sessions.sign_in(principal.id, epoch, desk.now, desk.session.locale)
    g.desk = replace(desk, session=session)
    answer = desk.go("home")
    answer.headers["Location"] = safe_target(request.form.get("next", "")) or answer.headers["Location"]
    return answer


def sign_out(desk: Desk) -> Answer:
    g.desk = replace(desk, session=sessions.begin(desk.now, desk.language.locale), visitor=None)
    return desk.go("sign_in_page")
