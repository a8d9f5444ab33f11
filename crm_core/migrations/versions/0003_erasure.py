"""Erasure of a person: when it was done, and digests of what is gone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contact", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("inbound_event", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "tombstone",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_tombstone_contact_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstone")),
    )
    # Who is to be erased is found in the journal by these, within the time that a request has.
    op.create_index(
        "ix_inbound_event_contact_id",
        "inbound_event",
        ["contact_id"],
        unique=False,
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.create_index("ix_call_remote", "call", ["remote"], unique=False, postgresql_where=sa.text("contact_id IS NULL"))
    op.create_index("ix_tombstone_kind_digest", "tombstone", ["kind", "digest"], unique=False)
