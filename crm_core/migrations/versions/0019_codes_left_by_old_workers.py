"""Once more what 0016 did: workers of the version before wrote codes into `lost_reason` while it was rolled out."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BATCH_ROWS = 10_000

_TYPED = (
    "EXISTS (SELECT 1 FROM touch t WHERE t.lead_id = lead.id AND t.kind = 'stage'"
    " AND t.data->'changed'->'lost_reason'->>'to' = lead.lost_reason)"
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5s'")
        last = op.get_bind().execute(sa.text("SELECT coalesce(max(id), 0) FROM lead")).scalar_one()
        for first in range(0, last + 1, _BATCH_ROWS):
            batch = f"id >= {first} AND id < {first + _BATCH_ROWS} AND state = 'closed' AND closed_code = ''"
            op.execute(f"UPDATE lead SET closed_code = 'spam', lost_reason = '' WHERE {batch} AND spam ? 'marked'")
            op.execute(
                "UPDATE lead SET closed_code = lost_reason, lost_reason = ''"
                f" WHERE {batch} AND lost_reason IN ('merged','erased') AND NOT {_TYPED}"
            )
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    """What was written before stands right in both versions."""
