"""States, keys, certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "state_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mover", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["catalog.tenants.id"], name=op.f("state_changes_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("state_changes_pkey")),
        schema="catalog",
    )
    op.create_index(
        op.f("state_changes_tenant_id_idx"), "state_changes", ["tenant_id"], unique=False, schema="catalog"
    )
    op.add_column("tenants", sa.Column("state_before", sa.Text(), nullable=True), schema="catalog")
    op.drop_constraint("tenants_state_known_check", "tenants", schema="catalog", type_="check")
    op.create_check_constraint(
        "tenants_state_known_check",
        "tenants",
        "(state = ANY (ARRAY['making'::text, 'spare'::text, 'claimed'::text, 'active'::text, 'fenced'::text, 'suspended'::text, 'frozen'::text, 'archiving'::text, 'archived'::text, 'thawing'::text, 'moving'::text, 'closing'::text, 'destroyed'::text]))",
        schema="catalog",
    )
