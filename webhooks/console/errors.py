"""Errors as pages with a way out, by one table. What is not in it is a bug and goes on to the application's own."""

from __future__ import annotations

from typing import Final

from flask import Response, make_response, request

from crm_core.errors import Conflict, HubError, Invalid, NotFound, Transient
from webhooks.console.desk import Desk
from webhooks.problems import is_database_away

#: Error class → (texts "error.<kind>", HTTP status).
KINDS: Final[dict[type[HubError], tuple[str, int]]] = {
    NotFound: ("not_found", 404),
    Invalid: ("invalid", 422),
    Conflict: ("conflict", 409),
    Transient: ("away", 503),
}


def page(desk: Desk, kind: str, status: int, detail: str = "") -> Response:
    back = request.referrer or ""
    return make_response(
        desk.page("error.html", kind=kind, detail=detail, back=back if back.startswith(request.host_url) else ""), status
    )


def of(desk: Desk, error: Exception) -> Response:
    """The page for an error; raises it again if no page explains it."""
    if is_database_away(error):
        answer = page(desk, "away", 503)
        answer.headers["Retry-After"] = "5"
        return answer
    for kind in type(error).__mro__:
        if kind in KINDS and isinstance(error, HubError):
            words, status = KINDS[kind]
            return page(desk, words, status, detail_of(desk, error) if status in (409, 422) else "")
    raise error


def detail_of(desk: Desk, error: HubError) -> str:
    """What went wrong, in the reader's language where the code is known there."""
    return desk.language.code("problem", error.code, **error.data) if known(desk, error.code) else error.message


def known(desk: Desk, code: str) -> bool:
    return desk.language.knows("problem", code)
