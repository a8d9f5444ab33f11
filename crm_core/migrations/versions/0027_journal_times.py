"""The journal's times in a block index: an event that comes in, is taken and is done writes no entry for when it came.

Ranges of days are all that is asked of it, and the rows lie in that order but for what is read anew long after. Built beside the
traffic, and outside a transaction therefore: what an attempt left unfinished is dropped by the next.
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # It waits for every transaction that is older, also for a long one, and keeps nobody waiting itself.
        op.execute("SET lock_timeout = '10min'")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_inbound_event_received_at_new")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_inbound_event_received_at_new ON inbound_event"
            " USING brin (received_at timestamptz_minmax_multi_ops) WITH (autosummarize = on)"
        )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_inbound_event_received_at")
        op.execute("ALTER INDEX ix_inbound_event_received_at_new RENAME TO ix_inbound_event_received_at")
        op.execute("RESET lock_timeout")
