"""What kind a contact is and for which company they act; users of a shared identifier by the key of their name.

Links that are there keep an empty key: until now a shared identifier had some twenty of them at most, and those are all read. The
index is built beside the traffic and first, so that an attempt that was broken off is repeated from the beginning.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5s'")
        op.execute("ALTER TABLE contact_identifier ADD COLUMN IF NOT EXISTS name_key text NOT NULL DEFAULT ''")
        op.execute("ALTER TABLE contact ADD COLUMN IF NOT EXISTS kind text NOT NULL DEFAULT 'person'")
        op.execute("ALTER TABLE contact ADD COLUMN IF NOT EXISTS company_id bigint")
        op.execute("SET lock_timeout = '10min'")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_contact_company_id")
        op.execute("CREATE INDEX CONCURRENTLY ix_contact_company_id ON contact (company_id) WHERE company_id IS NOT NULL")
        op.execute("RESET lock_timeout")
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE contact ADD CONSTRAINT ck_contact_kind CHECK (kind IN ('person','company','number')) NOT VALID")
    op.execute(
        "ALTER TABLE contact ADD CONSTRAINT fk_contact_company_id_contact FOREIGN KEY (company_id) REFERENCES contact (id) NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE contact VALIDATE CONSTRAINT ck_contact_kind")
        op.execute("ALTER TABLE contact VALIDATE CONSTRAINT fk_contact_company_id_contact")


def downgrade() -> None:
    op.drop_column("contact", "company_id")
    op.drop_column("contact", "kind")
    op.drop_column("contact_identifier", "name_key")
