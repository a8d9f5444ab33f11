"""The tables of forms: mappings of sources, what is noticed about them, consents, attachments, likeness of touches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent_text",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_consent_text_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_text")),
        sa.UniqueConstraint("source_id", "purpose", "sha256", name=op.f("uq_consent_text_source_id_purpose_sha256")),
    )
    op.create_table(
        "source_alert",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_source_alert_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_alert")),
    )
    op.create_index(
        "uq_source_alert_open",
        "source_alert",
        ["source_id", "code", "subject"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "source_field",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("form_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("seen", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_source_field_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", "form_id", "field", name=op.f("pk_source_field")),
    )
    op.create_table(
        "source_mapping",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("author", sa.Text(), server_default="hub", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('draft','published','retired')", name=op.f("ck_source_mapping_state")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_source_mapping_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_mapping")),
        sa.UniqueConstraint("source_id", "version", name=op.f("uq_source_mapping_source_id_version")),
    )
    op.create_index(
        "uq_source_mapping_published",
        "source_mapping",
        ["source_id"],
        unique=True,
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "source_poll",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fails", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_source_poll_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_source_poll")),
    )
    op.create_table(
        "source_watch",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("touch_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("profile", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_source_watch_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_source_watch")),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("type", sa.Text(), server_default="", nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('stored','to_fetch','refused','failed')", name=op.f("ck_attachment_state")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_attachment_contact_id_contact")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_attachment_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("event_id", "seq", "n", name=op.f("uq_attachment_event_id_seq_n")),
    )
    op.create_index("ix_attachment_contact_id", "attachment", ["contact_id"], unique=False)
    op.create_index("ix_attachment_lead_id", "attachment", ["lead_id"], unique=False)
    op.create_index("ix_attachment_sha256", "attachment", ["sha256"], unique=False)
    op.create_index(
        "ix_attachment_to_fetch", "attachment", ["next_try_at"], unique=False, postgresql_where=sa.text("state = 'to_fetch'")
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), server_default="", nullable=False),
        sa.Column("text_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("text_url", sa.Text(), server_default="", nullable=False),
        sa.Column("field", sa.Text(), server_default="", nullable=False),
        sa.Column("form_id", sa.Text(), server_default="", nullable=False),
        sa.Column("page_url", sa.Text(), server_default="", nullable=False),
        sa.Column("ip", sa.Text(), server_default="", nullable=False),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_consent_contact_id_contact")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_consent_lead_id_lead")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_consent_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("event_id", "seq", "purpose", name=op.f("uq_consent_event_id_seq_purpose")),
    )
    op.create_index("ix_consent_contact_id", "consent", ["contact_id"], unique=False)
    op.create_index("ix_consent_lead_id", "consent", ["lead_id"], unique=False)
    op.add_column("inbound_event", sa.Column("verdict", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_index("ix_inbound_event_spam", "inbound_event", ["id"], unique=False, postgresql_where=sa.text("outcome = 'spam'"))
    op.add_column("source", sa.Column("quarantine_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("source_token", sa.Column("is_alias", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("touch", sa.Column("likeness", sa.Text(), server_default="", nullable=False))
    op.add_column("touch", sa.Column("fingerprint", sa.Text(), server_default="", nullable=False))
    op.add_column("touch", sa.Column("double_of", sa.BigInteger(), nullable=True))
    op.create_index("ix_touch_likeness", "touch", ["likeness", "at"], unique=False, postgresql_where=sa.text("likeness <> ''"))
    op.create_index(
        "ix_touch_fingerprint", "touch", ["fingerprint", "at"], unique=False, postgresql_where=sa.text("fingerprint <> ''")
    )
    op.create_foreign_key(op.f("fk_touch_double_of_touch"), "touch", "touch", ["double_of"], ["id"])
    # A consent names the words by their hash; words that could be changed afterwards would prove nothing.
    op.execute("""
        CREATE FUNCTION consent_text_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'consent_text is append-only'; END $$;
        CREATE TRIGGER consent_text_append_only BEFORE UPDATE ON consent_text
        FOR EACH ROW EXECUTE FUNCTION consent_text_is_append_only();
    """)
