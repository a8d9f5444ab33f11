"""What search finds, and who is to be made anew in it: everybody, to begin with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_document",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "row_id", name=op.f("pk_search_document")),
    )
    op.create_index("ix_search_document_contact_id", "search_document", ["contact_id"], unique=False)
    op.create_index("ix_search_document_words", "search_document", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "search_queue",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("anew", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_queue")),
    )
    # Made good beside the work within minutes; until then search finds the newest last.
    op.execute("INSERT INTO search_queue (contact_id, anew) SELECT id, true FROM contact WHERE root_id = id ORDER BY id DESC")


def downgrade() -> None:
    op.drop_table("search_queue")
    op.drop_table("search_document")
