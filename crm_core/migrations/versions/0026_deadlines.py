"""How soon an inquiry is to be answered, and each wait for an answer. Two new tables that nothing old refers to."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deadline_policy",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("pool_id", sa.BigInteger(), nullable=True),
        sa.Column("warn_minutes", sa.Float(), nullable=True),
        sa.Column("breach_minutes", sa.Float(), nullable=False),
        sa.Column("escalate_minutes", sa.Float(), nullable=True),
        sa.Column("reassign_minutes", sa.Float(), nullable=True),
        sa.Column("max_hops", sa.BigInteger(), server_default="3", nullable=False),
        sa.Column("head_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "warn_minutes > 0 AND breach_minutes > 0 AND escalate_minutes > 0 AND reassign_minutes > 0",
            name=op.f("ck_deadline_policy_minutes"),
        ),
        sa.CheckConstraint("max_hops >= 0", name=op.f("ck_deadline_policy_hops")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_deadline_policy_source_id_source")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_deadline_policy_pool_id_pool")),
        sa.ForeignKeyConstraint(["head_id"], ["owner.id"], name=op.f("fk_deadline_policy_head_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_policy")),
    )
    op.create_index(
        "uq_deadline_policy_of", "deadline_policy", [sa.text("coalesce(source_id, 0)"), sa.text("coalesce(pool_id, 0)")],
        unique=True, postgresql_where=sa.text("removed_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "deadline",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("restarted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hops", sa.BigInteger(), server_default="0", nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            for name in ("warn_at", "due_at", "escalate_at", "reassign_at", "warned_at", "breached_at")
        ),
        sa.Column("breached_owner_id", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in ("escalated_at", "gave_up_at", "answered_at")),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("working_seconds", sa.Float(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_code", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('open','answered','ended')", name=op.f("ck_deadline_state")),
        sa.CheckConstraint("answer IN ('','call','got_through','message','by_hand')", name=op.f("ck_deadline_answer")),
        sa.CheckConstraint(
            "ended_code IN ('','won','lost','closed','merged','spam','erased','no_policy','superseded')",
            name=op.f("ck_deadline_ended_code"),
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_deadline_lead_id_lead")),
        sa.ForeignKeyConstraint(["policy_id"], ["deadline_policy.id"], name=op.f("fk_deadline_policy_id_deadline_policy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
    )
    op.create_index("uq_deadline_open", "deadline", ["lead_id"], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_index("ix_deadline_lead_id", "deadline", ["lead_id"])
    op.create_index("ix_deadline_look_at", "deadline", ["look_at"], postgresql_where=sa.text("state = 'open'"))
    op.create_index(
        "ix_deadline_ended", "deadline", ["ended_at"],
        postgresql_where=sa.text("state = 'ended' AND ended_code NOT IN ('no_policy','superseded')"),
    )  # fmt: skip
    op.create_index("ix_deadline_started_at", "deadline", ["started_at"])
    op.create_index("ix_deadline_breached_at", "deadline", ["breached_at"], postgresql_where=sa.text("breached_at IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("deadline")
    op.drop_table("deadline_policy")
