"""The people of a tenant who sign in, their teams, roles and credentials."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, relationship

from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, Record, column


class TenantProfile(Identified, Base):
    """What the tenant says of itself: the one row that the guard reads its state from."""

    __tablename__ = "tenant_profile"
    __purpose__ = Purpose.ACCOUNT
    __names_tenant__ = ("id", "slug")

    slug: Mapped[str] = column(data=DataClass.BUSINESS)
    name: Mapped[str] = column(data=DataClass.BUSINESS)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default="active")
    currency: Mapped[str] = column(data=DataClass.BUSINESS, default="EUR")
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class Team(Record, Base):
    """Users who share the reach `team`, with a manager."""

    __tablename__ = "teams"
    __purpose__ = Purpose.ACCOUNT
    __audited__ = True

    name: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    manager_id: Mapped[UUID | None] = column(ForeignKey("users.id", use_alter=True), data=DataClass.TECHNICAL)


class User(Record, Base):
    """Somebody of the tenant. Without an e-mail address they own records and can't sign in until invited."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_email_lower_idx", text("lower(email)"), unique=True),
        CheckConstraint("state in ('active', 'inactive')", name="state_known"),
    )
    __purpose__ = Purpose.ACCOUNT
    __audited__ = True

    name: Mapped[str] = column(data=DataClass.IDENTITY)
    email: Mapped[str | None] = column(data=DataClass.CONTACT)
    office: Mapped[str | None] = column(data=DataClass.BUSINESS)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default="active", server_default="active")
    team_id: Mapped[UUID | None] = column(ForeignKey("teams.id"), data=DataClass.TECHNICAL)
    team: Mapped[Team | None] = relationship(foreign_keys="User.team_id", lazy="raise")


class Password(Base):
    """The argon2id hash of a user's password (RFC 9106)."""

    __tablename__ = "passwords"
    __purpose__ = Purpose.SECURITY

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, primary_key=True)
    hash: Mapped[str] = column(data=DataClass.CREDENTIAL)
    changed_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class TeamMember(Base):
    """Who is in which team."""

    __tablename__ = "team_members"
    __purpose__ = Purpose.ACCOUNT

    team_id: Mapped[UUID] = column(ForeignKey(Team.id), data=DataClass.TECHNICAL, primary_key=True)
    user_id: Mapped[UUID] = column(
        ForeignKey(User.id), data=DataClass.TECHNICAL, primary_key=True, index=True
    )


class Role(Record, Base):
    """A set of permissions, each with its reach: `{"deals:edit": "team"}`."""

    __tablename__ = "roles"
    __purpose__ = Purpose.ACCOUNT
    __audited__ = True

    name: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    built_in: Mapped[bool] = column(data=DataClass.TECHNICAL, default=False)
    permissions: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.TECHNICAL)


class UserRole(Base):
    """Which roles a user has; they merge to the best of each."""

    __tablename__ = "user_roles"
    __purpose__ = Purpose.ACCOUNT

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, primary_key=True)
    role_id: Mapped[UUID] = column(ForeignKey(Role.id), data=DataClass.TECHNICAL, primary_key=True)


class ApiKey(Record, Base):
    """A program's way in: acts as its user, and no further than its own list of permissions, when it has one."""

    __tablename__ = "api_keys"
    __resource__ = "api-keys"
    __purpose__ = Purpose.SECURITY
    __audited__ = True

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)
    name: Mapped[str] = column(data=DataClass.BUSINESS)
    hash: Mapped[bytes] = column(LargeBinary, data=DataClass.CREDENTIAL, unique=True)
    hint: Mapped[str] = column(Text, data=DataClass.TECHNICAL)
    scopes: Mapped[list[str] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    expires_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    revoked_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)


class Session(Identified, Base):
    """A browser that signed in with a password."""

    __tablename__ = "sessions"
    __purpose__ = Purpose.SECURITY

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)
    hash: Mapped[bytes] = column(LargeBinary, data=DataClass.CREDENTIAL, unique=True)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    expires_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    ended_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    address: Mapped[str | None] = column(data=DataClass.ONLINE)
    device: Mapped[str | None] = column(data=DataClass.ONLINE)
