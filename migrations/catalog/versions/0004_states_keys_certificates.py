"""States, keys, certificates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "installation_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("installation_keys_pkey")),
        schema="catalog",
    )
    op.create_table(
        "brought_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_arn", sa.Text(), nullable=False),
        sa.Column("role_arn", sa.Text(), nullable=False),
        sa.Column("brought_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["catalog.tenants.id"], name=op.f("brought_keys_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("brought_keys_pkey")),
        schema="catalog",
    )
    op.create_table(
        "certificates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inventory", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["catalog.tenants.id"], name=op.f("certificates_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("certificates_pkey")),
        schema="catalog",
    )
    op.create_index(
        "certificates_subject_idx", "certificates", ["tenant_id", "subject"], unique=True, schema="catalog"
    )
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
    op.add_column(
        "tenant_keys", sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True), schema="catalog"
    )
    op.add_column(
        "tenant_keys", sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True), schema="catalog"
    )
    op.alter_column(
        "tenant_keys", "wrapped", existing_type=postgresql.BYTEA(), nullable=True, schema="catalog"
    )
    op.add_column("tenants", sa.Column("state_before", sa.Text(), nullable=True), schema="catalog")
    op.create_check_constraint(
        "tenant_keys_destroyed_check",
        "tenant_keys",
        "((wrapped IS NULL) = (destroyed_at IS NOT NULL))",
        schema="catalog",
    )
    op.drop_constraint("tenants_state_known_check", "tenants", schema="catalog", type_="check")
    op.create_check_constraint(
        "tenants_state_known_check",
        "tenants",
        "(state = ANY (ARRAY['making'::text, 'spare'::text, 'claimed'::text, 'active'::text, 'fenced'::text, 'suspended'::text, 'frozen'::text, 'archiving'::text, 'archived'::text, 'thawing'::text, 'moving'::text, 'closing'::text, 'destroyed'::text]))",
        schema="catalog",
    )
