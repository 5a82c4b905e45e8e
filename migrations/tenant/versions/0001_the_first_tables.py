"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "arrivals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bundle_sha256", sa.Text(), nullable=False),
        sa.Column("from_tenant", sa.Text(), nullable=False),
        sa.Column("from_slug", sa.Text(), nullable=False),
        sa.Column("snapshot_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("arrivals_pkey")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("personal_fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_events_pkey")),
    )
    op.create_index(op.f("audit_events_at_id_idx"), "audit_events", ["at", "id"], unique=False)
    op.create_index(op.f("audit_events_record_id_at_idx"), "audit_events", ["record_id", "at"], unique=False)
    op.create_table(
        "audit_signing_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_signing_keys_pkey")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("idempotency_keys_pkey")),
    )
    op.create_index(op.f("idempotency_keys_created_at_idx"), "idempotency_keys", ["created_at"], unique=False)
    op.create_index(op.f("idempotency_keys_place_idx"), "idempotency_keys", ["place"], unique=True)
    op.create_table(
        "import_rows",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("import_rows_pkey")),
    )
    op.create_table(
        "number_series",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "name in ('invoices', 'credit-notes')", name=op.f("number_series_name_known_check")
        ),
        sa.CheckConstraint(
            "prefix ~ '^([A-Za-z0-9/-]{0,19}[A-Za-z/-])?$'", name=op.f("number_series_prefix_plain_check")
        ),
        sa.CheckConstraint("last >= 0", name=op.f("number_series_last_counted_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("number_series_pkey")),
        sa.UniqueConstraint("name", name=op.f("number_series_name_key")),
    )
    op.create_table(
        "pipelines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pipelines_pkey")),
        sa.UniqueConstraint("name", name=op.f("pipelines_name_key")),
    )
    op.create_index(op.f("pipelines_created_at_id_idx"), "pipelines", ["created_at", "id"], unique=False)
    op.create_index(
        "pipelines_default_idx",
        "pipelines",
        ["is_default"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "products",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=True),
        sa.Column("price", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, translate(coalesce(name, '') || ' ' || coalesce(series, ''), '@.-_/', '     '))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("(price is null) = (currency is null)", name=op.f("products_price_whole_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("products_pkey")),
        sa.UniqueConstraint("name", name=op.f("products_name_key")),
    )
    op.create_index(op.f("products_created_at_id_idx"), "products", ["created_at", "id"], unique=False)
    op.create_index("products_words_idx", "products", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("built_in", sa.Boolean(), nullable=False),
        sa.Column("permissions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("roles_pkey")),
        sa.UniqueConstraint("name", name=op.f("roles_name_key")),
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("schedules_pkey")),
        sa.UniqueConstraint("key", name=op.f("schedules_key_key")),
    )
    op.create_index("schedules_next_run_at_idx", "schedules", ["next_run_at"], unique=False)
    op.create_table(
        "teams",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["users.id"], name=op.f("teams_manager_id_fkey"), use_alter=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("teams_pkey")),
        sa.UniqueConstraint("name", name=op.f("teams_name_key")),
    )
    op.create_table(
        "tenant_profile",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tenant_profile_pkey")),
    )
    op.create_table(
        "audit_seals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("signing_key_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["signing_key_id"], ["audit_signing_keys.id"], name=op.f("audit_seals_signing_key_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_seals_pkey")),
        sa.UniqueConstraint("sequence", name=op.f("audit_seals_sequence_key")),
    )
    op.create_table(
        "audit_values",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["audit_events.id"], name=op.f("audit_values_event_id_fkey")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("audit_values_pkey")),
    )
    op.create_table(
        "stages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("probability between 0 and 100", name=op.f("stages_probability_percent_check")),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name=op.f("stages_pipeline_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("stages_pkey")),
        sa.UniqueConstraint("pipeline_id", "id", name=op.f("stages_pipeline_id_id_key")),
        sa.UniqueConstraint("pipeline_id", "name", name=op.f("stages_pipeline_id_name_key")),
    )
    op.create_index(op.f("stages_created_at_id_idx"), "stages", ["created_at", "id"], unique=False)
    op.create_index(
        op.f("stages_pipeline_id_position_idx"), "stages", ["pipeline_id", "position"], unique=False
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("office", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("state in ('active', 'inactive')", name=op.f("users_state_known_check")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("users_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
    )
    op.create_index("users_email_lower_idx", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("api_keys_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("hash", name=op.f("api_keys_hash_key")),
    )
    op.create_index(op.f("api_keys_user_id_idx"), "api_keys", ["user_id"], unique=False)
    op.create_table(
        "audit_seal_members",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("seal_id", sa.Uuid(), nullable=False),
        sa.Column("leaf", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["audit_events.id"], name=op.f("audit_seal_members_event_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["seal_id"], ["audit_seals.id"], name=op.f("audit_seal_members_seal_id_fkey")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("audit_seal_members_pkey")),
    )
    op.create_index(
        op.f("audit_seal_members_seal_id_leaf_idx"), "audit_seal_members", ["seal_id", "leaf"], unique=False
    )
    op.create_table(
        "companies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("sector", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("employees", sa.Integer(), nullable=True),
        sa.Column("founded", sa.Integer(), nullable=True),
        sa.Column("revenue", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("revenue_currency", sa.Text(), nullable=True),
        sa.Column("vat_number", sa.Text(), nullable=True),
        sa.Column("bank_account", sa.LargeBinary(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, translate(coalesce(name, '') || ' ' || coalesce(domain, '') || ' ' || coalesce(city, ''), '@.-_/', '     '))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("companies_owner_id_fkey")),
        sa.ForeignKeyConstraint(["parent_id"], ["companies.id"], name=op.f("companies_parent_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("companies_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("companies_pkey")),
    )
    op.create_index(op.f("companies_created_at_id_idx"), "companies", ["created_at", "id"], unique=False)
    op.create_index(op.f("companies_name_idx"), "companies", ["name"], unique=False)
    op.create_index(op.f("companies_owner_id_idx"), "companies", ["owner_id"], unique=False)
    op.create_index(op.f("companies_parent_id_idx"), "companies", ["parent_id"], unique=False)
    op.create_index(op.f("companies_team_id_idx"), "companies", ["team_id"], unique=False)
    op.create_index("companies_words_idx", "companies", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("counts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("snapshot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("format in ('csv', 'jsonl')", name=op.f("exports_format_known_check")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("exports_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("exports_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("exports_pkey")),
    )
    op.create_index(op.f("exports_created_at_id_idx"), "exports", ["created_at", "id"], unique=False)
    op.create_index(op.f("exports_expires_at_idx"), "exports", ["expires_at"], unique=False)
    op.create_index(op.f("exports_owner_id_idx"), "exports", ["owner_id"], unique=False)
    op.create_index(op.f("exports_team_id_idx"), "exports", ["team_id"], unique=False)
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("match_on", sa.Text(), nullable=True),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("delimiter", sa.Text(), nullable=False),
        sa.Column("header", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("staged", sa.Integer(), nullable=False),
        sa.Column("read", sa.Boolean(), nullable=False),
        sa.Column("applied", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("mode in ('create', 'update', 'upsert')", name=op.f("imports_mode_known_check")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("imports_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("imports_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("imports_pkey")),
    )
    op.create_index(op.f("imports_created_at_id_idx"), "imports", ["created_at", "id"], unique=False)
    op.create_index(op.f("imports_owner_id_idx"), "imports", ["owner_id"], unique=False)
    op.create_index(op.f("imports_team_id_idx"), "imports", ["team_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held_state", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("heavy", sa.Boolean(), nullable=False),
        sa.Column("unique_key", sa.Text(), nullable=True),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done", sa.Integer(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)",
            name=op.f("jobs_end_dated_check"),
        ),
        sa.CheckConstraint(
            "state in ('held', 'ready', 'dispatched', 'running', 'succeeded', 'failed', 'cancelled')",
            name=op.f("jobs_state_known_check"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("jobs_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("jobs_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("jobs_pkey")),
    )
    op.create_index("jobs_created_at_idx", "jobs", ["created_at", "id"], unique=False)
    op.create_index(
        "jobs_in_flight_idx",
        "jobs",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state in ('dispatched', 'running')"),
    )
    op.create_index(op.f("jobs_owner_id_idx"), "jobs", ["owner_id"], unique=False)
    op.create_index(
        "jobs_ready_idx", "jobs", ["run_at", "id"], unique=False, postgresql_where=sa.text("state = 'ready'")
    )
    op.create_index(op.f("jobs_team_id_idx"), "jobs", ["team_id"], unique=False)
    op.create_index(
        "jobs_unique_key_idx",
        "jobs",
        ["unique_key"],
        unique=True,
        postgresql_where=sa.text("state in ('ready', 'dispatched', 'running')"),
    )
    op.create_table(
        "passwords",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("passwords_user_id_fkey")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("passwords_pkey")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("sessions_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_pkey")),
        sa.UniqueConstraint("hash", name=op.f("sessions_hash_key")),
    )
    op.create_index(op.f("sessions_user_id_idx"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("team_members_team_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("team_members_user_id_fkey")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("team_members_pkey")),
    )
    op.create_index(op.f("team_members_user_id_idx"), "team_members", ["user_id"], unique=False)
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("user_roles_role_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("user_roles_user_id_fkey")),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("user_roles_pkey")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("mobile", sa.Text(), nullable=True),
        sa.Column("job_title", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("lifecycle", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("do_not_contact", sa.Boolean(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("national_id", sa.LargeBinary(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, translate(coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(email, ''), '@.-_/', '     '))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "lifecycle in ('subscriber', 'lead', 'qualified', 'customer', 'former')",
            name=op.f("contacts_lifecycle_known_check"),
        ),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("contacts_company_id_fkey")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("contacts_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("contacts_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("contacts_pkey")),
    )
    op.create_index(op.f("contacts_company_id_idx"), "contacts", ["company_id"], unique=False)
    op.create_index(op.f("contacts_created_at_id_idx"), "contacts", ["created_at", "id"], unique=False)
    op.create_index("contacts_email_lower_idx", "contacts", [sa.literal_column("lower(email)")], unique=False)
    op.create_index(
        op.f("contacts_lifecycle_created_at_id_idx"),
        "contacts",
        ["lifecycle", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("contacts_owner_id_idx"), "contacts", ["owner_id"], unique=False)
    op.create_index(op.f("contacts_team_id_idx"), "contacts", ["team_id"], unique=False)
    op.create_index("contacts_words_idx", "contacts", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "deals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("expected_close_on", sa.Date(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("outcome_reason", sa.Text(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, translate(coalesce(name, '') || ' ' || coalesce(reference, ''), '@.-_/', '     '))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("outcome in ('won', 'lost')", name=op.f("deals_outcome_known_check")),
        sa.CheckConstraint("(amount is null) = (currency is null)", name=op.f("deals_amount_whole_check")),
        sa.CheckConstraint("(outcome is null) = (closed_on is null)", name=op.f("deals_outcome_dated_check")),
        sa.CheckConstraint(
            "outcome is not null or stage_id is not null", name=op.f("deals_open_staged_check")
        ),
        sa.ForeignKeyConstraint(["closed_by_id"], ["users.id"], name=op.f("deals_closed_by_id_fkey")),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("deals_company_id_fkey")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("deals_contact_id_fkey")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("deals_owner_id_fkey")),
        sa.ForeignKeyConstraint(
            ["pipeline_id", "stage_id"],
            ["stages.pipeline_id", "stages.id"],
            name=op.f("deals_pipeline_id_stage_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name=op.f("deals_pipeline_id_fkey")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("deals_product_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("deals_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("deals_pkey")),
        sa.UniqueConstraint("reference", name=op.f("deals_reference_key")),
    )
    op.create_index(op.f("deals_closed_on_id_idx"), "deals", ["closed_on", "id"], unique=False)
    op.create_index(op.f("deals_company_id_idx"), "deals", ["company_id"], unique=False)
    op.create_index(op.f("deals_contact_id_idx"), "deals", ["contact_id"], unique=False)
    op.create_index(op.f("deals_created_at_id_idx"), "deals", ["created_at", "id"], unique=False)
    op.create_index(
        op.f("deals_expected_close_on_id_idx"), "deals", ["expected_close_on", "id"], unique=False
    )
    op.create_index(op.f("deals_owner_id_idx"), "deals", ["owner_id"], unique=False)
    op.create_index(op.f("deals_pipeline_id_idx"), "deals", ["pipeline_id"], unique=False)
    op.create_index(op.f("deals_product_id_idx"), "deals", ["product_id"], unique=False)
    op.create_index(op.f("deals_stage_id_idx"), "deals", ["stage_id"], unique=False)
    op.create_index(op.f("deals_team_id_idx"), "deals", ["team_id"], unique=False)
    op.create_index("deals_words_idx", "deals", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "deal_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deal_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("outcome in ('won', 'lost')", name=op.f("deal_changes_outcome_known_check")),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("deal_changes_by_id_fkey")),
        sa.ForeignKeyConstraint(
            ["deal_id"], ["deals.id"], name=op.f("deal_changes_deal_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deal_changes_pkey")),
    )
    op.create_index(op.f("deal_changes_deal_id_at_idx"), "deal_changes", ["deal_id", "at"], unique=False)
    op.create_table(
        "deal_stage_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deal_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("from_stage_id", sa.Uuid(), nullable=True),
        sa.Column("from_stage", sa.Text(), nullable=True),
        sa.Column("to_stage_id", sa.Uuid(), nullable=True),
        sa.Column("to_stage", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("deal_stage_changes_by_id_fkey")),
        sa.ForeignKeyConstraint(
            ["deal_id"], ["deals.id"], name=op.f("deal_stage_changes_deal_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["from_stage_id"],
            ["stages.id"],
            name=op.f("deal_stage_changes_from_stage_id_fkey"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["to_stage_id"],
            ["stages.id"],
            name=op.f("deal_stage_changes_to_stage_id_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deal_stage_changes_pkey")),
    )
    op.create_index(
        op.f("deal_stage_changes_deal_id_at_idx"), "deal_stage_changes", ["deal_id", "at"], unique=False
    )
    op.create_index(
        op.f("deal_stage_changes_from_stage_id_idx"), "deal_stage_changes", ["from_stage_id"], unique=False
    )
    op.create_index(
        op.f("deal_stage_changes_to_stage_id_idx"), "deal_stage_changes", ["to_stage_id"], unique=False
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("billing_name", sa.Text(), nullable=True),
        sa.Column("billing_street", sa.Text(), nullable=True),
        sa.Column("billing_postal_code", sa.Text(), nullable=True),
        sa.Column("billing_city", sa.Text(), nullable=True),
        sa.Column("billing_region", sa.Text(), nullable=True),
        sa.Column("billing_country", sa.Text(), nullable=True),
        sa.Column("billing_vat_number", sa.Text(), nullable=True),
        sa.Column("net_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("tax_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("gross_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("taxes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("credited_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("paid_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column(
            "outstanding_amount",
            sa.Numeric(precision=18, scale=2),
            sa.Computed(
                "case when number is null then 0 else gross_amount - credited_amount - paid_amount end",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("deal_id", sa.Uuid(), nullable=True),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, translate(coalesce(number, '') || ' ' || coalesce(billing_name, '') || ' ' || coalesce(reference, ''), '@.-_/', '     '))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("invoices_currency_code_check")),
        sa.CheckConstraint(
            "(number is null) = (issued_on is null)", name=op.f("invoices_issued_whole_check")
        ),
        sa.CheckConstraint(
            "credited_amount + paid_amount <= gross_amount", name=op.f("invoices_never_overpaid_check")
        ),
        sa.CheckConstraint(
            "credited_amount >= 0 and paid_amount >= 0", name=op.f("invoices_nothing_negative_check")
        ),
        sa.CheckConstraint("due_on >= issued_on", name=op.f("invoices_due_after_issue_check")),
        sa.CheckConstraint(
            "gross_amount = net_amount + tax_amount", name=op.f("invoices_gross_is_net_and_tax_check")
        ),
        sa.CheckConstraint(
            "number is null or (due_on is not null and billing_name is not null)",
            name=op.f("invoices_issued_complete_check"),
        ),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("invoices_company_id_fkey")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("invoices_contact_id_fkey")),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=op.f("invoices_deal_id_fkey")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("invoices_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("invoices_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("invoices_pkey")),
        sa.UniqueConstraint("id", "currency", name=op.f("invoices_id_currency_key")),
        sa.UniqueConstraint(
            "id",
            "number",
            "issued_on",
            "due_on",
            "currency",
            "billing_name",
            "net_amount",
            "tax_amount",
            "gross_amount",
            name="invoices_printed_key",
        ),
        sa.UniqueConstraint("number", name=op.f("invoices_number_key")),
    )
    op.create_index(op.f("invoices_company_id_idx"), "invoices", ["company_id"], unique=False)
    op.create_index(op.f("invoices_contact_id_idx"), "invoices", ["contact_id"], unique=False)
    op.create_index(op.f("invoices_created_at_id_idx"), "invoices", ["created_at", "id"], unique=False)
    op.create_index(op.f("invoices_deal_id_idx"), "invoices", ["deal_id"], unique=False)
    op.create_index(op.f("invoices_issued_on_id_idx"), "invoices", ["issued_on", "id"], unique=False)
    op.create_index(
        "invoices_owed_idx",
        "invoices",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("outstanding_amount > 0"),
    )
    op.create_index(op.f("invoices_owner_id_idx"), "invoices", ["owner_id"], unique=False)
    op.create_index(op.f("invoices_team_id_idx"), "invoices", ["team_id"], unique=False)
    op.create_index("invoices_words_idx", "invoices", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "leads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("company_name", sa.Text(), nullable=True),
        sa.Column("job_title", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("disqualified_reason", sa.Text(), nullable=True),
        sa.Column("disqualified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disqualified_by_id", sa.Uuid(), nullable=True),
        sa.Column("converted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("converted_by_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("deal_id", sa.Uuid(), nullable=True),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, translate(coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(company_name, '') || ' ' || coalesce(email, ''), '@.-_/', '     '))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state = 'converted') = (converted_at is not null)", name=op.f("leads_conversion_dated_check")
        ),
        sa.CheckConstraint(
            "(state = 'disqualified') = (disqualified_at is not null)",
            name=op.f("leads_disqualification_dated_check"),
        ),
        sa.CheckConstraint(
            "state in ('open', 'disqualified', 'converted')", name=op.f("leads_state_known_check")
        ),
        sa.CheckConstraint("score between 0 and 100", name=op.f("leads_score_percent_check")),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("leads_company_id_fkey")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("leads_contact_id_fkey")),
        sa.ForeignKeyConstraint(["converted_by_id"], ["users.id"], name=op.f("leads_converted_by_id_fkey")),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=op.f("leads_deal_id_fkey")),
        sa.ForeignKeyConstraint(
            ["disqualified_by_id"], ["users.id"], name=op.f("leads_disqualified_by_id_fkey")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("leads_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("leads_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("leads_pkey")),
    )
    op.create_index(op.f("leads_company_id_idx"), "leads", ["company_id"], unique=False)
    op.create_index(op.f("leads_contact_id_idx"), "leads", ["contact_id"], unique=False)
    op.create_index(op.f("leads_created_at_id_idx"), "leads", ["created_at", "id"], unique=False)
    op.create_index(op.f("leads_deal_id_idx"), "leads", ["deal_id"], unique=False)
    op.create_index("leads_email_lower_idx", "leads", [sa.literal_column("lower(email)")], unique=False)
    op.create_index(op.f("leads_owner_id_idx"), "leads", ["owner_id"], unique=False)
    op.create_index(
        op.f("leads_state_created_at_id_idx"), "leads", ["state", "created_at", "id"], unique=False
    )
    op.create_index(op.f("leads_team_id_idx"), "leads", ["team_id"], unique=False)
    op.create_index("leads_words_idx", "leads", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "credit_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("billing_name", sa.Text(), nullable=False),
        sa.Column("billing_street", sa.Text(), nullable=True),
        sa.Column("billing_postal_code", sa.Text(), nullable=True),
        sa.Column("billing_city", sa.Text(), nullable=True),
        sa.Column("billing_region", sa.Text(), nullable=True),
        sa.Column("billing_country", sa.Text(), nullable=True),
        sa.Column("billing_vat_number", sa.Text(), nullable=True),
        sa.Column("net_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("tax_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("gross_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("taxes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, translate(coalesce(number, '') || ' ' || coalesce(billing_name, '') || ' ' || coalesce(reason, ''), '@.-_/', '     '))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "gross_amount = net_amount + tax_amount", name=op.f("credit_notes_gross_is_net_and_tax_check")
        ),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("credit_notes_company_id_fkey")),
        sa.ForeignKeyConstraint(
            ["invoice_id", "currency"],
            ["invoices.id", "invoices.currency"],
            name=op.f("credit_notes_invoice_id_currency_fkey"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("credit_notes_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("credit_notes_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("credit_notes_pkey")),
        sa.UniqueConstraint("id", "currency", name=op.f("credit_notes_id_currency_key")),
        sa.UniqueConstraint("number", name=op.f("credit_notes_number_key")),
    )
    op.create_index(op.f("credit_notes_company_id_idx"), "credit_notes", ["company_id"], unique=False)
    op.create_index(
        op.f("credit_notes_created_at_id_idx"), "credit_notes", ["created_at", "id"], unique=False
    )
    op.create_index(op.f("credit_notes_invoice_id_idx"), "credit_notes", ["invoice_id"], unique=False)
    op.create_index(op.f("credit_notes_owner_id_idx"), "credit_notes", ["owner_id"], unique=False)
    op.create_index(op.f("credit_notes_team_id_idx"), "credit_notes", ["team_id"], unique=False)
    op.create_index("credit_notes_words_idx", "credit_notes", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "invoice_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=3), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("discount_percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("tax_label", sa.Text(), nullable=False),
        sa.Column("net_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.CheckConstraint(
            "discount_percent between 0 and 100 and tax_rate between 0 and 100",
            name=op.f("invoice_lines_percents_check"),
        ),
        sa.CheckConstraint("quantity > 0 and unit_price >= 0", name=op.f("invoice_lines_not_negative_check")),
        sa.ForeignKeyConstraint(
            ["invoice_id", "currency"],
            ["invoices.id", "invoices.currency"],
            name=op.f("invoice_lines_invoice_id_currency_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("invoice_lines_product_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("invoice_lines_pkey")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("invoice_lines_invoice_id_position_key")),
    )
    op.create_index(op.f("invoice_lines_product_id_idx"), "invoice_lines", ["product_id"], unique=False)
    op.create_table(
        "issuances",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("billing_name", sa.Text(), nullable=False),
        sa.Column("net_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("tax_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("gross_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.ForeignKeyConstraint(
            [
                "invoice_id",
                "number",
                "issued_on",
                "due_on",
                "currency",
                "billing_name",
                "net_amount",
                "tax_amount",
                "gross_amount",
            ],
            [
                "invoices.id",
                "invoices.number",
                "invoices.issued_on",
                "invoices.due_on",
                "invoices.currency",
                "invoices.billing_name",
                "invoices.net_amount",
                "invoices.tax_amount",
                "invoices.gross_amount",
            ],
            name="issuances_printed_fkey",
        ),
        sa.ForeignKeyConstraint(["issued_by_id"], ["users.id"], name=op.f("issuances_issued_by_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("issuances_pkey")),
        sa.UniqueConstraint("invoice_id", name=op.f("issuances_invoice_id_key")),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "method in ('bank_transfer', 'card', 'cash', 'cheque', 'direct_debit', 'other')",
            name=op.f("payments_method_known_check"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("payments_amount_positive_check")),
        sa.ForeignKeyConstraint(
            ["invoice_id", "currency"],
            ["invoices.id", "invoices.currency"],
            name=op.f("payments_invoice_id_currency_fkey"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("payments_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("payments_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payments_pkey")),
    )
    op.create_index(op.f("payments_created_at_id_idx"), "payments", ["created_at", "id"], unique=False)
    op.create_index(op.f("payments_invoice_id_idx"), "payments", ["invoice_id"], unique=False)
    op.create_index(op.f("payments_owner_id_idx"), "payments", ["owner_id"], unique=False)
    op.create_index(op.f("payments_paid_on_id_idx"), "payments", ["paid_on", "id"], unique=False)
    op.create_index(op.f("payments_team_id_idx"), "payments", ["team_id"], unique=False)
    op.create_table(
        "credit_note_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("credit_note_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_line_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=3), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("discount_percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("tax_label", sa.Text(), nullable=False),
        sa.Column("net_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 and net_amount >= 0", name=op.f("credit_note_lines_not_negative_check")
        ),
        sa.ForeignKeyConstraint(
            ["credit_note_id", "currency"],
            ["credit_notes.id", "credit_notes.currency"],
            name=op.f("credit_note_lines_credit_note_id_currency_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_line_id"], ["invoice_lines.id"], name=op.f("credit_note_lines_invoice_line_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("credit_note_lines_product_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("credit_note_lines_pkey")),
        sa.UniqueConstraint(
            "credit_note_id", "position", name=op.f("credit_note_lines_credit_note_id_position_key")
        ),
    )
    op.create_index(
        op.f("credit_note_lines_invoice_line_id_idx"), "credit_note_lines", ["invoice_line_id"], unique=False
    )
    op.create_index(
        op.f("credit_note_lines_product_id_idx"), "credit_note_lines", ["product_id"], unique=False
    )
    op.create_table(
        "payment_reversals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("reversed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("payment_reversals_payment_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("payment_reversals_pkey")),
        sa.UniqueConstraint("payment_id", name=op.f("payment_reversals_payment_id_key")),
    )
    op.create_foreign_key(op.f("teams_manager_id_fkey"), "teams", "users", ["manager_id"], ["id"])
