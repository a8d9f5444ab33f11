"""Users and tokens: who gets in."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from webhooks.api.schemas.base import Id, Named, Page, Shape

Role = Literal["admin", "head", "manager", "ops", "readonly"]


class User(Shape):
    id: Id
    login: str
    name: str
    role: Role
    owner: Named | None
    active: bool
    has_password: bool = Field(description="false: signs in by link only")
    locale: str
    sessions: int = Field(description="browsers in which they are signed in")
    last_seen_at: AwareDatetime | None
    link_until: AwareDatetime | None = Field(description="until when an unused sign-in link opens")
    created_at: AwareDatetime


class UserWithLink(User):
    sign_in_url: str = Field(description="signs them in once; shown only here")


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


class UserPage(Page[User]):
    pass


class TokenPage(Page[Token]):
    pass
