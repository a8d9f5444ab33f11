"""Messages about a lead to a colleague. A new table that nothing old refers to."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mention",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_mention_lead_id_lead")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_mention_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mention")),
    )
    op.create_index("ix_mention_unread", "mention", ["owner_id", "created_at"], postgresql_where=sa.text("read_at IS NULL"))
    op.create_index("ix_mention_owner_id_created_at", "mention", ["owner_id", "created_at"])
    op.create_index("ix_mention_lead_id", "mention", ["lead_id"])
