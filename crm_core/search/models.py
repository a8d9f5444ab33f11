"""What search finds, beside the rows themselves: it can be made anew from them at any time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, Id, Impersonal, Personal


class SearchDocument(Base):
    """The words of a contact (his own, name and addresses), a lead (the person's too) or a touch (what was said)."""

    __tablename__ = "search_document"
    __table_args__ = (
        Index("ix_search_document_words", "words", postgresql_using="gin"),
        Index("ix_search_document_contact_id", "contact_id"),
    )

    kind: Mapped[Impersonal[str]] = mapped_column(primary_key=True)  # contact | lead | touch
    row_id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int]  # the person that it was made for; no foreign key: it is wiped by its writer alone
    words: Mapped[Personal[Any]] = mapped_column(TSVECTOR)


class SearchQueue(Base):
    """Persons whose documents are not right any more. Written wherever a person, a lead or a touch is."""

    __tablename__ = "search_queue"

    id: Mapped[Id]
    contact_id: Mapped[int]
    anew: Mapped[bool]  # what is there is made anew too, and not only what is new
