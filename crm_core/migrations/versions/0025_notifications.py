"""What employees are told, and whether they want it by mail."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("for_owner_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("mail_next_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('lead_given', 'lead_to_take', 'lead_taken_away', 'deadline_warned', 'deadline_breached', 'escalated',"
            " 'message_left')",
            name=op.f("ck_notification_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index("ix_notification_owner_id", "notification", ["owner_id", "id"])
    op.create_index("ix_notification_to_mail", "notification", ["id"], postgresql_where=sa.text("mailed_at IS NULL"))
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("owner", sa.Column("notify_by_mail", sa.Boolean(), server_default=sa.text("true"), nullable=False))


def downgrade() -> None:
    op.drop_column("owner", "notify_by_mail")
    op.drop_table("notification")
