"""When an export schedule was planned, and who has a webhook told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("export_schedules", sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("webhooks", sa.Column("active_by_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("webhooks_active_by_id_idx"), "webhooks", ["active_by_id"], unique=False)
    op.create_foreign_key(op.f("webhooks_active_by_id_fkey"), "webhooks", "users", ["active_by_id"], ["id"])
