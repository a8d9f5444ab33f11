"""All calls of a caller are found at once: his call-backs are derived from them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_call_remote_started_at", "call", ["remote", "started_at"], unique=False, postgresql_where=sa.text("remote <> ''")
    )
    op.drop_index("ix_call_remote", "call")
