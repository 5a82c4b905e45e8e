"""Roles that reach sub-teams, shares, second factors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
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
        "team_roles",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("team_roles_role_id_fkey")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("team_roles_team_id_fkey")),
        sa.PrimaryKeyConstraint("team_id", "role_id", name=op.f("team_roles_pkey")),
    )
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
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("last_used_address", sa.Text(), nullable=True))
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
    op.add_column("users", sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("job_title", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("locale", sa.Text(), server_default="en", nullable=False))
    op.add_column("users", sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False))
    op.add_column("users", sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("users_state_known_check", "users", type_="check")
    op.create_check_constraint(
        "users_state_known_check",
        "users",
        "(state = ANY (ARRAY['invited'::text, 'active'::text, 'inactive'::text]))",
    )
