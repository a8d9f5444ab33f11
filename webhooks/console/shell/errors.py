"""Errors as pages with a way out, by one table. What is not in it is a bug: logged like the API's, shown with its id only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Response, g, make_response, request
from werkzeug.exceptions import HTTPException

from crm_core.base.errors import (
    Conflict,
    Forbidden,
    HubError,
    Invalid,
    Misconfigured,
    NotFound,
    TooMany,
    Transient,
)
from crm_core.base.log import error_facts, get_logger
from webhooks.console.shell.request_context import RequestContext
from webhooks.problems import is_database_away

log = get_logger(__name__)

#: Error class → (texts "error.<kind>", HTTP status).
KINDS: Final[dict[type[HubError], tuple[str, int]]] = {
    NotFound: ("not_found", 404),
    Forbidden: ("forbidden", 403),
    Invalid: ("invalid", 422),
    Conflict: ("conflict", 409),
    TooMany: ("too_many", 429),
    Transient: ("away", 503),
    Misconfigured: ("misconfigured", 500),
}
#: Conflicts with what somebody did since the page was opened. The others are with what is there: a name that is taken.
_CHANGED_MEANWHILE: Final = frozenset(
    {
        "version",
        "another_open_lead",
        "activity_closed",
        "event_not_open",
        "nothing_to_judge",
        "nothing_to_replay",
        "consent_not_held",
    }
)
_OF_STATUS: Final = {404: "not_found", 413: "too_large"}


def page(context: RequestContext, kind: str, status: int, detail: str = "", code: str = "") -> Response:
    """`code` is for programs and for whoever is asked for help; people read the words."""
    back = request.referrer or ""
    return make_response(
        context.page(
            "shell/error.html",
            kind=kind,
            code=code or kind,
            detail=detail,
            back=back if back.startswith(request.host_url) else "",
        ),
        status,
    )


def of(context: RequestContext, error: Exception) -> Response:
    """The page for an error; raises again what is an answer already."""
    if is_database_away(error):
        answer = page(context, "away", 503)
        answer.headers["Retry-After"] = "5"
        return answer
    for kind in type(error).__mro__:
        if kind in KINDS and isinstance(error, HubError):
            words, status = KINDS[kind]
            if kind is Conflict and error.code not in _CHANGED_MEANWHILE:
                words = "in_the_way"
            detail = detail_of(context, error) if status in (409, 422, 429, 500) else ""
            answer = page(context, words, status, detail, error.code)
            if "seconds" in error.data:
                answer.headers["Retry-After"] = str(error.data["seconds"])
            return answer
    if isinstance(error, HTTPException):
        if error.code in _OF_STATUS:
            return page(context, _OF_STATUS[error.code], error.code)
        raise error
    return _bug(context, error)


def _bug(context: RequestContext, error: Exception) -> Response:
    """The id leads to the line in the log, which names places and never people's data."""
    request_id = g.get("request_id", "")
    log.error("request_failed", request_id=request_id, **error_facts(error))
    return page(context, "bug", 500, context.language("error.bug_id", id=request_id))


def detail_of(context: RequestContext, error: HubError) -> str:
    """What went wrong, in the reader's language where the code is known there."""
    return context.language.code("problem", error.code, **error.data) if known(context, error.code) else error.message


@dataclass(frozen=True, slots=True)
class Problem:
    """What a form that is shown again says above its fields: the words for people, the code for programs."""

    words: str
    code: str


def problem_of(context: RequestContext, error: HubError) -> Problem:
    return Problem(detail_of(context, error), error.code)


def known(context: RequestContext, code: str) -> bool:
    return context.language.knows("problem", code)
