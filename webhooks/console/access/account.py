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
from webhooks.console.shell.request_context import PageAnswer, RequestContext


def page(context: RequestContext) -> PageAnswer:
    return _page(context, None)


def first_password(context: RequestContext) -> PageAnswer:
    """After the first link: a password, so that one can come back when the link has gone."""
    with context.engine.begin() as connection:
        if access.has_password(connection, context.principal.id):
            return context.go("account")
    return context.page("shell/first_password.html", login=_login(context), problem=None, least=MIN_PASSWORD_CHARACTERS)


def set_first_password(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        if access.has_password(connection, context.principal.id):
            return context.go("account")
    try:
        hashed = _new_password()
    except (Invalid, Transient) as error:
        said = errors.problem_of(context, error)
        shown = context.page("shell/first_password.html", login=_login(context), problem=said, least=MIN_PASSWORD_CHARACTERS)
        return shown, _status(error)
    _replace_password(context, hashed)
    return context.go("home", "password_set")


def change_password(context: RequestContext) -> PageAnswer:
    """Asks for the old one, unless this session came by a link, which is for whoever has forgotten it."""
    try:
        if _asks_for_old(context) and not access.confirm_password(
            context.engine, context.principal.id, request.form.get("old", ""), context.session.secret, context.now
        ):
            raise Invalid("old_password_wrong", "The present password is another one.", fields=["old"])
        hashed = _new_password()
    except (Invalid, Transient, TooMany) as error:
        return _page(context, errors.problem_of(context, error)), _status(error)
    _replace_password(context, hashed)
    return context.go("account", "password_changed")


def end_one(context: RequestContext, session_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        access.end_session_of(connection, context.principal, session_id)
    return context.go("account", "session_ended")


def sign_out_everywhere(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        access.sign_out_everywhere(connection, context.principal, context.principal.id)
    g.context = replace(context, session=sessions.begin(context.now, context.language.locale), visitor=None)
    return context.go("sign_in_page")


def _page(context: RequestContext, problem: errors.Problem | None) -> str:
    with context.engine.begin() as connection:
        user = get_user(connection, context.principal.id)
        opened = access.list_sessions(connection, context.principal.id, context.now, context.session.secret)
    return context.page(
        "access/account.html", user=user, sessions=opened, problem=problem, asks_for_old=_asks_for_old(context),
        least=MIN_PASSWORD_CHARACTERS,
    )  # fmt: skip


def _asks_for_old(context: RequestContext) -> bool:
    with context.engine.begin() as connection:
        if not access.has_password(connection, context.principal.id):
            return False
        opened = access.list_sessions(connection, context.principal.id, context.now, context.session.secret)
    return not any(row.current and row.method == "link" for row in opened)


def _new_password() -> access.PasswordHash:
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        raise Invalid("passwords_differ", "The two passwords differ.", fields=["again"])
    return access.hash_password(password)


def _replace_password(context: RequestContext, hashed: access.PasswordHash) -> None:
    """Ends all sessions, this one too: a new one takes its place, so that a copied cookie is worth nothing."""
    session = sessions.sign_in(context.now, context.session.locale)
    with context.engine.begin() as connection:
        access.set_password(connection, context.principal, context.principal.id, hashed)
        kind = browser.kind_of(request)
        access.renew_session(connection, context.principal.id, session.secret, "password", kind, context.now)
    g.context = replace(context, session=session)


def _login(context: RequestContext) -> str:
    with context.engine.begin() as connection:
        return get_user(connection, context.principal.id).login


def _status(error: Invalid | Transient | TooMany) -> int:
    return {Invalid: 422, TooMany: 429}.get(type(error), 503)
