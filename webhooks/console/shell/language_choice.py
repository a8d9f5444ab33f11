"""The switch between languages. The choice is remembered in the session and with the user."""

from __future__ import annotations

from dataclasses import replace

from flask import g, request

from crm_core.access import set_locale
from crm_core.base.errors import Invalid
from webhooks.console.shell.language import LOCALES
from webhooks.console.shell.request_context import PageAnswer, RequestContext
from webhooks.console.shell.safe_redirect import safe_target


def choose(context: RequestContext) -> PageAnswer:
    locale = request.form.get("locale", "")
    if locale not in LOCALES:
        raise Invalid("locale", "Choose ru or en.", fields=["locale"])
    if context.visitor is not None:
        with context.engine.begin() as connection:
            set_locale(connection, context.visitor, context.visitor.id, locale)
    g.context = replace(context, session=replace(context.session, locale=locale))
    answer = context.go("home")
    answer.headers["Location"] = safe_target(request.form.get("next", "")) or answer.headers["Location"]
    return answer
