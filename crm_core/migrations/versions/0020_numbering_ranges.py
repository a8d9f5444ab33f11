"""Ranges of the numbering plan, and when they were imported. Empty until somebody imports them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "numbering_range",
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.CheckConstraint("last >= first", name=op.f("ck_numbering_range_order")),
        sa.PrimaryKeyConstraint("first", name=op.f("pk_numbering_range")),
    )
    op.create_table(
        "numbering_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("blocks", ARRAY(sa.Text()), nullable=False),
        sa.Column("ranges", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_numbering_import")),
    )
