"""Every column that could hold something about a person says whether it does."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Float, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from crm_core.base.personal import personal_columns, undeclared
from crm_core.models import Base


def test_every_column_of_text_json_or_bytes_says_whether_it_is_personal() -> None:
    assert undeclared(Base.metadata) == [], "Mapped[Personal[…]], Mapped[StaffData[…]] or Mapped[Impersonal[…]]"


def test_declared_columns_are_found_by_whose_they_are() -> None:
    clients, staff = personal_columns(Base.metadata), personal_columns(Base.metadata, "staff")
    assert [column.name for column in clients["contact"]] == ["name", "company"]
    assert [column.name for column in staff["app_user"]] == ["login", "name", "password_hash"]
    assert "owner" not in clients
    assert "audit_entry" not in clients.keys() | staff.keys()


def test_column_that_says_nothing_is_named_whatever_holds_its_text() -> None:
    metadata = MetaData()
    Table(
        "note", metadata,
        Column("id", BigInteger, primary_key=True), Column("amount", Float), Column("days", ARRAY(BigInteger)),
        Column("words", Text), Column("tags", ARRAY(Text)), Column("data", JSONB), Column("raw", LargeBinary),
        Column("found_by", TSVECTOR), Column("code", Text, info={"personal": False}),
    )  # fmt: skip
    assert undeclared(metadata) == ["note.words", "note.tags", "note.data", "note.raw", "note.found_by"]
