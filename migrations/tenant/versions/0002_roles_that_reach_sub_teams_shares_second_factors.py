"""Roles that reach sub-teams, shares, second factors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "access_grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("staff_name", sa.Text(), nullable=True),
        sa.Column("staff_email", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("resources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("record_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("only_fields", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("narrowed", sa.Boolean(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("visible_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("access in ('read', 'write')", name=op.f("access_grants_access_known_check")),
        sa.CheckConstraint(
            "kind in ('support', 'invitation', 'break_glass', 'legal_order')",
            name=op.f("access_grants_kind_known_check"),
        ),
        sa.CheckConstraint(
            "reason in ('customer_request', 'fault', 'data_repair', 'security_incident', 'legal_order')",
            name=op.f("access_grants_reason_known_check"),
        ),
        sa.CheckConstraint(
            "state in ('asked', 'manager_approved', 'approved', 'refused', 'expired', 'revoked', 'ended')",
            name=op.f("access_grants_state_known_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("access_grants_pkey")),
    )
    op.create_index(
        op.f("access_grants_created_at_id_idx"), "access_grants", ["created_at", "id"], unique=False
    )
    op.create_table(
        "claimed_domains",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("claimed_domains_pkey")),
        sa.UniqueConstraint("domain", name=op.f("claimed_domains_domain_key")),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("mails_pkey")),
    )
    op.create_index("mails_created_at_idx", "mails", ["created_at"], unique=False)
    op.create_table(
        "access_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("by_kind", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grants.id"], name=op.f("access_steps_grant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("access_steps_pkey")),
    )
    op.create_index("access_steps_once_idx", "access_steps", ["grant_id", "step", "by_id"], unique=True)
    op.create_table(
        "access_visits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("staff_name", sa.Text(), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("receipt", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("visible_from", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("access in ('read', 'write')", name=op.f("access_visits_access_known_check")),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grants.id"], name=op.f("access_visits_grant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("access_visits_pkey")),
        sa.UniqueConstraint("hash", name=op.f("access_visits_hash_key")),
    )
    op.create_index(
        op.f("access_visits_created_at_id_idx"), "access_visits", ["created_at", "id"], unique=False
    )
    op.create_index(op.f("access_visits_grant_id_idx"), "access_visits", ["grant_id"], unique=False)
    op.create_table(
        "team_roles",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("team_roles_role_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("team_roles_team_id_fkey")),
        sa.PrimaryKeyConstraint("team_id", "role_id", name=op.f("team_roles_pkey")),
    )
    op.create_table(
        "access_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("staff_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("query", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shown_fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("masked_fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("record_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("visible_from", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["access_visits.id"], name=op.f("access_log_visit_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("access_log_pkey")),
    )
    op.create_index(op.f("access_log_at_id_idx"), "access_log", ["at", "id"], unique=False)
    op.create_index(op.f("access_log_visit_id_idx"), "access_log", ["visit_id"], unique=False)
    op.create_table(
        "authenticators",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("credential_id", sa.LargeBinary(), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("sign_count", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('totp', 'passkey', 'recovery_code')", name=op.f("authenticators_kind_known_check")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("authenticators_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("authenticators_pkey")),
        sa.UniqueConstraint("credential_id", name=op.f("authenticators_credential_id_key")),
    )
    op.create_index(op.f("authenticators_user_id_idx"), "authenticators", ["user_id"], unique=False)
    op.create_table(
        "identity_providers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("default_role_id", sa.Uuid(), nullable=True),
        sa.Column("strong_acr", sa.Text(), nullable=True),
        sa.Column("sso_only", sa.Boolean(), nullable=False),
        sa.Column("break_glass_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state in ('active', 'inactive')", name=op.f("identity_providers_state_known_check")
        ),
        sa.CheckConstraint(
            "not sso_only or break_glass_id is not null",
            name=op.f("identity_providers_break_glass_named_check"),
        ),
        sa.ForeignKeyConstraint(
            ["break_glass_id"], ["users.id"], name=op.f("identity_providers_break_glass_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["default_role_id"], ["roles.id"], name=op.f("identity_providers_default_role_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_providers_pkey")),
        sa.UniqueConstraint("name", name=op.f("identity_providers_name_key")),
    )
    op.create_index(
        op.f("identity_providers_break_glass_id_idx"), "identity_providers", ["break_glass_id"], unique=False
    )
    op.create_index(
        op.f("identity_providers_default_role_id_idx"),
        "identity_providers",
        ["default_role_id"],
        unique=False,
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_user", sa.Boolean(), nullable=False),
        sa.Column("invited_by_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state in ('pending', 'accepted', 'withdrawn')", name=op.f("invitations_state_known_check")
        ),
        sa.ForeignKeyConstraint(["invited_by_id"], ["users.id"], name=op.f("invitations_invited_by_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("invitations_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("invitations_pkey")),
    )
    op.create_index(op.f("invitations_created_at_id_idx"), "invitations", ["created_at", "id"], unique=False)
    op.create_index(
        "invitations_pending_idx",
        "invitations",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "oauth_clients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=True),
        sa.Column("secret_hint", sa.Text(), nullable=True),
        sa.Column("redirect_uris", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("oauth_clients_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("oauth_clients_pkey")),
    )
    op.create_index(op.f("oauth_clients_user_id_idx"), "oauth_clients", ["user_id"], unique=False)
    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("one_time_tokens_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("one_time_tokens_pkey")),
        sa.UniqueConstraint("hash", name=op.f("one_time_tokens_hash_key")),
    )
    op.create_index("one_time_tokens_expires_at_idx", "one_time_tokens", ["expires_at"], unique=False)
    op.create_index(op.f("one_time_tokens_user_id_idx"), "one_time_tokens", ["user_id"], unique=False)
    op.create_table(
        "record_shares",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("level in ('read', 'edit')", name=op.f("record_shares_level_known_check")),
        sa.CheckConstraint(
            "(user_id is null) <> (team_id is null)", name=op.f("record_shares_one_receiver_check")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("record_shares_team_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("record_shares_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("record_shares_pkey")),
    )
    op.create_index(
        "record_shares_receiver_idx",
        "record_shares",
        ["resource", "record_id", "user_id", "team_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(op.f("record_shares_team_id_idx"), "record_shares", ["team_id"], unique=False)
    op.create_index(op.f("record_shares_user_id_idx"), "record_shares", ["user_id"], unique=False)
    op.create_table(
        "connected_apps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("oauth_client_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("connected_by", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "connected_by in ('consent', 'registration')",
            name=op.f("connected_apps_connected_by_known_check"),
        ),
        sa.ForeignKeyConstraint(
            ["oauth_client_id"], ["oauth_clients.id"], name=op.f("connected_apps_oauth_client_id_fkey")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("connected_apps_owner_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("connected_apps_team_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("connected_apps_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("connected_apps_pkey")),
    )
    op.create_index(
        op.f("connected_apps_oauth_client_id_idx"), "connected_apps", ["oauth_client_id"], unique=False
    )
    op.create_index(op.f("connected_apps_owner_id_idx"), "connected_apps", ["owner_id"], unique=False)
    op.create_index(op.f("connected_apps_team_id_idx"), "connected_apps", ["team_id"], unique=False)
    op.create_index(op.f("connected_apps_user_id_idx"), "connected_apps", ["user_id"], unique=False)
    op.create_table(
        "external_identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(user_id is null) <> (team_id is null)", name=op.f("external_identities_one_holder_check")
        ),
        sa.CheckConstraint(
            "provider_id is null or subject is not null", name=op.f("external_identities_subject_given_check")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["identity_providers.id"], name=op.f("external_identities_provider_id_fkey")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("external_identities_team_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("external_identities_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("external_identities_pkey")),
    )
    op.create_index(
        "external_identities_provider_subject_idx",
        "external_identities",
        ["provider_id", "subject"],
        unique=True,
    )
    op.create_index("external_identities_team_idx", "external_identities", ["team_id"], unique=True)
    op.create_index(
        "external_identities_user_name_idx",
        "external_identities",
        [sa.literal_column("lower(subject)")],
        unique=True,
        postgresql_where="provider_id is null",
    )
    op.create_index(
        "external_identities_user_provider_idx",
        "external_identities",
        ["user_id", "provider_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where="user_id is not null",
    )
    op.create_table(
        "import_batches",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("low", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("import_batches_import_id_fkey")),
        sa.PrimaryKeyConstraint("import_id", "low", name=op.f("import_batches_pkey")),
    )
    op.create_table(
        "oauth_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connected_app_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=True),
        sa.Column("code_challenge", sa.Text(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('code', 'access', 'refresh')", name=op.f("oauth_tokens_kind_known_check")
        ),
        sa.ForeignKeyConstraint(
            ["connected_app_id"], ["connected_apps.id"], name=op.f("oauth_tokens_connected_app_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("oauth_tokens_pkey")),
        sa.UniqueConstraint("hash", name=op.f("oauth_tokens_hash_key")),
    )
    op.create_index(
        op.f("oauth_tokens_connected_app_id_idx"), "oauth_tokens", ["connected_app_id"], unique=False
    )
    op.create_index("oauth_tokens_expires_at_idx", "oauth_tokens", ["expires_at"], unique=False)
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("last_used_address", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.add_column("api_keys", sa.Column("owner_id", sa.Uuid(), nullable=True))
    op.add_column("api_keys", sa.Column("team_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("api_keys_owner_id_idx"), "api_keys", ["owner_id"], unique=False)
    op.create_index(op.f("api_keys_replaces_id_idx"), "api_keys", ["replaces_id"], unique=False)
    op.create_index(op.f("api_keys_team_id_idx"), "api_keys", ["team_id"], unique=False)
    op.create_foreign_key(op.f("api_keys_owner_id_fkey"), "api_keys", "users", ["owner_id"], ["id"])
    op.create_foreign_key(op.f("api_keys_replaces_id_fkey"), "api_keys", "api_keys", ["replaces_id"], ["id"])
    op.create_foreign_key(op.f("api_keys_team_id_fkey"), "api_keys", "teams", ["team_id"], ["id"])
    op.drop_column("imports", "created")
    op.drop_column("imports", "skipped")
    op.drop_column("imports", "updated")
    op.drop_column("imports", "applied")
    op.drop_column("imports", "rejected")
    op.add_column("roles", sa.Column("description", sa.Text(), nullable=True))
    op.add_column(
        "roles",
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column("roles", sa.Column("mfa_required", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("sessions", sa.Column("method", sa.Text(), server_default="password", nullable=False))
    op.add_column("sessions", sa.Column("strong", sa.Boolean(), server_default="false", nullable=False))
    op.add_column(
        "sessions",
        sa.Column(
            "confirmed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
    )
    op.add_column(
        "sessions",
        sa.Column(
            "last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
    )
    op.add_column("teams", sa.Column("parent_id", sa.Uuid(), nullable=True))
    op.add_column(
        "teams", sa.Column("path", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False)
    )
    op.create_index(op.f("teams_parent_id_idx"), "teams", ["parent_id"], unique=False)
    op.create_index("teams_path_idx", "teams", ["path"], unique=False, postgresql_using="gin")
    op.create_foreign_key(op.f("teams_parent_id_fkey"), "teams", "teams", ["parent_id"], ["id"])
    op.add_column(
        "tenant_profile", sa.Column("mfa_required", sa.Boolean(), server_default="false", nullable=False)
    )
    op.add_column(
        "tenant_profile",
        sa.Column(
            "staff_access", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
    )
    op.add_column("users", sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("job_title", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("locale", sa.Text(), server_default="en", nullable=False))
    op.add_column("users", sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False))
    op.add_column("users", sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("users_team_id_idx"), "users", ["team_id"], unique=False)
    op.drop_constraint("users_state_known_check", "users", type_="check")
    op.create_check_constraint(
        "users_state_known_check",
        "users",
        "(state = ANY (ARRAY['invited'::text, 'active'::text, 'inactive'::text]))",
    )
