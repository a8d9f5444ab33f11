"""What an undone merge needs to know: by which identifiers each touch came, who took it back;
and of a suggested pair how likely it is, and who decided.

Columns with defaults, added at once; nothing old reads them and old processes go on writing without them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE touch ADD COLUMN identifiers bigint[]")
    op.execute(
        "ALTER TABLE suggestion ADD COLUMN bits double precision, ADD COLUMN decided_at timestamptz,"
        " ADD COLUMN decided_by text NOT NULL DEFAULT '', ADD COLUMN postponed_at timestamptz"
    )
    op.create_index("ix_suggestion_different", "suggestion", ["a_id"], postgresql_where=sa.text("state = 'different'"))
    op.create_index("ix_suggestion_b_id", "suggestion", ["b_id"])
    op.execute("ALTER TABLE merge_event ADD COLUMN undone_by text NOT NULL DEFAULT ''")
