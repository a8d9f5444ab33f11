"""Who calls the API: a Bearer token (RFC 6750), nothing else. The console's cookie opens no API route, so no page of
somebody else's can use it.
"""

from __future__ import annotations

from flask import g, request
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from crm_core.access import Principal, find_token, why_not
from webhooks.problems import SignInNeeded

_LONGEST_TOKEN = 200


def authenticate(engine: Engine) -> Principal:
    """The principal of this request. Raises SignInNeeded."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SignInNeeded("token_missing", "Send the header 'Authorization: Bearer <token>'.")
    if len(token) > _LONGEST_TOKEN:
        raise SignInNeeded("token_unknown", "This token is unknown or was revoked.")
    principal = _find(engine, token.strip())
    if principal is None:
        with engine.begin() as connection:
            expired = why_not(connection, token.strip()) == "expired"
        if expired:
            raise SignInNeeded("token_expired", "This token has expired. An administrator can create a new one.")
        raise SignInNeeded("token_unknown", "This token is unknown or was revoked.")
    g.principal = principal
    return principal


def _find(engine: Engine, token: str) -> Principal | None:
    """Tries once more with a new connection: the pooled ones died if the server was restarted. What follows in the
    same request, writing too, then meets a living one.
    """
    try:
        with engine.begin() as connection:
            return find_token(connection, token)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    with engine.begin() as connection:
        return find_token(connection, token)
