"""Where the people of a tenant sign in elsewhere, which domains are the tenant's, and who is who over there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, Record, column, one_of
from tenants.identity.models import Role, Team, User

PROVIDER_STATES = ("active", "inactive")


class IdentityProvider(Record, Base):
    """An OpenID provider that the tenant's people sign in with (OpenID Connect Core 1.0, code flow with PKCE).

    Who comes for the first time is added with `default_role_id`; without one they have to be there already.
    `strong_acr` is the word (`acr`) with which this provider says that a second factor was used. `sso_only` refuses
    passwords and passkeys to everybody but `break_glass_id`.
    """

    __tablename__ = "identity_providers"
    __resource__ = "identity-providers"
    __table_args__ = (
        one_of("state", PROVIDER_STATES),
        CheckConstraint("not sso_only or break_glass_id is not null", name="break_glass_named"),
    )
    __purpose__ = Purpose.SECURITY
    __audited__ = True
    __unruled__ = "It is how people sign in, for as long as they do."

    name: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    issuer: Mapped[str] = column(data=DataClass.BUSINESS)
    client_id: Mapped[str] = column(data=DataClass.BUSINESS)
    client_secret: Mapped[Any] = column(LargeBinary, data=DataClass.CREDENTIAL, sealed=True, nullable=True)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default="active")
    default_role_id: Mapped[UUID | None] = column(ForeignKey(Role.id), data=DataClass.TECHNICAL, index=True)
    strong_acr: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    sso_only: Mapped[bool] = column(data=DataClass.TECHNICAL, default=False)
    break_glass_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)


class ClaimedDomain(Record, Base):
    """A domain of e-mail addresses that the tenant says is its own; proven by a DNS record since `verified_at`.

    `missing_since` is when the record of a proven one was first not found again; after a week the domain is lost.
    """

    __tablename__ = "claimed_domains"
    __resource__ = "claimed-domains"
    __purpose__ = Purpose.SECURITY
    __audited__ = True
    __unruled__ = "It is how people sign in, for as long as they do."

    domain: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    proof: Mapped[str] = column(data=DataClass.TECHNICAL)
    verified_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    missing_since: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)


class ExternalIdentity(Identified, Base):
    """Who a user or team is elsewhere: the subject at a provider, or what a directory (SCIM) says of them.

    A row without a provider is a directory's: `attributes` are what it said, `subject` is the user's name over there
    when that is no e-mail address, and since `removed_at` the directory has done away with them.
    """

    __tablename__ = "external_identities"
    __resource__ = "external-identities"
    __governed_by__ = "identity-providers"
    __table_args__ = (
        CheckConstraint("(user_id is null) <> (team_id is null)", name="one_holder"),
        CheckConstraint("provider_id is null or subject is not null", name="subject_given"),
        Index("external_identities_provider_subject_idx", "provider_id", "subject", unique=True),
        Index(
            "external_identities_user_provider_idx",
            *("user_id", "provider_id"),
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where="user_id is not null",
        ),
        Index("external_identities_team_idx", "team_id", unique=True),
        Index(
            "external_identities_user_name_idx",
            text("lower(subject)"),
            unique=True,
            postgresql_where="provider_id is null",
        ),
    )
    __purpose__ = Purpose.SECURITY
    __audited__ = True
    __unruled__ = "It goes with the provider that it is of."

    provider_id: Mapped[UUID | None] = column(ForeignKey(IdentityProvider.id), data=DataClass.TECHNICAL)
    subject: Mapped[str | None] = column(data=DataClass.IDENTITY)
    user_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL)
    team_id: Mapped[UUID | None] = column(ForeignKey(Team.id), data=DataClass.TECHNICAL)
    attributes: Mapped[dict[str, Any]] = column(
        JSONB, data=DataClass.IDENTITY, default=dict, server_default="{}"
    )
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    removed_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
