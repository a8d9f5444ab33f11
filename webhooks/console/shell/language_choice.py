"""The switch between languages. The choice is remembered in the session and with the user."""

from __future__ import annotations

from dataclasses import replace

from flask import g, request

from crm_core.access import set_locale
from crm_core.base.errors import Invalid
from webhooks.console.shell.language import LOCALES
from webhooks.console.shell.request_context import Answer, Desk
from webhooks.console.shell.safe_redirect import safe_target


def choose(desk: Desk) -> Answer:
    locale = request.form.get("locale", "")
    if locale not in LOCALES:
        raise Invalid("locale", "Choose ru or en.", fields=["locale"])
    if desk.visitor is not None:
        with desk.engine.begin() as connection:
            set_locale(connection, desk.visitor.id, locale)
    g.desk = replace(desk, session=replace(desk.session, locale=locale))
    answer = desk.go("home")
    answer.headers["Location"] = safe_target(request.form.get("next", "")) or answer.headers["Location"]
    return answer
