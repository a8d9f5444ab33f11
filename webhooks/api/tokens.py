"""Tokens of the API: list, create for a program or an owner, revoke. The rules are `crm_core.access.tokens`'."""

from __future__ import annotations

from typing import cast

from pydantic import Field

from crm_core import access
from crm_core.access.queries import get_token, list_tokens
from crm_core.base.values import Text
from webhooks.api.parameters import RowId, Time
from webhooks.api.route import Ask, Body, Route
from webhooks.api.schemas import users as shapes
from webhooks.api.schemas.base import beside


class TokenBody(Body):
    name: Text = Field(min_length=1, max_length=200, description="which program it is for")
    role: shapes.Role = "manager"
    owner: RowId | None = Field(None, description="as which owner it acts; a manager's token without one sees no leads")
    expires_at: Time | None = Field(None, description="null: never")


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_tokens(connection), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_token(connection, ask.id("token"))


def _create(ask: Ask) -> object:
    body = cast(TokenBody, ask.body)
    with ask.engine.begin() as connection:
        token_id, token = access.add_token(connection, ask.principal, body.role, body.name, body.owner, body.expires_at)
        return beside(get_token(connection, token_id), token=token)


def _revoke(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        access.revoke_token(connection, ask.principal, ask.id("token"), ask.now)


ROUTES = (
    Route("GET", "/tokens", "users.read", _list, "Tokens without their secrets, the valid ones first", shapes.TokenPage),
    Route("POST", "/tokens", "users.write", _create, "Create a token; the answer shows it, this once", shapes.NewToken,
          body=TokenBody, status=201),
    Route("GET", "/tokens/<id>", "users.read", _get, "One token without its secret", shapes.Token),
    Route("DELETE", "/tokens/<id>", "users.write", _revoke, "Revoke a token", None, status=204),
)  # fmt: skip
