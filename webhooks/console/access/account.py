"""My account: password, the browsers that are signed in, and signing out of all of them."""

from __future__ import annotations

from dataclasses import replace

from flask import g, request

from crm_core import access
from crm_core.access.passwords import MIN_PASSWORD_CHARACTERS
from crm_core.access.queries import get_user
from crm_core.base.errors import Invalid, TooMany, Transient
from webhooks.console.shell import browser, errors
from webhooks.console.shell import session as sessions
from webhooks.console.shell.request_context import Answer, Desk


def page(desk: Desk) -> Answer:
    return _page(desk, "")


def first_password(desk: Desk) -> Answer:
    """After the first link: a password, so that one can come back when the link has gone."""
    with desk.engine.begin() as connection:
        if access.has_password(connection, desk.principal.id):
            return desk.go("account")
    return desk.page("shell/first_password.html", login=_login(desk), problem="", least=MIN_PASSWORD_CHARACTERS)


def set_first_password(desk: Desk) -> Answer:
    with desk.engine.begin() as connection:
        if access.has_password(connection, desk.principal.id):
            return desk.go("account")
    try:
        hashed = _new_password()
    except (Invalid, Transient) as error:
        said = errors.detail_of(desk, error)
        shown = desk.page("shell/first_password.html", login=_login(desk), problem=said, least=MIN_PASSWORD_CHARACTERS)
        return shown, _status(error)
    _replace_password(desk, hashed)
    return desk.go("home", "password_set")


def change_password(desk: Desk) -> Answer:
    """Asks for the old one, unless this session came by a link, which is for whoever has forgotten it."""
    try:
        if _asks_for_old(desk) and not access.confirm_password(
            desk.engine, desk.principal.id, request.form.get("old", ""), desk.session.secret, desk.now
        ):
            raise Invalid("old_password_wrong", "The present password is another one.", fields=["old"])
        hashed = _new_password()
    except (Invalid, Transient, TooMany) as error:
        return _page(desk, errors.detail_of(desk, error)), _status(error)
    _replace_password(desk, hashed)
    return desk.go("account", "password_changed")


def end_one(desk: Desk, session_id: int) -> Answer:
    with desk.engine.begin() as connection:
        if access.end_session_of(connection, desk.principal.id, session_id):
            access.audit(connection, desk.principal, "session.end", desk.principal.actor, {"session": str(session_id)})
    return desk.go("account", "session_ended")


def sign_out_everywhere(desk: Desk) -> Answer:
    with desk.engine.begin() as connection:
        access.sign_out_everywhere(connection, desk.principal, desk.principal.id)
    g.desk = replace(desk, session=sessions.begin(desk.now, desk.language.locale), visitor=None)
    return desk.go("sign_in_page")


def _page(desk: Desk, problem: str) -> str:
    with desk.engine.begin() as connection:
        user = get_user(connection, desk.principal.id)
        opened = access.list_sessions(connection, desk.principal.id, desk.now, desk.session.secret)
    return desk.page(
        "access/account.html", user=user, sessions=opened, problem=problem, asks_for_old=_asks_for_old(desk),
        least=MIN_PASSWORD_CHARACTERS,
    )  # fmt: skip


def _asks_for_old(desk: Desk) -> bool:
    with desk.engine.begin() as connection:
        if not access.has_password(connection, desk.principal.id):
            return False
        opened = access.list_sessions(connection, desk.principal.id, desk.now, desk.session.secret)
    return not any(row["current"] and row["method"] == "link" for row in opened)


def _new_password() -> access.PasswordHash:
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        raise Invalid("passwords_differ", "The two passwords differ.", fields=["again"])
    return access.hash_password(password)


def _replace_password(desk: Desk, hashed: access.PasswordHash) -> None:
    """Ends all sessions, this one too: a new one takes its place, so that a copied cookie is worth nothing."""
    session = sessions.sign_in(desk.now, desk.session.locale)
    with desk.engine.begin() as connection:
        access.set_password(connection, desk.principal, desk.principal.id, hashed)
        kind = browser.kind_of(request)
        access.begin_session(connection, desk.principal.id, session.secret, "password", kind, desk.now)
    g.desk = replace(desk, session=session)


def _login(desk: Desk) -> str:
    with desk.engine.begin() as connection:
        return get_user(connection, desk.principal.id).login


def _status(error: Invalid | Transient | TooMany) -> int:
    return {Invalid: 422, TooMany: 429}.get(type(error), 503)
