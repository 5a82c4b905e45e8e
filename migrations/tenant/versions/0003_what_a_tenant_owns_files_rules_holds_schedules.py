"""What a tenant owns: files, rules, holds, schedules."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("claimed_type", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["added_by_id"], ["users.id"], name=op.f("attachments_added_by_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("attachments_pkey")),
    )
    op.create_index(op.f("attachments_created_at_id_idx"), "attachments", ["created_at", "id"], unique=False)
    op.create_index(
        op.f("attachments_record_id_created_at_id_idx"),
        "attachments",
        ["record_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "bin",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purge_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deletion_id", sa.Uuid(), nullable=False),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("brief", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("moments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["users.id"], name=op.f("bin_deleted_by_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("bin_pkey")),
    )
    op.create_index("bin_created_at_idx", "bin", ["created_at", "id"], unique=False)
    op.create_index("bin_deletion_id_idx", "bin", ["deletion_id"], unique=False)
    op.create_index("bin_purge_at_idx", "bin", ["purge_at", "id"], unique=False)
    op.create_index("bin_record_id_idx", "bin", ["record_id"], unique=False)
    op.create_table(
        "export_schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("resources", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("encrypt_to", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("keep", sa.Integer(), nullable=False),
        sa.Column("bucket", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("access_key_id", sa.Text(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("last_succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alerted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "format in ('csv', 'jsonl', 'parquet', 'sqlite')",
            name=op.f("export_schedules_format_known_check"),
        ),
        sa.CheckConstraint(
            "purpose in ('own_copy', 'switching', 'sharing', 'authority')",
            name=op.f("export_schedules_purpose_known_check"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("export_schedules_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("export_schedules_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("export_schedules_pkey")),
    )
    op.create_index(op.f("export_schedules_owner_id_idx"), "export_schedules", ["owner_id"], unique=False)
    op.create_index(op.f("export_schedules_team_id_idx"), "export_schedules", ["team_id"], unique=False)
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=True),
        sa.Column("record_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_sha256", sa.Text(), nullable=True),
        sa.Column("placed_by_id", sa.Uuid(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by_id", sa.Uuid(), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(released_at is null) = (release_reason is null)",
            name=op.f("legal_holds_release_explained_check"),
        ),
        sa.CheckConstraint(
            "(resource is null) = (record_ids is null)", name=op.f("legal_holds_named_whole_check")
        ),
        sa.ForeignKeyConstraint(["placed_by_id"], ["users.id"], name=op.f("legal_holds_placed_by_id_fkey")),
        sa.ForeignKeyConstraint(
            ["released_by_id"], ["users.id"], name=op.f("legal_holds_released_by_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("legal_holds_pkey")),
    )
    op.create_index(
        "legal_holds_record_ids_idx", "legal_holds", ["record_ids"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "retention_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("record_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("legal_source", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("previewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("previewed_count", sa.Integer(), nullable=True),
        sa.Column("enabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enabled_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("action in ('retain', 'delete')", name=op.f("retention_rules_action_known_check")),
        sa.CheckConstraint(
            "trigger in ('created', 'inactive', 'purpose_ended', 'contract_end', 'statute_end')",
            name=op.f("retention_rules_trigger_known_check"),
        ),
        sa.CheckConstraint(
            "enabled_at is null or previewed_at is not null",
            name=op.f("retention_rules_previewed_first_check"),
        ),
        sa.ForeignKeyConstraint(
            ["enabled_by_id"], ["users.id"], name=op.f("retention_rules_enabled_by_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("retention_rules_pkey")),
        sa.UniqueConstraint("name", name=op.f("retention_rules_name_key")),
    )
    op.add_column("access_visits", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("claimed_domains", sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "exports",
        sa.Column("resources", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column(
        "exports",
        sa.Column("encrypt_to", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column("exports", sa.Column("purpose", sa.Text(), server_default="own_copy", nullable=False))
    op.add_column("exports", sa.Column("recipient", sa.Text(), nullable=True))
    op.add_column("exports", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("exports", sa.Column("approval", sa.Text(), nullable=True))
    op.add_column("exports", sa.Column("approve_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column("exports", sa.Column("decided_by_id", sa.Uuid(), nullable=True))
    op.add_column("exports", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("exports", sa.Column("decision_note", sa.Text(), nullable=True))
    op.add_column("exports", sa.Column("downloads_left", sa.Integer(), nullable=True))
    op.add_column("exports", sa.Column("schedule_id", sa.Uuid(), nullable=True))
    op.add_column("exports", sa.Column("in_bucket", sa.Boolean(), server_default="false", nullable=False))
    op.create_index(op.f("exports_schedule_id_idx"), "exports", ["schedule_id"], unique=False)
    op.create_foreign_key(
        op.f("exports_schedule_id_fkey"), "exports", "export_schedules", ["schedule_id"], ["id"]
    )
    op.add_column(
        "tenant_profile", sa.Column("export_approval", sa.Boolean(), server_default="false", nullable=False)
    )
    op.add_column("tenant_profile", sa.Column("users_reviewed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "tenant_profile", sa.Column("review_every_days", sa.Integer(), server_default="90", nullable=True)
    )
    op.add_column("tenant_profile", sa.Column("review_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tenant_profile", sa.Column("api_key_max_days", sa.Integer(), nullable=True))
    op.add_column(
        "tenant_profile", sa.Column("key_version", sa.Integer(), server_default="1", nullable=False)
    )
    op.create_check_constraint(
        "exports_approval_known_check",
        "exports",
        "(approval = ANY (ARRAY['waiting'::text, 'approved'::text, 'refused'::text]))",
    )
    op.drop_constraint("exports_format_known_check", "exports", type_="check")
    op.create_check_constraint(
        "exports_format_known_check",
        "exports",
        "(format = ANY (ARRAY['csv'::text, 'jsonl'::text, 'parquet'::text, 'sqlite'::text]))",
    )
    op.create_check_constraint(
        "exports_purpose_known_check",
        "exports",
        "(purpose = ANY (ARRAY['own_copy'::text, 'switching'::text, 'sharing'::text, 'authority'::text]))",
    )
