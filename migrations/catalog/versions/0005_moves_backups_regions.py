"""Moves, backups, regions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "restorations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("backup", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("restorations_pkey")),
        schema="catalog",
    )
    op.create_table(
        "moves",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("from_cell", sa.Text(), nullable=False),
        sa.Column("to_cell", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_before", sa.Text(), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("switched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "step in ('copying', 'freezing', 'levelling', 'checking', 'arriving', 'switching', 'leaving', 'opening', 'settling', 'confirming', 'kept', 'dropping', 'confirmed', 'giving_up', 'discarding', 'given_up', 'returned')",
            name=op.f("moves_step_known_check"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["catalog.tenants.id"], name=op.f("moves_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("moves_pkey")),
        schema="catalog",
    )
    op.create_index(
        "moves_one_at_a_time_idx",
        "moves",
        ["tenant_id"],
        unique=True,
        schema="catalog",
        postgresql_where=sa.text("step not in ('confirmed', 'given_up', 'returned')"),
    )
    op.create_index(op.f("moves_tenant_id_idx"), "moves", ["tenant_id"], unique=False, schema="catalog")
    op.add_column(
        "archives",
        sa.Column("holds", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        schema="catalog",
    )
    op.add_column("tenants", sa.Column("region", sa.Text(), nullable=True), schema="catalog")
