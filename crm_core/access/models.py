"""Who may sign in or call the API, and the append-only record of what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, StaffData

ROLES = ("admin", "head", "manager", "ops", "readonly")
_ROLE_CHECK = "role IN ('admin','head','manager','ops','readonly')"


class User(Base):
    __tablename__ = "app_user"  # "user" is a reserved word of SQL
    __table_args__ = (CheckConstraint(_ROLE_CHECK, name="role"),)

    id: Mapped[Id]
    login: Mapped[StaffData[str]] = mapped_column(unique=True)  # e-mail, lower case
    name: Mapped[StaffData[str]] = mapped_column(server_default="")
    role: Mapped[Impersonal[str]]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))
    password_hash: Mapped[StaffData[str] | None]  # argon2id; None: by link only
    locale: Mapped[Impersonal[str]] = mapped_column(server_default="")
    active: Mapped[bool] = mapped_column(server_default=sql("true"))
    signed_in_at: Mapped[datetime | None]  # last; None: never
    created_at: Mapped[CreatedAt]


class ApiToken(Base):
    __tablename__ = "api_token"
    __table_args__ = (CheckConstraint(_ROLE_CHECK, name="role"),)

    id: Mapped[Id]
    digest: Mapped[Impersonal[bytes]] = mapped_column(LargeBinary, unique=True)  # SHA-256
    name: Mapped[Impersonal[str]]
    role: Mapped[Impersonal[str]]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))  # whose rows a manager's token sees
    prefix: Mapped[Impersonal[str]] = mapped_column(server_default="")  # its first characters, to tell it apart in a list
    created_by: Mapped[Impersonal[str]] = mapped_column(
        server_default=""
    )  # an actor: "user:7", "cli:root"; "" before this was kept
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]  # None: never
    revoked_at: Mapped[datetime | None]


class SignInLink(Base):
    """A link that signs one person in, once."""

    __tablename__ = "sign_in_link"

    digest: Mapped[Impersonal[bytes]] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class UserSession(Base):
    """One browser that is signed in. The row is the session: without it the cookie is worth nothing."""

    __tablename__ = "user_session"
    __table_args__ = (Index("ix_user_session_user_id", "user_id"),)

    id: Mapped[Id]
    digest: Mapped[Impersonal[bytes]] = mapped_column(LargeBinary, unique=True)  # SHA-256 of what the cookie holds
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    method: Mapped[Impersonal[str]]  # password | link
    agent: Mapped[StaffData[str]] = mapped_column(
        server_default=""
    )  # class of the browser, "Firefox, Linux"; never its whole name
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[datetime]  # written at most once a minute
    expires_at: Mapped[datetime]


class SignInBucket(Base):
    """Wrong passwords of late, by account, by network, by both and by device; and turns that somebody waits for.

    Keys are digests, so that the table names nobody. Bounded: see `crm_core.access.throttle`.
    """

    __tablename__ = "sign_in_bucket"
    __table_args__ = (
        Index("ix_sign_in_bucket_changed_at", "changed_at"),
        Index("ix_sign_in_bucket_parent", "parent", postgresql_where=sql("parent IS NOT NULL")),
    )

    id: Mapped[Id]
    key: Mapped[Impersonal[bytes]] = mapped_column(LargeBinary, unique=True)
    parent: Mapped[Impersonal[bytes] | None] = mapped_column(LargeBinary)  # of a turn: the network that waits
    failures: Mapped[float] = mapped_column(server_default="0")
    changed_at: Mapped[datetime]
    closed_until: Mapped[datetime | None]


class AuditEntry(Base):
    """Append-only: triggers refuse UPDATE, DELETE and TRUNCATE. `data` holds ids and names of fields, no personal data."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_at", "at"),
        Index("ix_audit_entry_actor_at", "actor", "at"),
        Index("ix_audit_entry_subject_at", "subject", "at", postgresql_ops={"subject": "text_pattern_ops"}),
    )

    id: Mapped[Id]
    at: Mapped[CreatedAt]
    actor: Mapped[Impersonal[str]]  # "user:7", "token:3", "cli:root"
    action: Mapped[Impersonal[str]]  # "event.replay", "lead.assign", "source.add", …
    subject: Mapped[Impersonal[str]]  # "event:…", "lead:…"
    data: Mapped[Impersonal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))


class AuditSeal(Base):
    """The chain over the audit, in the order in which its rows were sealed. Append-only like the audit itself."""

    __tablename__ = "audit_seal"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # 1, 2, 3, … without gaps
    entry_id: Mapped[int] = mapped_column(BigInteger, unique=True)  # no foreign key: that one is gone is what it shows
    hash: Mapped[Impersonal[bytes]] = mapped_column(LargeBinary)  # SHA-256 over the hash before it and the row's content
