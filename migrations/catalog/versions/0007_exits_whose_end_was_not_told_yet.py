"""Exits whose end was not told yet."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("closings", sa.Column("untold", sa.Boolean(), nullable=True), schema="catalog")
