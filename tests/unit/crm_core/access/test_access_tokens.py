"""Tokens on real rows, and the table of rights."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from principals import OPERATOR
from sqlalchemy import Engine, text

from crm_core.access import (
    HUB,
    PERMISSIONS,
    ROLE_PERMISSIONS,
    Principal,
    add_token,
    find_token,
    may,
    revoke_token,
)
from crm_core.access.models import ROLES
from crm_core.access.queries import list_tokens
from crm_core.base import history
from crm_core.base.errors import Invalid
from crm_core.people.commands import MEMBER_PUT
from ingest.sources.sources import SOURCE_ADDED

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_a_token_is_stored_as_its_digest_only(engine: Engine) -> None:
    with engine.begin() as connection:
        token = add_token(connection, HUB, "ops", "night watch")[1]
        assert len(token) > 40
        row = str(connection.execute(text("SELECT to_jsonb(api_token) FROM api_token")).scalar_one())
        assert token not in row
        assert token.removeprefix("lh_")[:8] not in row
        assert find_token(connection, token) == Principal("token", 1, "night watch", "ops")
        shown = list_tokens(connection)[0]
        assert not hasattr(shown, "digest")
        assert token.startswith(shown.prefix)
        assert token not in str(shown)


def test_only_the_whole_token_opens(engine: Engine) -> None:
    with engine.begin() as connection:
        token = add_token(connection, HUB, "ops", "x")[1]
        for wrong in ("", token[:-1], token + "x", token.upper(), token.removeprefix("lh_"), "\x00", "\ud800"):
            assert find_token(connection, wrong) is None


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(engine: Engine) -> None:
    seen = "SELECT last_used_at, xmin::text FROM api_token"
    with engine.begin() as connection:
        token = add_token(connection, HUB, "ops", "x")[1]
    with engine.begin() as connection:
        assert find_token(connection, token) is not None
        first = connection.execute(text(seen)).one()
        assert first.last_used_at is not None
    with engine.begin() as connection:
        assert find_token(connection, token) is not None
        assert connection.execute(text(seen)).one() == first
        connection.execute(text("UPDATE api_token SET last_used_at = now() - interval '61 seconds'"))
        assert find_token(connection, token) is not None
        assert connection.execute(text("SELECT last_used_at = now() FROM api_token")).scalar_one()


def test_a_revoked_token_stays_listed_and_opens_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        token = add_token(connection, HUB, "manager", "x")[1]
        assert revoke_token(connection, HUB, 1, NOW) is True
        assert revoke_token(connection, HUB, 1, NOW) is False
        assert find_token(connection, token) is None
        assert (list_tokens(connection)[0].state, list_tokens(connection)[0].revoked_at) == ("revoked", NOW)


def test_a_token_of_an_unknown_role_is_refused(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(Invalid):
        add_token(connection, HUB, "king", "x")[1]


def test_the_audit_names_who_did_what(engine: Engine) -> None:
    with engine.begin() as connection:
        history.record(connection, Principal("user", 7, "Anna", "head"), MEMBER_PUT, 1, {"owner": "2"})
        history.record(connection, OPERATOR, SOURCE_ADDED, 1)
        rows = connection.execute(text("SELECT actor, action, subject, data FROM audit_entry ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [
        ("user:7", "pool.member", "pool:1", {"owner": "2"}), ("cli:tester", "source.add", "source:1", {}),
    ]  # fmt: skip


def test_nobody_and_unknown_words_may_nothing() -> None:
    assert not may(None, "leads.read")
    for role in (*ROLES, "king", ""):
        assert not may(Principal("token", 1, "x", role), "leads.destroy")
    assert not any(may(Principal("token", 1, "x", "king"), permission) for permission in PERMISSIONS)


def test_the_table_knows_only_roles_and_gives_admins_everything() -> None:
    assert set().union(*ROLE_PERMISSIONS.values()) == set(ROLES)
    assert all("admin" in roles for roles in ROLE_PERMISSIONS.values())
    assert all(not p.endswith((".write", ".assign", ".replay")) for p, roles in ROLE_PERMISSIONS.items() if "readonly" in roles)
