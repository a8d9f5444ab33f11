"""Who may sign in or call the API, and the append-only record of what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.models.base import Base, CreatedAt, Id

ROLES = ("admin", "head", "manager", "ops", "readonly")
_ROLE_CHECK = "role IN ('admin','head','manager','ops','readonly')"


class User(Base):
    __tablename__ = "app_user"  # "user" is a reserved word of SQL
    __table_args__ = (CheckConstraint(_ROLE_CHECK, name="role"),)

    id: Mapped[Id]
    login: Mapped[str] = mapped_column(unique=True)  # e-mail, lower case
    name: Mapped[str] = mapped_column(server_default="")
    role: Mapped[str]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))
    password_hash: Mapped[str | None]  # argon2id; None: by link only
    locale: Mapped[str] = mapped_column(server_default="")
    active: Mapped[bool] = mapped_column(server_default=sql("true"))
    session_epoch: Mapped[int] = mapped_column(server_default="0")  # raised to end all sessions
    failed_logins: Mapped[int] = mapped_column(server_default="0")
    locked_until: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class ApiToken(Base):
    __tablename__ = "api_token"
    __table_args__ = (CheckConstraint(_ROLE_CHECK, name="role"),)

    id: Mapped[Id]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # SHA-256
    name: Mapped[str]
    role: Mapped[str]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))  # whose rows a manager's token sees
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInLink(Base):
    """A link that signs one person in, once."""

    __tablename__ = "sign_in_link"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Append-only: a trigger refuses UPDATE and DELETE."""

    __tablename__ = "audit_entry"

    id: Mapped[Id]
    at: Mapped[CreatedAt]
    actor: Mapped[str]  # "user:7", "token:3", "cli"
    action: Mapped[str]  # "event.replay", "lead.assign", "source.add", …
    subject: Mapped[str]  # "event:…", "lead:…"
    data: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'"))
