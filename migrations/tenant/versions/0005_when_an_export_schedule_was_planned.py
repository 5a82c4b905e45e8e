"""When an export schedule was planned."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("export_schedules", sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True))
