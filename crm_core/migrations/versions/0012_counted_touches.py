"""A touch says whether its lead counts it: an equal post sent again is on record only."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("touch", sa.Column("counted", sa.Boolean(), server_default=sa.text("true"), nullable=False))
