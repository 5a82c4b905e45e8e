"""The people of a tenant, their teams and roles, and the single records that were shared with them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, relationship
from sqlalchemy.types import Uuid

from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, Record, column, one_of

USER_STATES = ("invited", "active", "inactive")
SHARE_LEVELS = ("read", "edit")


class TenantProfile(Identified, Base):
    """What the tenant says of itself: the one row that the guard reads its state from.

    API keys older than `api_key_max_days` open nothing; None is no limit. Somebody looks through who may do what every
    `review_every_days`, or never when that is None; `review_asked_at` is when a mail last said that it is due. Notices
    to the admins go to `security_contact`, too. `fields_version` is another one whenever a definition of the tenant's
    own fields changes.
    """

    __tablename__ = "tenant_profile"
    __purpose__ = Purpose.ACCOUNT
    __names_tenant__ = ("id", "slug", "state")

    slug: Mapped[str] = column(data=DataClass.BUSINESS)
    name: Mapped[str] = column(data=DataClass.BUSINESS)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default="active")
    currency: Mapped[str] = column(data=DataClass.BUSINESS, default="EUR")
    mfa_required: Mapped[bool] = column(data=DataClass.TECHNICAL, default=False, server_default="false")
    export_approval: Mapped[bool] = column(data=DataClass.TECHNICAL, default=False, server_default="false")
    security_contact: Mapped[str | None] = column(data=DataClass.CONTACT)
    users_reviewed_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    review_every_days: Mapped[int | None] = column(
        Integer, data=DataClass.TECHNICAL, default=90, server_default="90"
    )
    review_asked_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    api_key_max_days: Mapped[int | None] = column(Integer, data=DataClass.TECHNICAL)
    staff_access: Mapped[dict[str, Any]] = column(
        JSONB, data=DataClass.TECHNICAL, default=dict, server_default="{}"
    )
    fields_version: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    key_version: Mapped[int] = column(
        Integer,
        data=DataClass.TECHNICAL,
        default=1,
        server_default="1",
        info={"stays": "Which version of its data key a tenant seals with; a copy has keys of its own."},
    )
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class Team(Record, Base):
    """Users who share the reach `team`, with a manager. Teams are a tree.

    `path` holds the ids of all teams above it, nearest last: who reaches sub-teams reaches every team whose path
    holds one of theirs.
    """

    __tablename__ = "teams"
    __table_args__ = (Index("teams_path_idx", "path", postgresql_using="gin"),)
    __purpose__ = Purpose.ACCOUNT
    __audited__ = True
    __unruled__ = "It orders people, and goes when nobody is in it any more."

    name: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    manager_id: Mapped[UUID | None] = column(ForeignKey("users.id", use_alter=True), data=DataClass.TECHNICAL)
    parent_id: Mapped[UUID | None] = column(ForeignKey("teams.id"), data=DataClass.TECHNICAL, index=True)
    path: Mapped[list[UUID]] = column(
        ARRAY(Uuid()), data=DataClass.TECHNICAL, default=list, server_default="{}"
    )


class User(Record, Base):
    """Somebody of the tenant. Without an e-mail address they own records and can't sign in until invited."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_email_lower_idx", text("lower(email)"), unique=True),
        one_of("state", USER_STATES),
    )
    __purpose__ = Purpose.ACCOUNT
    __audited__ = True
    __unruled__ = "Users are deactivated and named by what they did; erasing their values is asked for."

    name: Mapped[str] = column(data=DataClass.IDENTITY)
    email: Mapped[str | None] = column(data=DataClass.CONTACT)
    email_verified_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    job_title: Mapped[str | None] = column(data=DataClass.BUSINESS)
    office: Mapped[str | None] = column(data=DataClass.BUSINESS)
    locale: Mapped[str] = column(data=DataClass.BUSINESS, default="en", server_default="en")
    time_zone: Mapped[str] = column(data=DataClass.BUSINESS, default="UTC", server_default="UTC")
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default="active", server_default="active")
    deactivated_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    team_id: Mapped[UUID | None] = column(ForeignKey("teams.id"), data=DataClass.TECHNICAL, index=True)
    team: Mapped[Team | None] = relationship(foreign_keys="User.team_id", lazy="raise")


class TeamMember(Base):
    """Who is in which team."""

    __tablename__ = "team_members"
    __purpose__ = Purpose.ACCOUNT

    team_id: Mapped[UUID] = column(ForeignKey(Team.id), data=DataClass.TECHNICAL, primary_key=True)
    user_id: Mapped[UUID] = column(
        ForeignKey(User.id), data=DataClass.TECHNICAL, primary_key=True, index=True
    )


class Role(Record, Base):
    """A set of permissions, each with its reach, and what it closes of single fields.

    `permissions` is `{"deals:edit": "team"}`; `fields` is `{"contacts": {"email": "read", "phone": "none"}}`, where
    a field that is not named can be read and edited. `mfa_required`: who has this role signs in with a second factor.
    """

    __tablename__ = "roles"
    __purpose__ = Purpose.ACCOUNT
    __audited__ = True
    __unruled__ = "It says who may do what, for as long as somebody has it."

    name: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    description: Mapped[str | None] = column(data=DataClass.BUSINESS)
    built_in: Mapped[bool] = column(data=DataClass.TECHNICAL, default=False)
    permissions: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.TECHNICAL)
    fields: Mapped[dict[str, Any]] = column(
        JSONB, data=DataClass.TECHNICAL, default=dict, server_default="{}"
    )
    mfa_required: Mapped[bool] = column(data=DataClass.TECHNICAL, default=False, server_default="false")


class UserRole(Base):
    """Which roles a user has; they merge to the best of each."""

    __tablename__ = "user_roles"
    __purpose__ = Purpose.ACCOUNT

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, primary_key=True)
    role_id: Mapped[UUID] = column(ForeignKey(Role.id), data=DataClass.TECHNICAL, primary_key=True)


class TeamRole(Base):
    """Which roles everybody in a team has besides their own."""

    __tablename__ = "team_roles"
    __purpose__ = Purpose.ACCOUNT

    team_id: Mapped[UUID] = column(ForeignKey(Team.id), data=DataClass.TECHNICAL, primary_key=True)
    role_id: Mapped[UUID] = column(ForeignKey(Role.id), data=DataClass.TECHNICAL, primary_key=True)


class RecordShare(Record, Base):
    """One record, shared with a user or a team until a date; it widens the reach of what they may do anyway."""

    __tablename__ = "record_shares"
    __resource__ = "record-shares"
    __table_args__ = (
        one_of("level", SHARE_LEVELS),
        CheckConstraint("(user_id is null) <> (team_id is null)", name="one_receiver"),
        Index(
            "record_shares_receiver_idx",
            *("resource", "record_id", "user_id", "team_id"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )
    __purpose__ = Purpose.ACCOUNT
    __audited__ = True
    __unruled__ = "It goes with its record, or at its end."

    resource: Mapped[str] = column(data=DataClass.TECHNICAL)
    record_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    user_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)
    team_id: Mapped[UUID | None] = column(ForeignKey(Team.id), data=DataClass.TECHNICAL, index=True)
    level: Mapped[str] = column(data=DataClass.TECHNICAL, default="read")
    expires_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)

    user: Mapped[User | None] = relationship(lazy="raise")
    team: Mapped[Team | None] = relationship(lazy="raise")


class OneTimeToken(Identified, Base):
    """A secret that works once and not for long: an invitation, a reset, a sign-in half done (`one_time`)."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (Index("one_time_tokens_expires_at_idx", "expires_at"),)
    __purpose__ = Purpose.SECURITY
    __stays__ = "It opens a door for minutes or days, in this installation only."

    kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    hash: Mapped[bytes] = column(LargeBinary, data=DataClass.CREDENTIAL, unique=True)
    user_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)
    details: Mapped[Any] = column(LargeBinary, data=DataClass.CREDENTIAL, sealed=True, nullable=True)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    expires_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    used_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    tries: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0, server_default="0")
