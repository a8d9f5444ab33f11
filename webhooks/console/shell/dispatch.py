"""The way into every page: who is it, may he, is the form our own; and the way out: the session's cookie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, request, url_for
from sqlalchemy import Engine
from werkzeug.routing import IntegerConverter

from crm_core.access import Principal, find_session
from crm_core.access.sessions import IDLE
from crm_core.base.config import HubConfig
from webhooks import compression, static_files
from webhooks.console.shell import errors, form_tokens, view_values
from webhooks.console.shell import session as sessions
from webhooks.console.shell.language import Language, pick
from webhooks.console.shell.request_context import RequestContext
from webhooks.console.shell.routes import ROUTES, Route
from webhooks.engines import ui_engine


class _Id(IntegerConverter):
    """A row's number that fits PostgreSQL's bigint; anything else is no such page."""

    regex = "[1-9][0-9]{0,17}"


def blueprint(config: HubConfig) -> Blueprint:
    """All of /console, and / that leads there."""
    room = Blueprint("console", __name__, template_folder=str(Path(__file__).parents[1]))

    @room.record_once
    def know_ids(state: Any) -> None:
        state.app.url_map.converters["id"] = _Id

    for route in ROUTES:
        view = partial(_enter, config, route)
        room.add_url_rule(f"/console{route.rule}", route.endpoint, view, methods=[route.method])
    room.add_url_rule("/console/static/<path:filename>", "static_file", _static_file)
    room.add_url_rule("/", "front", lambda: redirect(url_for("console.home")))
    room.add_url_rule("/console", "bare", lambda: redirect(url_for("console.home")))
    room.add_url_rule("/console/<path:rest>", "nowhere", partial(_nowhere, config), methods=["GET", "POST"])
    view_values.install(room)
    return room


def _static_file(filename: str) -> Response:
    return static_files.answer(view_values.STATIC, filename)


def _enter(config: HubConfig, route: Route, **parts: Any) -> Response:
    if route.shows_secret:
        compression.leave_uncompressed()
    return _answer(config, route.permission, route.view, **parts)


def _nowhere(config: HubConfig, rest: str) -> Response:  # noqa: ARG001 - the rule names it
    return _answer(config, None, lambda context: errors.page(context, "not_found", 404))


def _answer(config: HubConfig, permission: str | None, view: Callable[..., Any], **parts: Any) -> Response:
    """The page, or what stands in its way, with the session's cookie on it."""
    now = datetime.now(UTC)
    engine = ui_engine(config)
    found = sessions.read(request.cookies.get(sessions.cookie_name(config)), config, now)
    session = found or sessions.begin(now)
    context = RequestContext(config, engine, now, _language(config, session, None), session, None)
    g.context = context
    try:
        visitor = _visitor(engine, session, now)
        if visitor is None and session.signed_in:  # disabled, or signed out everywhere
            session = sessions.begin(now, session.locale)
        context = replace(context, visitor=visitor, session=session, language=_language(config, session, visitor))
        g.context = context
        answer = _obstacle(context, found, permission) or make_response(view(context, **parts))
    except Exception as error:  # noqa: BLE001 - the edge: known errors become pages, the rest stay bugs
        answer = errors.of(g.context, error)
    _keep_session(answer, found, g.context)
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def _visitor(engine: Engine, session: sessions.Session, now: datetime) -> Principal | None:
    if not session.signed_in:
        return None
    with engine.begin() as connection:
        return find_session(connection, session.secret, now)


def _language(config: HubConfig, session: sessions.Session, visitor: Principal | None) -> Language:
    wanted = (visitor.locale if visitor else "") or session.locale
    return Language(pick(wanted, request.headers.get("Accept-Language", ""), config.locale))


def _obstacle(context: RequestContext, found: sessions.Session | None, permission: str | None) -> Response | None:
    """Sign in first, a form that is not ours, or no right: in this order."""
    if permission is not None and context.visitor is None:
        if request.method == "POST":
            return errors.page(context, "signed_out", 403)
        return context.go("sign_in_page", next=request.full_path.rstrip("?"))
    if request.method == "POST":
        token = form_tokens.unmasked(request.form.get("form_token", ""))
        if not sessions.is_own_post(found, token, request.headers, request.host, context.config):
            return errors.page(context, "foreign_form", 403)
    if permission and not context.may(permission):
        return errors.page(context, "forbidden", 403)
    return None


def _keep_session(answer: Response, found: sessions.Session | None, context: RequestContext) -> None:
    """Writes the cookie when the session is new or was changed, and now and then to keep it alive."""
    session = context.session
    if found is not None and session == found and not sessions.is_stale(session, context.now):
        return
    answer.set_cookie(
        sessions.cookie_name(context.config),
        sessions.write(replace(session, seen_at=context.now), context.config),
        max_age=int(IDLE.total_seconds()),
        path="/",
        secure=sessions.is_secure(context.config),
        httponly=True,
        samesite="Lax",
    )
    answer.headers.add("Vary", "Cookie")
