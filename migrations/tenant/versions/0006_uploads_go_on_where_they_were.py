"""Uploads go on where they were."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("exports", sa.Column("upload_id", sa.Text(), nullable=True))
