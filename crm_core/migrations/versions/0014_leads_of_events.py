"""The journal's index over leads leaves out the events that have none: nothing is written to it when an event comes in.

Built beside the traffic, and outside a transaction therefore: what an attempt left unfinished is dropped by the next.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # It waits for every transaction that is older, also for a long one, and keeps nobody waiting itself.
        op.execute("SET lock_timeout = '10min'")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_inbound_event_lead_id_new")
        op.execute("CREATE INDEX CONCURRENTLY ix_inbound_event_lead_id_new ON inbound_event (lead_id) WHERE lead_id IS NOT NULL")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_inbound_event_lead_id")
        op.execute("ALTER INDEX ix_inbound_event_lead_id_new RENAME TO ix_inbound_event_lead_id")
        op.execute("RESET lock_timeout")
