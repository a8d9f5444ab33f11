"""What a lead is worth, with its currency."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lead", sa.Column("amount", sa.Numeric(15, 2), nullable=True))
    op.add_column("lead", sa.Column("currency", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("lead", "currency")
    op.drop_column("lead", "amount")
