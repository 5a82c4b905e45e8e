"""What tenants own moves and is kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "custom_fields",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("required", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("personal", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind in ('text', 'long_text', 'number', 'boolean', 'date', 'datetime', 'choice', 'choices', 'url', 'email')",
            name=op.f("custom_fields_kind_known_check"),
        ),
        sa.CheckConstraint("name ~ '^[a-z][a-z0-9_]{0,49}$'", name=op.f("custom_fields_name_plain_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("custom_fields_pkey")),
        sa.UniqueConstraint("resource", "name", name=op.f("custom_fields_resource_name_key")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("mails", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("readers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("notices_pkey")),
        sa.UniqueConstraint("key", name=op.f("notices_key_key")),
    )
    op.create_index(op.f("notices_at_id_idx"), "notices", ["at", "id"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("original_state", sa.Text(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("former_secret", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state = 'disabled') = (disabled_at is not null)", name=op.f("webhooks_disabled_dated_check")
        ),
        sa.CheckConstraint(
            "state in ('active', 'inactive', 'disabled')", name=op.f("webhooks_state_known_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("webhooks_pkey")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resource", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("excerpt", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'pending') = (finished_at is null)", name=op.f("webhook_deliveries_end_dated_check")
        ),
        sa.CheckConstraint(
            "state in ('pending', 'delivered', 'failed')", name=op.f("webhook_deliveries_state_known_check")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("webhook_deliveries_webhook_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_deliveries_pkey")),
    )
    op.create_index("webhook_deliveries_created_at_idx", "webhook_deliveries", ["created_at"], unique=False)
    op.create_index("webhook_deliveries_event_id_idx", "webhook_deliveries", ["event_id"], unique=False)
    op.create_index(
        "webhook_deliveries_pending_idx",
        "webhook_deliveries",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "webhook_deliveries_webhook_id_created_at_idx",
        "webhook_deliveries",
        ["webhook_id", "created_at", "id"],
        unique=False,
    )
    op.add_column(
        "companies",
        sa.Column("custom", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.create_index(
        "companies_custom_idx",
        "companies",
        ["custom"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"custom": "jsonb_path_ops"},
        postgresql_where=sa.text("custom <> '{}'::jsonb"),
    )
    op.add_column(
        "contacts",
        sa.Column("custom", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.create_index(
        "contacts_custom_idx",
        "contacts",
        ["custom"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"custom": "jsonb_path_ops"},
        postgresql_where=sa.text("custom <> '{}'::jsonb"),
    )
    op.add_column(
        "deals",
        sa.Column("custom", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.create_index(
        "deals_custom_idx",
        "deals",
        ["custom"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"custom": "jsonb_path_ops"},
        postgresql_where=sa.text("custom <> '{}'::jsonb"),
    )
    op.add_column(
        "exports",
        sa.Column("parcels", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column(
        "leads",
        sa.Column("custom", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.create_index(
        "leads_custom_idx",
        "leads",
        ["custom"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"custom": "jsonb_path_ops"},
        postgresql_where=sa.text("custom <> '{}'::jsonb"),
    )
    op.add_column(
        "products",
        sa.Column("custom", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.create_index(
        "products_custom_idx",
        "products",
        ["custom"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"custom": "jsonb_path_ops"},
        postgresql_where=sa.text("custom <> '{}'::jsonb"),
    )
    op.add_column("tenant_profile", sa.Column("security_contact", sa.Text(), nullable=True))
    op.add_column("tenant_profile", sa.Column("fields_version", sa.Uuid(), nullable=True))
    op.create_check_constraint(
        "companies_custom_object_check", "companies", "(jsonb_typeof(custom) = 'object'::text)"
    )
    op.create_check_constraint(
        "contacts_custom_object_check", "contacts", "(jsonb_typeof(custom) = 'object'::text)"
    )
    op.create_check_constraint(
        "deals_custom_object_check", "deals", "(jsonb_typeof(custom) = 'object'::text)"
    )
    op.create_check_constraint(
        "leads_custom_object_check", "leads", "(jsonb_typeof(custom) = 'object'::text)"
    )
    op.create_check_constraint(
        "products_custom_object_check", "products", "(jsonb_typeof(custom) = 'object'::text)"
    )
