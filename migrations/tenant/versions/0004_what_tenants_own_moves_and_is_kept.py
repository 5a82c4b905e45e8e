"""What tenants own moves and is kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "exports",
        sa.Column("parcels", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
