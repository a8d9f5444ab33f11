"""Why the hub closed a lead stands apart from what people say about it: `closed_code` beside `lost_reason`.

Words that a person typed stay words, also where they are the code's: the history says who wrote them. While it runs, workers of
the version before go on writing the old form; such a lead keeps the code among its words. Each statement is a transaction, so an
attempt that was broken off is repeated from the beginning.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_BATCH_ROWS = 10_000

_TYPED = (
    "EXISTS (SELECT 1 FROM touch t WHERE t.lead_id = lead.id AND t.kind = 'stage'"
    " AND t.data->'changed'->'lost_reason'->>'to' = lead.lost_reason)"
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE lead ADD COLUMN IF NOT EXISTS closed_code text NOT NULL DEFAULT ''")
        op.execute("ALTER TABLE lead DROP CONSTRAINT IF EXISTS ck_lead_closed_code")
        op.execute(
            "ALTER TABLE lead ADD CONSTRAINT ck_lead_closed_code CHECK (closed_code IN ('','merged','spam','erased')) NOT VALID"
        )
        op.execute("ALTER TABLE lead VALIDATE CONSTRAINT ck_lead_closed_code")
        # From here on only rows are waited for.
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
