"""Who calls the API: a Bearer token (RFC 6750), nothing else. The console's cookie opens no API route, so no page of
somebody else's can use it.
"""

from __future__ import annotations

from flask import g, request
from sqlalchemy import Engine

from crm_core.access import Principal, find_token, may
from webhooks.problems import Forbidden, SignInNeeded

_LONGEST_TOKEN = 200


def authenticate(engine: Engine) -> Principal:
    """The principal of this request. Raises SignInNeeded."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SignInNeeded("token_missing", "Send the header 'Authorization: Bearer <token>'.")
    principal = None
    if len(token) <= _LONGEST_TOKEN:
        with engine.begin() as connection:
            principal = find_token(connection, token.strip())
    if principal is None:
        raise SignInNeeded("token_unknown", "This token is unknown or was revoked.")
    g.principal = principal
    return principal


def demand(principal: Principal, permission: str) -> None:
    """Raises Forbidden."""
    if not may(principal, permission):
        raise Forbidden("forbidden", f"The role {principal.role} lacks the permission {permission}.")
