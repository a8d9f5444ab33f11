"""Every column that could hold something about a person says whether it does."""

from __future__ import annotations

import subprocess
import sys

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


def test_erasure_knows_every_table_in_a_process_that_imported_nothing_else() -> None:
    """As `leadhub contact erase` does: a table that no import brought would be left full."""
    program = "from crm_core.erasure.tables import statements; print(*[table for table, _ in statements()])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert personal_columns(Base.metadata).keys() - {"inbound_event"} <= set(done.stdout.split())
