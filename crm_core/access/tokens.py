"""API tokens: shown once, stored as SHA-256, found by digest. A manager's token acts as the owner that it names."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, false, func, insert, or_, select, text, update

from crm_core.access.models import ROLES, ApiToken
from crm_core.access.principal import Principal
from crm_core.access.rights import demand
from crm_core.access.secret import digest, new_secret
from crm_core.base import history
from crm_core.base.errors import Invalid, NotFound
from crm_core.people.models import Owner

TOKEN_CREATED = history.Action("token.create")
TOKEN_REVOKED = history.Action("token.revoke")

_RIGHT: Final = "users.write"

#: "lh_" and as much as tells a few hundred tokens apart; the 234 bits behind it stay unknown.
_PREFIX_CHARACTERS = 7


def add_token(
    connection: Connection,
    principal: Principal,
    role: str,
    name: str,
    owner_id: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[int, str]:
    """(its id, the token itself, which nobody can read again). A manager's token without an owner sees no leads. Raises Invalid
    for an unknown role, an owner who is not there, a time that is over."""
    demand(principal, _RIGHT)
    if role not in ROLES:
        raise Invalid("unknown_role", f"There is no role {role!r}; choose one of {', '.join(ROLES)}.", fields=["role"])
    if not name.strip():
        raise Invalid("name_missing", "A token needs the name of the program that it is for.", fields=["name"])
    if owner_id is not None:
        # Locked against being retired at this moment: whoever comes second sees what the first one did.
        active = connection.scalar(select(Owner.active).where(Owner.id == owner_id).with_for_update(read=True))
        if not active:
            raise Invalid("owner_retired" if active is False else "unknown_owner",
                          "There is no such owner, or they were retired.", fields=["owner"])  # fmt: skip
    if expires_at is not None and connection.scalar(select(func.now() >= expires_at)):
        raise Invalid("in_the_past", "The end of a token lies in the future.", fields=["expires_at"])
    token = new_secret("lh_")
    token_id = connection.execute(
        insert(ApiToken)
        .values(
            digest=digest(token), name=name.strip(), role=role, owner_id=owner_id, expires_at=expires_at,
            prefix=token[:_PREFIX_CHARACTERS], created_by=principal.actor,
        )
        .returning(ApiToken.id)
    ).scalar_one()  # fmt: skip
    history.record(connection, principal, TOKEN_CREATED, token_id, {"role": role})
    return token_id, token


def find_token(connection: Connection, token: str) -> Principal | None:
    """Whose token it is; None if it is unknown, revoked or over. Notes its use at most once a minute."""
    wanted = digest(token)
    row = connection.execute(
        select(ApiToken).with_only_columns(
            ApiToken.id, ApiToken.digest, ApiToken.name, ApiToken.role, ApiToken.owner_id,
            or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < func.now() - text("interval '1 minute'"))
            .label("note_use"),
        ).where(ApiToken.digest == wanted, *_valid())
    ).one_or_none()  # fmt: skip
    # The index compared digests, which tell an attacker nothing about a token; the last word is constant time anyway.
    if row is None or not hmac.compare_digest(bytes(row.digest), wanted):
        return None
    if row.note_use:
        connection.execute(update(ApiToken).where(ApiToken.id == row.id).values(last_used_at=func.now()))
    return Principal("token", row.id, row.name, row.role, row.owner_id)


def why_not(connection: Connection, token: str) -> str:
    """Why a token that `find_token` does not know opens nothing: revoked | expired | unknown."""
    row = connection.execute(
        select(ApiToken.revoked_at, ApiToken.expires_at).where(ApiToken.digest == digest(token))
    ).one_or_none()
    if row is None:
        return "unknown"
    return "revoked" if row.revoked_at is not None else "expired"


def revoke_token(connection: Connection, principal: Principal, token_id: int, now: datetime) -> bool:
    """True if it was valid until now. Raises NotFound."""
    demand(principal, _RIGHT)
    revoked = connection.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiToken.id)
    ).one_or_none()
    if revoked is None:
        if connection.scalar(select(ApiToken.id).where(ApiToken.id == token_id)) is None:
            raise NotFound("token_unknown", f"There is no token {token_id}.")
        return False
    history.record(connection, principal, TOKEN_REVOKED, token_id)
    return True


def revoke_tokens_of(connection: Connection, principal: Principal, user_id: int | None, owner_id: int | None, why: str) -> None:
    """A part of cutting somebody off. Revokes what acts for this owner, what this user made, and what such tokens made in turn: they have seen them all."""
    whose = []  # by cases: "= NULL" would be "IS NULL" here, and name the tokens of nobody
    if user_id is not None:
        whose.append(ApiToken.created_by == f"user:{user_id}")
    if owner_id is not None:
        whose.append(ApiToken.owner_id == owner_id)
    theirs = select(ApiToken.id).where(or_(false(), *whose)).cte("theirs", recursive=True)
    made_in_turn = select(ApiToken.id).join(theirs, ApiToken.created_by == func.concat("token:", theirs.c.id))
    theirs = theirs.union(made_in_turn)
    revoked = connection.execute(
        update(ApiToken)
        .where(ApiToken.id.in_(select(theirs.c.id)), ApiToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiToken.id)
    ).scalars()
    for token_id in sorted(revoked):
        history.record(connection, principal, TOKEN_REVOKED, token_id, {"with": why})


def _valid() -> tuple[Any, ...]:
    return ApiToken.revoked_at.is_(None), or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > func.now())
