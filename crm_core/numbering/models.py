"""Ranges of the numbering plan, and when they were imported."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal


class NumberingRange(Base):
    """National numbers (ten digits, without +7) from `first` to `last`. Ranges never overlap."""

    __tablename__ = "numbering_range"
    __table_args__ = (CheckConstraint("last >= first", name="order"),)

    first: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last: Mapped[int]
    region: Mapped[Impersonal[str]]
    operator: Mapped[Impersonal[str]]  # whose the range was given to; a number may have moved to another since


class NumberingImport(Base):
    """One import. The newest id is the version that caches go by."""

    __tablename__ = "numbering_import"

    id: Mapped[Id]
    imported_at: Mapped[CreatedAt]
    blocks: Mapped[Impersonal[list[str]]]  # first digits of the codes that it replaced: 3, 4, 8 (landlines), 9 (mobiles)
    ranges: Mapped[int]
    skipped: Mapped[int]  # lines that were no ranges
