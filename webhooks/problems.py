"""Errors as RFC 9457 problems, by one table. What is not in it is a bug: 500 with an id, and nothing of the inside.

A browser that asked for a page gets the same facts as a plain page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import psycopg
from flask import Flask, Response, g, request
from markupsafe import escape
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from crm_core.base.errors import (
    Conflict,
    Forbidden,
    HubError,
    Invalid,
    Malformed,
    Misconfigured,
    NotAuthentic,
    NotFound,
    TooLarge,
    TooMany,
    Transient,
    UnknownSource,
)
from crm_core.base.log import error_facts, get_logger

log = get_logger(__name__)

PROBLEM_TYPE: Final = "application/problem+json"

#: A database that restarts is back within seconds.
_RETRY_AFTER_SECONDS = "5"
_MOST_ERRORS = 20  # of one answer; who sends more mistakes than that sees the rest after mending these
_LONGEST_PATH = 200


@dataclass(frozen=True, slots=True)
class ProblemKind:
    status: int
    slug: str  # the problem's type is /docs#problem-<slug>
    title: str


class SignInNeeded(HubError):
    """No token, or one that is unknown or revoked: 401."""


class UnsupportedMedia(HubError):
    """A body that is not declared as JSON: 415."""


KINDS: Final[dict[type[HubError], ProblemKind]] = {
    SignInNeeded: ProblemKind(401, "sign-in-needed", "A valid token is needed"),
    Forbidden: ProblemKind(403, "forbidden", "This role may not do that"),
    UnknownSource: ProblemKind(404, "not-found", "Not found"),
    NotFound: ProblemKind(404, "not-found", "Not found"),
    TooLarge: ProblemKind(413, "too-large", "The body is too large"),
    UnsupportedMedia: ProblemKind(415, "unsupported-media", "This kind of body is not read here"),
    NotAuthentic: ProblemKind(403, "not-authentic", "The signature is wrong"),
    Malformed: ProblemKind(400, "malformed", "The request cannot be read"),
    Invalid: ProblemKind(422, "invalid", "The request does not fit"),
    Conflict: ProblemKind(409, "conflict", "It conflicts with what is there"),
    TooMany: ProblemKind(429, "too-many", "Too many tries of late"),
    Transient: ProblemKind(503, "try-again", "Not possible at the moment"),
    Misconfigured: ProblemKind(500, "misconfigured", "The hub is not set up for this"),
}
BUG: Final = ProblemKind(500, "bug", "Something went wrong inside the hub")


def problem(
    kind: ProblemKind,
    code: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer. `errors` name the wrong places: [{"path","message"}], never the values that were sent."""
    if request.accept_mimetypes.best == "text/html" and not request.path.startswith("/api/"):
        body: str | bytes = _as_page(kind, detail)
        mimetype = "text/html"
    else:
        facts: dict[str, Any] = {
            "type": f"/docs#problem-{kind.slug}", "title": kind.title, "status": kind.status, "detail": detail,
            "code": code, "request_id": g.get("request_id", ""),
        }  # fmt: skip
        if errors:
            facts["errors"] = errors[:_MOST_ERRORS]
        body, mimetype = orjson.dumps(facts), PROBLEM_TYPE
    answer = Response(body, status=kind.status, mimetype=mimetype)
    for name, value in (headers or {}).items():
        answer.headers[name] = value
    if kind.status == 401:
        answer.headers.setdefault("WWW-Authenticate", 'Bearer realm="leadhub"')
    if kind.status == 503:
        answer.headers.setdefault("Retry-After", _RETRY_AFTER_SECONDS)
    return answer


def _as_page(kind: ProblemKind, detail: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(kind.title)}</title>'
        f"<h1>{escape(kind.title)}</h1><p>{escape(detail)}</p>"
        f"<p><small>{kind.status} · {escape(g.get('request_id', ''))}</small></p></html>"
    )


def fields_of(error: HubError) -> list[dict[str, str]]:
    """The wrong places that an error names, as a list of names or as {name: why}."""
    fields = error.data.get("fields") or {}
    if isinstance(fields, Mapping):
        return [{"path": str(name), "message": str(why)} for name, why in fields.items()]
    return [{"path": str(name), "message": error.message} for name in fields]


def from_validation(error: ValidationError, place: str, known: list[str]) -> Response:
    """A 422 that names every wrong parameter or field and, for an unknown one, those that there are."""
    errors = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        path = ".".join(str(part) for part in fault["loc"])[:_LONGEST_PATH]
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = f"is unknown; there are: {', '.join(known) or 'none'}"
        errors.append({"path": path or place, "message": message})
    names = ", ".join(dict.fromkeys(fault["path"] for fault in errors[:_MOST_ERRORS]))
    return problem(KINDS[Invalid], f"invalid_{place}", f"Not as it should be in the {place}: {names}.", errors)


def is_database_away(error: BaseException) -> bool:
    """Connection lost, pool exhausted, lock or statement timeout: it passes by itself."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | PoolTimeoutError | psycopg.OperationalError)


def install(app: Flask) -> None:
    """Every exception that leaves a view becomes one of these answers."""

    def of_hub_error(error: HubError) -> Response:
        kind = next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), BUG)
        wait = {"Retry-After": str(error.data["seconds"])} if "seconds" in error.data else None
        return problem(kind, error.code, error.message, fields_of(error), wait)

    def of_http_exception(error: HTTPException) -> Response:
        status = error.code or 500
        kind = ProblemKind(status, f"http-{status}", error.name)
        headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After", "Location"}}
        if error.response is not None or status < 400:
            return Response(error.get_body(), status, headers)
        return problem(kind, f"http_{status}", error.description or error.name, headers=headers)

    def of_anything(error: Exception) -> Response:
        if is_database_away(error):
            log.warning("database_was_away", error=type(error).__name__)
            return problem(KINDS[Transient], "database_away", "The database is away or busy; repeat in some seconds.")
        log.error("request_failed", request_id=g.get("request_id", ""), **error_facts(error))
        return problem(BUG, "bug", "This is a fault of the hub. Its log tells more under the request id.")

    app.register_error_handler(HubError, of_hub_error)
    app.register_error_handler(HTTPException, of_http_exception)
    app.register_error_handler(Exception, of_anything)
