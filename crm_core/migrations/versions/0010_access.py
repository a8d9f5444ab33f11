"""Sessions on the server, tokens that name who made them, and wrong passwords counted by account and by network."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "user_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_user_session_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_user_session_digest")),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"], unique=False)
    op.create_table(
        "sign_in_bucket",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("parent", sa.LargeBinary(), nullable=True),
        sa.Column("failures", sa.Double(), server_default="0", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_bucket")),
        sa.UniqueConstraint("key", name=op.f("uq_sign_in_bucket_key")),
    )
    op.create_index("ix_sign_in_bucket_changed_at", "sign_in_bucket", ["changed_at"], unique=False)
    op.create_index(
        "ix_sign_in_bucket_parent", "sign_in_bucket", ["parent"], unique=False, postgresql_where=sa.text("parent IS NOT NULL")
    )
    op.add_column("app_user", sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_token", sa.Column("prefix", sa.Text(), server_default="", nullable=False))
    op.add_column("api_token", sa.Column("created_by", sa.Text(), server_default="", nullable=False))
    op.add_column("api_token", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    # A session was a number in a cookie until now. Whoever is signed in signs in once more.
    op.drop_column("app_user", "session_epoch")
    op.drop_column("app_user", "failed_logins")
    op.drop_column("app_user", "locked_until")
