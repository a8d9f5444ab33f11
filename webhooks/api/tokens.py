"""Tokens of the API: list, create for a program or an owner, revoke. The rules are `crm_core.access.tokens`'."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import AwareDatetime, Field

from crm_core import access
from crm_core.access.queries import get_token, list_tokens
from webhooks.api.parameters import RowId, Text, Time
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Named, Page, Shape, beside
from webhooks.api.users import Role


class Maker(Shape):
    actor: str = Field(description='user:7, token:3, cli:root; "" for tokens from before this was kept')
    name: str | None


class Token(Shape):
    id: Id
    name: str
    role: Role
    owner: Named | None = Field(description="as whom a manager's token acts")
    prefix: str = Field(description="its first characters")
    state: Literal["active", "expired", "revoked"]
    created_by: Maker
    created_at: AwareDatetime
    last_used_at: AwareDatetime | None
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class NewToken(Token):
    token: str = Field(description="the token itself; nobody can read it again")


class TokenPage(Page[Token]):
    pass


class TokenBody(Body):
    name: Text = Field(min_length=1, max_length=200, description="which program it is for")
    role: Role = "manager"
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
    Route("GET", "/tokens", "users.read", _list, "Tokens without their secrets, the valid ones first", TokenPage),
    Route("POST", "/tokens", "users.write", _create, "Create a token; the answer shows it, this once", NewToken,
          body=TokenBody, status=201),
    Route("GET", "/tokens/<id>", "users.read", _get, "One token without its secret", Token),
    Route("DELETE", "/tokens/<id>", "users.write", _revoke, "Revoke a token", None, status=204),
)  # fmt: skip
