"""Calendars with their special days, each person's own hours, limits and pause, deputies.

New columns stand still for what is there: nobody has hours, limits or a pause. The index is built beside the traffic and
first, so that an attempt that was broken off is repeated from the beginning.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _owner_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("calendar_id", sa.BigInteger(), nullable=True),
        sa.Column("zone", sa.Text(), server_default="", nullable=False),
        sa.Column("week", JSONB(), nullable=True),
        sa.Column("languages", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("skills", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("regions", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("max_open", sa.BigInteger(), nullable=True),
        sa.Column("max_per_day", sa.BigInteger(), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
    )


def upgrade() -> None:
    # How many leads somebody was given today is counted where a limit asks for it.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '10min'")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_assignment_owner_id_at")
        op.execute("CREATE INDEX CONCURRENTLY ix_assignment_owner_id_at ON assignment (owner_id, at)")
        op.execute("RESET lock_timeout")
    op.create_table(
        "calendar",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("week", JSONB(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar")),
        sa.UniqueConstraint("name", name=op.f("uq_calendar_name")),
    )
    op.create_index("uq_calendar_default", "calendar", ["is_default"], unique=True, postgresql_where=sa.text("is_default"))
    op.create_table(
        "calendar_day",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hours", JSONB(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("kind IN ('off','work','short')", name=op.f("ck_calendar_day_kind")),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("fk_calendar_day_calendar_id_calendar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
    )
    op.create_index(
        "uq_calendar_day_of_calendar", "calendar_day", ["calendar_id", "day"], unique=True, postgresql_nulls_not_distinct=True
    )
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in _owner_columns():
        op.add_column("owner", column)
    op.create_foreign_key("fk_owner_calendar_id_calendar", "owner", "calendar", ["calendar_id"], ["id"])
    op.create_check_constraint("limits", "owner", "max_open >= 0 AND max_per_day >= 0")
    op.add_column("absence", sa.Column("deputy_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_absence_deputy_id_owner", "absence", "owner", ["deputy_id"], ["id"])
