"""Events that belong to nobody are found without reading the journal: an erasure looks through them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Only what is finished: an event that waits would be put in and taken out again on its way.
    op.create_index(
        "ix_inbound_event_of_nobody",
        "inbound_event",
        ["id"],
        unique=False,
        postgresql_where=sa.text(
            "contact_id IS NULL AND lead_id IS NULL AND erased_at IS NULL AND state IN ('done','needs_attention','rejected')"
        ),
    )
