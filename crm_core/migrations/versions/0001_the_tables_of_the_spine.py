"""The tables of the spine."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_table(
        "capture_stat",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("buckets", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("channel", "outcome", name=op.f("pk_capture_stat")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("role", "instance", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "identifier",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("names_seen", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("strength IN ('strong','weak','shared','blocked')", name=op.f("ck_identifier_strength")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identifier")),
        sa.UniqueConstraint("kind", "value", name=op.f("uq_identifier_kind_value")),
    )
    op.create_table(
        "pool",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool")),
        sa.UniqueConstraint("name", name=op.f("uq_pool_name")),
    )
    op.create_index("uq_pool_default", "pool", ["is_default"], unique=True, postgresql_where=sa.text("is_default"))
    op.create_table(
        "team",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name", name=op.f("uq_team_name")),
    )
    op.create_table(
        "owner",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("extension", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("duty", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_owner_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner")),
    )
    op.create_index("uq_owner_duty", "owner", ["duty"], unique=True, postgresql_where=sa.text("duty"))
    op.create_index(
        "uq_owner_extension", "owner", ["extension"], unique=True, postgresql_where=sa.text("extension <> '' AND active")
    )
    op.create_table(
        "source",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("line", sa.Text(), server_default="", nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=True),
        sa.Column("allowed_hosts", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("channel IN ('form','call','mail')", name=op.f("ck_source_channel")),
        sa.CheckConstraint("state IN ('active','paused')", name=op.f("ck_source_state")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_source_pool_id_pool")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
    )
    op.create_table(
        "absence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("until_at > from_at", name=op.f("ck_absence_ordered")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_absence_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(op.f("ix_absence_owner_id"), "absence", ["owner_id"], unique=False)
    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('admin','head','manager','ops','readonly')", name=op.f("ck_api_token_role")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_api_token_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    op.create_table(
        "app_user",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("session_epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed_logins", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('admin','head','manager','ops','readonly')", name=op.f("ck_app_user_role")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_app_user_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("login", name=op.f("uq_app_user_login")),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("company", sa.Text(), server_default="", nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_contact_owner_id_owner")),
        sa.ForeignKeyConstraint(["root_id"], ["contact.id"], name=op.f("fk_contact_root_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(op.f("ix_contact_owner_id"), "contact", ["owner_id"], unique=False)
    op.create_index(op.f("ix_contact_root_id"), "contact", ["root_id"], unique=False)
    op.create_table(
        "mailbox_folder",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("last_uid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("start_uid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("resyncs", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fails", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("next_sweep_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("missed", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "state IN ('new','live','resync','backoff','auth_failed','folder_missing','stopped')",
            name=op.f("ck_mailbox_folder_state"),
        ),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_mailbox_folder_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox_folder")),
        sa.UniqueConstraint("source_id", "name", name=op.f("uq_mailbox_folder_source_id_name")),
    )
    op.create_table(
        "pool_member",
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Float(), server_default="1", nullable=False),
        sa.Column("entitled", sa.Float(), server_default="0", nullable=False),
        sa.Column("assigned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("weight >= 0", name=op.f("ck_pool_member_weight")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_pool_member_owner_id_owner")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_pool_member_pool_id_pool")),
        sa.PrimaryKeyConstraint("pool_id", "owner_id", name=op.f("pk_pool_member")),
    )
    op.create_table(
        "source_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('active','rotated','disabled')", name=op.f("ck_source_token_state")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_source_token_source_id_source")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_source_token")),
    )
    op.create_index(op.f("ix_source_token_source_id"), "source_token", ["source_id"], unique=False)
    op.create_table(
        "contact_identifier",
        sa.Column("identifier_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("display", sa.Text(), nullable=False),
        sa.Column("exclusive", sa.Boolean(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_identifier_contact_id_contact")),
        sa.ForeignKeyConstraint(
            ["identifier_id"], ["identifier.id"], name=op.f("fk_contact_identifier_identifier_id_identifier")
        ),
        sa.PrimaryKeyConstraint("identifier_id", "contact_id", name=op.f("pk_contact_identifier")),
    )
    op.create_index(op.f("ix_contact_identifier_contact_id"), "contact_identifier", ["contact_id"], unique=False)
    op.create_index(
        "uq_contact_identifier_exclusive",
        "contact_identifier",
        ["identifier_id"],
        unique=True,
        postgresql_where=sa.text("exclusive AND retired_at IS NULL"),
    )
    op.create_table(
        "lead",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("stage", sa.Text(), server_default="new", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("form_id", sa.Text(), server_default="", nullable=False),
        sa.Column("form_name", sa.Text(), server_default="", nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("pool_id", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("attribution", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("touches", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("repeat_of", sa.BigInteger(), nullable=True),
        sa.Column(
            "spam",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text('\'{"score": 0, "reasons": []}\''),
            nullable=False,
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_touch_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("state IN ('open','won','lost','closed')", name=op.f("ck_lead_state")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_lead_contact_id_contact")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_lead_owner_id_owner")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_lead_pool_id_pool")),
        sa.ForeignKeyConstraint(["repeat_of"], ["lead.id"], name=op.f("fk_lead_repeat_of_lead")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_lead_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
        sa.UniqueConstraint("event_id", "event_seq", name=op.f("uq_lead_event_id_event_seq")),
    )
    op.create_index(op.f("ix_lead_contact_id"), "lead", ["contact_id"], unique=False)
    op.create_index("ix_lead_owner_id_state", "lead", ["owner_id", "state"], unique=False)
    op.create_index("ix_lead_received_at", "lead", ["received_at"], unique=False)
    op.create_index(op.f("ix_lead_source_id"), "lead", ["source_id"], unique=False)
    op.create_index("uq_lead_open", "lead", ["contact_id", "line"], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_table(
        "mail_ref",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("internaldate", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="seen", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("status IN ('seen','fetched','gone','oversize','quarantined')", name=op.f("ck_mail_ref_status")),
        sa.ForeignKeyConstraint(["folder_id"], ["mailbox_folder.id"], name=op.f("fk_mail_ref_folder_id_mailbox_folder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_ref")),
        sa.UniqueConstraint("folder_id", "uidvalidity", "uid", name=op.f("uq_mail_ref_folder_id_uidvalidity_uid")),
    )
    op.create_index(
        "ix_mail_ref_todo", "mail_ref", ["folder_id", "next_try_at"], unique=False, postgresql_where=sa.text("status = 'seen'")
    )
    op.create_table(
        "merge_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("winner_id", sa.BigInteger(), nullable=False),
        sa.Column("loser_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("moved", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["loser_id"], ["contact.id"], name=op.f("fk_merge_event_loser_id_contact")),
        sa.ForeignKeyConstraint(["winner_id"], ["contact.id"], name=op.f("fk_merge_event_winner_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_event")),
    )
    op.create_index(op.f("ix_merge_event_loser_id"), "merge_event", ["loser_id"], unique=False)
    op.create_index(op.f("ix_merge_event_winner_id"), "merge_event", ["winner_id"], unique=False)
    op.create_table(
        "sign_in_link",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_sign_in_link_user_id_app_user")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_link")),
    )
    op.create_table(
        "suggestion",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("a_id", sa.BigInteger(), nullable=False),
        sa.Column("b_id", sa.BigInteger(), nullable=False),
        sa.Column("why", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('open','same','different')", name=op.f("ck_suggestion_state")),
        sa.CheckConstraint("a_id < b_id", name=op.f("ck_suggestion_ordered")),
        sa.ForeignKeyConstraint(["a_id"], ["contact.id"], name=op.f("fk_suggestion_a_id_contact")),
        sa.ForeignKeyConstraint(["b_id"], ["contact.id"], name=op.f("fk_suggestion_b_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
        sa.UniqueConstraint("a_id", "b_id", name=op.f("uq_suggestion_a_id_b_id")),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("pool_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("trace", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), server_default="hub", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_assignment_lead_id_lead")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_assignment_owner_id_owner")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_assignment_pool_id_pool")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index(op.f("ix_assignment_lead_id"), "assignment", ["lead_id"], unique=False)
    op.create_table(
        "call",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("remote", sa.Text(), server_default="", nullable=False),
        sa.Column("our_number", sa.Text(), server_default="", nullable=False),
        sa.Column("extension", sa.Text(), server_default="", nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("talk_seconds", sa.Double(), nullable=True),
        sa.Column("recording", sa.Text(), server_default="", nullable=False),
        sa.Column("settle_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_call_contact_id_contact")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_call_lead_id_lead")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_call_owner_id_owner")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_call_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("source_id", "call_key", name=op.f("uq_call_source_id_call_key")),
    )
    op.create_index("ix_call_contact_id", "call", ["contact_id"], unique=False)
    op.create_index("ix_call_settle_at", "call", ["settle_at"], unique=False, postgresql_where=sa.text("settle_at IS NOT NULL"))
    op.create_index("ix_call_started_at", "call", ["started_at"], unique=False)
    op.create_table(
        "inbound_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uid", sa.Text(), server_default=sa.text("replace(uuidv7()::text, '-', '')"), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("method", sa.Text(), server_default="POST", nullable=False),
        sa.Column("path", sa.Text(), server_default="", nullable=False),
        sa.Column("query", sa.Text(), server_default="", nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("remote_ip", sa.Text(), server_default="", nullable=False),
        sa.Column("provider_key", sa.Text(), nullable=True),
        sa.Column("unclaimed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("redeliveries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lost_claims", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("claim_token", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replayed", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("(state = 'done') = (outcome IS NOT NULL)", name=op.f("ck_inbound_event_outcome_iff_done")),
        sa.CheckConstraint(
            "outcome IN ('created','attached','repeat','auto','spam','test','ignored','dismissed')",
            name=op.f("ck_inbound_event_outcome"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting','working','done','needs_attention','rejected')", name=op.f("ck_inbound_event_state")
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_inbound_event_contact_id_contact")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_inbound_event_lead_id_lead")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_inbound_event_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_event")),
        sa.UniqueConstraint("uid", name=op.f("uq_inbound_event_uid")),
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index(
        "ix_inbound_event_attention",
        "inbound_event",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state IN ('needs_attention','rejected')"),
    )
    op.create_index(
        "ix_inbound_event_due",
        "inbound_event",
        ["channel", "next_attempt_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting','working')"),
    )
    op.create_index(op.f("ix_inbound_event_lead_id"), "inbound_event", ["lead_id"], unique=False)
    op.create_index("ix_inbound_event_received_at", "inbound_event", ["received_at"], unique=False)
    op.create_index("ix_inbound_event_source_id_id", "inbound_event", ["source_id", "id"], unique=False)
    op.create_index(
        "uq_inbound_event_source_id_provider_key",
        "inbound_event",
        ["source_id", "provider_key"],
        unique=True,
        postgresql_where=sa.text("provider_key IS NOT NULL"),
    )
    op.create_table(
        "mail_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("direction", sa.Text(), server_default="in", nullable=False),
        sa.Column("participants", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sender", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_mail_message_contact_id_contact")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_mail_message_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_message")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_mail_message_dedup_key")),
    )
    op.create_index(
        "ix_mail_message_message_id", "mail_message", ["message_id"], unique=False, postgresql_where=sa.text("message_id <> ''")
    )
    op.create_table(
        "activity",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tried", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint("state IN ('open','done','cancelled')", name=op.f("ck_activity_state")),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_activity_call_id_call")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_activity_contact_id_contact")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_activity_lead_id_lead")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_activity_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    op.create_index("ix_activity_contact_id", "activity", ["contact_id"], unique=False)
    op.create_index("ix_activity_lead_id", "activity", ["lead_id"], unique=False)
    op.create_index(
        "ix_activity_owner_id_due_at",
        "activity",
        ["owner_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_activity_call_back",
        "activity",
        ["phone"],
        unique=True,
        postgresql_where=sa.text("kind = 'call_back' AND state = 'open'"),
    )
    op.create_table(
        "mail_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["mail_message.id"], name=op.f("fk_mail_delivery_message_id_mail_message")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_mail_delivery_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_delivery")),
        sa.UniqueConstraint("message_id", "source_id", name=op.f("uq_mail_delivery_message_id_source_id")),
    )
    op.create_table(
        "touch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), server_default="in", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), server_default="hub", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_touch_call_id_call")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_touch_contact_id_contact")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_touch_lead_id_lead")),
        sa.ForeignKeyConstraint(["message_id"], ["mail_message.id"], name=op.f("fk_touch_message_id_mail_message")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_touch_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touch")),
    )
    op.create_index("ix_touch_call_id", "touch", ["call_id"], unique=False, postgresql_where=sa.text("call_id IS NOT NULL"))
    op.create_index("ix_touch_contact_id_at", "touch", ["contact_id", "at"], unique=False)
    op.create_index("ix_touch_lead_id", "touch", ["lead_id"], unique=False)
    op.create_index(
        "uq_touch_event_id_seq", "touch", ["event_id", "seq"], unique=True, postgresql_where=sa.text("event_id IS NOT NULL")
    )
    # Append-only by the database's own hand: who may write the application's rows may still not rewrite its history.
    op.execute("""
        CREATE FUNCTION audit_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'audit_entry is append-only'; END $$;
        CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
        FOR EACH ROW EXECUTE FUNCTION audit_entry_is_append_only();
    """)
    # A waiting row is rewritten at every claim; vacuum it by count, not by share of a growing history.
    op.execute("ALTER TABLE inbound_event SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)")
    # New leads need somewhere to go before anybody has set anything up.
    op.execute("INSERT INTO pool (name, is_default) VALUES ('Default', true)")
    op.execute("INSERT INTO owner (name, duty) VALUES ('Duty desk', true)")
