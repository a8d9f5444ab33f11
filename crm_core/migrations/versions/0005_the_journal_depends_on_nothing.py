"""The journal has no foreign keys: whoever locks another table, as a migration does, no longer closes the door."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column, table in (("contact_id", "contact"), ("lead_id", "lead"), ("source_id", "source")):
        op.drop_constraint(op.f(f"fk_inbound_event_{column}_{table}"), "inbound_event", type_="foreignkey")
