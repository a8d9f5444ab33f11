"""The shelves of what was set aside, so that a figure and its list cost what they show."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_inbound_event_shelf ON inbound_event ((CASE WHEN verdict->>'spam' = 'spam' THEN 'confirmed'"
        " WHEN (reason->>'buried')::boolean THEN 'buried' ELSE 'review' END), id)"
        " WHERE outcome = 'spam' AND channel = 'form' AND erased_at IS NULL AND lead_id IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_inbound_event_shelf")
