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
        "archives",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("state_before", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("thaw_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "step in ('freezing', 'writing', 'checking', 'dropping', 'kept', 'filling', 'migrating', 'opening', 'tidying', 'returned')",
            name=op.f("archives_step_known_check"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["catalog.tenants.id"], name=op.f("archives_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("archives_pkey")),
        schema="catalog",
    )
    op.create_index(
        "archives_one_at_a_time_idx",
        "archives",
        ["tenant_id"],
        unique=True,
        schema="catalog",
        postgresql_where=sa.text("step <> 'returned'"),
    )
    op.create_index(op.f("archives_tenant_id_idx"), "archives", ["tenant_id"], unique=False, schema="catalog")
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
        "closings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mover", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("notice_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("transition_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retrieval_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("final_notice_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("periods", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["catalog.tenants.id"], name=op.f("closings_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("closings_pkey")),
        schema="catalog",
    )
    op.create_index(
        "closings_one_at_a_time_idx",
        "closings",
        ["tenant_id"],
        unique=True,
        schema="catalog",
        postgresql_where=sa.text("cancelled_at is null and destroyed_at is null"),
    )
    op.create_index(op.f("closings_tenant_id_idx"), "closings", ["tenant_id"], unique=False, schema="catalog")
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
    op.create_table(
        "thaw_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("mail", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["catalog.tenants.id"], name=op.f("thaw_links_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("thaw_links_pkey")),
        sa.UniqueConstraint("hash", name=op.f("thaw_links_hash_key")),
        schema="catalog",
    )
    op.create_index(
        op.f("thaw_links_expires_at_idx"), "thaw_links", ["expires_at"], unique=False, schema="catalog"
    )
    op.create_index(
        op.f("thaw_links_tenant_id_idx"), "thaw_links", ["tenant_id"], unique=False, schema="catalog"
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
