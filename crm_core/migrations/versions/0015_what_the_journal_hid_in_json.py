"""The journal says in columns what it hid in JSON: that something must be fetched, that the entrance verified it, and the key
that a rejected event had.

While it runs an old entrance goes on inserting (the columns have defaults) and old workers go on writing the old form, which this
version still reads. Each statement is a transaction, so an attempt that was broken off is repeated from the beginning.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_BATCH_ROWS = 10_000


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "ALTER TABLE inbound_event ADD COLUMN IF NOT EXISTS to_fetch boolean NOT NULL DEFAULT false,"
            " ADD COLUMN IF NOT EXISTS verified_at_door boolean NOT NULL DEFAULT false,"
            " ADD COLUMN IF NOT EXISTS rejected_key text"
        )
        # From here on only rows are waited for, behind which nobody queues but their worker.
        op.execute("SET lock_timeout = '5s'")
        # By the indexes of what is not done.
        op.execute("UPDATE inbound_event SET to_fetch = true WHERE state IN ('waiting','working') AND error->>'by' = 'fetch'")
        for states in ("'waiting','working'", "'needs_attention','rejected'"):
            op.execute(
                "UPDATE inbound_event SET rejected_key = reason->>'provider_key', reason = reason - 'provider_key'"
                f" WHERE state IN ({states}) AND reason ? 'provider_key'"
            )
        last = op.get_bind().execute(sa.text("SELECT coalesce(max(id), 0) FROM inbound_event")).scalar_one()
        for first in range(0, last + 1, _BATCH_ROWS):
            op.execute(
                f"UPDATE inbound_event SET verified_at_door = true WHERE id >= {first} AND id < {first + _BATCH_ROWS}"
                " AND NOT verified_at_door AND headers->>'x-leadhub-verified' = 'door'"
            )
        op.execute("RESET lock_timeout")
