"""Errands, what is still to be told, inactivity of a tenant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "errands",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("errands_pkey")),
        schema="catalog",
    )
    op.create_index(op.f("errands_due_at_idx"), "errands", ["due_at"], unique=False, schema="catalog")
    op.add_column("moves", sa.Column("untold", sa.Boolean(), nullable=True), schema="catalog")
    op.add_column(
        "moves",
        sa.Column("watermark", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        schema="catalog",
    )
    op.create_index(
        "moves_untold_idx",
        "moves",
        ["id"],
        unique=False,
        schema="catalog",
        postgresql_where=sa.text("untold"),
    )
    op.add_column("state_changes", sa.Column("untold", sa.Boolean(), nullable=True), schema="catalog")
    op.create_index(
        "state_changes_untold_idx",
        "state_changes",
        ["id"],
        unique=False,
        schema="catalog",
        postgresql_where=sa.text("untold"),
    )
    op.add_column("tenants", sa.Column("inactivity_days", sa.Integer(), nullable=True), schema="catalog")
    op.create_check_constraint(
        "tenants_inactivity_days_known_check",
        "tenants",
        "((inactivity_days = 0) OR ((inactivity_days >= 60) AND (inactivity_days <= 3650)))",
        schema="catalog",
    )
