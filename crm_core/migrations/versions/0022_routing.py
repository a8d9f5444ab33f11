"""Rules of routing in versions, what each decision saw, strategies of pools, and whose client is bound to whom until when.

New columns have constant defaults, so they rewrite nothing. The index is built beside the traffic and first, so that an attempt
that was broken off is repeated from the beginning.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Leads that wait for an owner are few; without it, whoever looks for them reads all that are open.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '10min'")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_lead_waiting")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_lead_waiting ON lead (received_at, id) WHERE owner_id IS NULL AND state = 'open'"
        )
        op.execute("RESET lock_timeout")
    op.create_table(
        "routing_version",
        sa.Column("version", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('draft','active','retired')", name=op.f("ck_routing_version_state")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_routing_version")),
    )
    op.create_index(
        "uq_routing_version_active", "routing_version", ["state"], unique=True, postgresql_where=sa.text("state = 'active'")
    )
    op.create_table(
        "owner_exclusion",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_owner_exclusion_contact_id_contact")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_owner_exclusion_owner_id_owner")),
        sa.PrimaryKeyConstraint("contact_id", "owner_id", name=op.f("pk_owner_exclusion")),
    )
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("contact", sa.Column("owner_bound_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("pool", sa.Column("strategy", sa.Text(), server_default="ledger", nullable=False))
    op.create_check_constraint("strategy", "pool", "strategy IN ('ledger','least_open','claim','broadcast')")
    op.add_column("assignment", sa.Column("config_version", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("assignment", sa.Column("facts", JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("assignment", sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("assignment", sa.Column("refunded_why", sa.Text(), server_default="", nullable=False))
