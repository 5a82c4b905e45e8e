"""Staff, what they asked for, and orders of law."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role in ('support', 'security', 'legal', 'platform')", name=op.f("staff_role_known_check")
        ),
        sa.CheckConstraint("state in ('active', 'inactive')", name=op.f("staff_state_known_check")),
        sa.ForeignKeyConstraint(["manager_id"], ["catalog.staff.id"], name=op.f("staff_manager_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("staff_pkey")),
        schema="catalog",
    )
    op.create_index(
        "staff_email_lower_idx", "staff", [sa.literal_column("lower(email)")], unique=True, schema="catalog"
    )
    op.create_table(
        "legal_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("jurisdiction", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("resources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("record_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("only_fields", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("gag_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_by", sa.Uuid(), nullable=False),
        sa.Column("approvals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('received', 'approved', 'refused')", name=op.f("legal_orders_state_known_check")
        ),
        sa.ForeignKeyConstraint(
            ["received_by"], ["catalog.staff.id"], name=op.f("legal_orders_received_by_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["catalog.tenants.id"], name=op.f("legal_orders_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("legal_orders_pkey")),
        schema="catalog",
    )
    op.create_index(
        op.f("legal_orders_received_by_idx"), "legal_orders", ["received_by"], unique=False, schema="catalog"
    )
    op.create_index(
        op.f("legal_orders_tenant_id_idx"), "legal_orders", ["tenant_id"], unique=False, schema="catalog"
    )
    op.create_table(
        "staff_credentials",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('password', 'totp', 'api_key', 'session')",
            name=op.f("staff_credentials_kind_known_check"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["catalog.staff.id"], name=op.f("staff_credentials_staff_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("staff_credentials_pkey")),
        sa.UniqueConstraint("secret", name=op.f("staff_credentials_secret_key")),
        schema="catalog",
    )
    op.create_index(
        op.f("staff_credentials_staff_id_idx"),
        "staff_credentials",
        ["staff_id"],
        unique=False,
        schema="catalog",
    )
    op.create_table(
        "staff_grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["catalog.staff.id"], name=op.f("staff_grants_staff_id_fkey")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["catalog.tenants.id"], name=op.f("staff_grants_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("staff_grants_pkey")),
        schema="catalog",
    )
    op.create_index(
        op.f("staff_grants_staff_id_idx"), "staff_grants", ["staff_id"], unique=False, schema="catalog"
    )
    op.create_index(
        op.f("staff_grants_tenant_id_idx"), "staff_grants", ["tenant_id"], unique=False, schema="catalog"
    )
    op.create_table(
        "staff_visits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["catalog.staff.id"], name=op.f("staff_visits_staff_id_fkey")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["catalog.tenants.id"], name=op.f("staff_visits_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("staff_visits_pkey")),
        schema="catalog",
    )
    op.create_index(
        "staff_visits_open_idx",
        "staff_visits",
        ["tenant_id"],
        unique=False,
        schema="catalog",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        op.f("staff_visits_staff_id_idx"), "staff_visits", ["staff_id"], unique=False, schema="catalog"
    )
