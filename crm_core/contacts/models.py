"""Contacts as clusters of identifiers, the links between them, and the log that lets a merge be undone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, Personal


class Contact(Base):
    """A person or a company. Merged contacts keep their row and point at the `root_id` that carries on."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("kind IN ('person','company','number')", name="kind"),
        Index("ix_contact_company_id", "company_id", postgresql_where=sql("company_id IS NOT NULL")),
    )

    id: Mapped[Id]
    root_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)  # itself unless merged
    kind: Mapped[Impersonal[str]] = mapped_column(server_default="person")  # number: all who use one number without a name
    company_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))  # for whom the person acts
    name: Mapped[Personal[str]] = mapped_column(server_default="")
    company: Mapped[Personal[str]] = mapped_column(server_default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"), index=True)
    owner_since: Mapped[datetime | None]
    owner_bound_until: Mapped[datetime | None]  # no rule gives the client to another before; None: without an end
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[CreatedAt]
    erased_at: Mapped[datetime | None]  # everything that names the person is gone, on his demand
    version: Mapped[int] = mapped_column(server_default="1")


class Identifier(Base):
    """One phone, e-mail or messenger id in canonical form. What many people share identifies none of them."""

    __tablename__ = "identifier"
    __table_args__ = (
        UniqueConstraint("kind", "value"),
        CheckConstraint("strength IN ('strong','weak','shared','blocked')", name="strength"),
    )

    id: Mapped[Id]
    kind: Mapped[Impersonal[str]]  # phone | email
    value: Mapped[Personal[str]]  # canonical key
    strength: Mapped[Impersonal[str]]
    names_seen: Mapped[Personal[list[str]]] = mapped_column(server_default=sql("'{}'"))  # folded first names, at most 4 kept
    created_at: Mapped[CreatedAt]


class ContactIdentifier(Base):
    """Who uses which identifier. A strong one belongs to at most one contact at a time."""

    __tablename__ = "contact_identifier"
    __table_args__ = (
        Index("uq_contact_identifier_exclusive", "identifier_id", unique=True,
              postgresql_where=sql("exclusive AND retired_at IS NULL")),
    )  # fmt: skip

    identifier_id: Mapped[int] = mapped_column(ForeignKey("identifier.id"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True, index=True)
    display: Mapped[Personal[str]]  # what to dial or write to: E.164, or the address as written
    #: Key of the user's surname, "*" of the contact that a number itself has: of thousands who share it the few are read who
    #: may be meant.
    name_key: Mapped[Personal[str]] = mapped_column(server_default="")
    exclusive: Mapped[bool]
    event_id: Mapped[int | None]  # where it was first seen
    first_seen_at: Mapped[CreatedAt]
    last_seen_at: Mapped[CreatedAt]
    retired_at: Mapped[datetime | None]


class MergeEvent(Base):
    """One merge, with everything that it moved, so that it can be undone."""

    __tablename__ = "merge_event"

    id: Mapped[Id]
    winner_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    loser_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    actor: Mapped[Impersonal[str]]  # "auto", or as history names whoever acts
    event_id: Mapped[int | None]
    evidence: Mapped[Personal[dict[str, Any]]]
    moved: Mapped[
        Personal[dict[str, Any]]
    ]  # {"leads":[ids],"folded":[ids],"kept":{closed lead: lead that carried on},"contacts":[ids],"winner":{as it was}, …}
    at: Mapped[CreatedAt]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[Impersonal[str]] = mapped_column(server_default="")


class Tombstone(Base):
    """What was erased, as digests only: proof of the deed, and why a submission that is sent again stays out."""

    __tablename__ = "tombstone"
    __table_args__ = (Index("ix_tombstone_kind_digest", "kind", "digest"),)

    id: Mapped[Id]
    kind: Mapped[Impersonal[str]]  # that of an identifier (HMAC under the hub's key), or "submission" (fingerprint of a touch)
    digest: Mapped[Impersonal[bytes]] = mapped_column(LargeBinary)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    at: Mapped[CreatedAt]


class Suggestion(Base):
    """Two contacts that may be one person; a human decides. One row a pair, for everybody and for ever."""

    __tablename__ = "suggestion"
    __table_args__ = (
        UniqueConstraint("a_id", "b_id"),
        CheckConstraint("a_id < b_id", name="ordered"),
        # Read with every inquiry of somebody who is known, so over the few told apart alone.
        Index("ix_suggestion_different", "a_id", postgresql_where=sql("state = 'different'")),
        Index("ix_suggestion_b_id", "b_id"),
        CheckConstraint("state IN ('open','same','different')", name="state"),
    )

    id: Mapped[Id]
    a_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    b_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    why: Mapped[Personal[dict[str, Any]]]
    state: Mapped[Impersonal[str]] = mapped_column(server_default="open")
    at: Mapped[CreatedAt]
    bits: Mapped[float | None] = mapped_column(Float)  # how likely, where it was scored: log2 of the odds
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[Impersonal[str]] = mapped_column(server_default="")  # as history names whoever acts
    postponed_at: Mapped[datetime | None]  # "later": when somebody said so


class SuggestionRun(Base):
    """One comparison of all contacts: what it looked at, and the weights that it learned, in bits."""

    __tablename__ = "suggestion_run"

    id: Mapped[Id]
    at: Mapped[datetime]
    contacts: Mapped[int]
    pairs: Mapped[int]
    skipped_blocks: Mapped[int]  # so many shared that it says nothing of any two
    suggested: Mapped[int]
    weights: Mapped[Impersonal[dict[str, Any]]]  # column → bits of its levels
