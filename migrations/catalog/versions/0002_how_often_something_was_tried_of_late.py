"""How often something was tried of late."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "throttles",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Double(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("throttles_pkey")),
        schema="catalog",
    )
    op.create_index(op.f("throttles_tried_at_idx"), "throttles", ["tried_at"], unique=False, schema="catalog")
