"""Our own people, in the catalog: who they are, how they sign in, and pointers to what they asked of tenants."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped
from sqlalchemy.types import Uuid

from tenants.catalog.models import CatalogBase
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import DataClass, Identified, Purpose, column, one_of


class StaffRole(StrEnum):
    """What somebody of ours does. No role gives a right on any tenant's data."""

    SUPPORT = "support"
    SECURITY = "security"
    LEGAL = "legal"
    PLATFORM = "platform"


class Staff(Identified, CatalogBase):
    """One of our people; `manager_id` approves what they ask for."""

    __tablename__ = "staff"
    __table_args__ = (
        one_of("role", StaffRole),
        one_of("state", ("active", "inactive")),
        Index("staff_email_lower_idx", text("lower(email)"), unique=True),
    )
    __purpose__ = Purpose.SECURITY

    email: Mapped[str] = column(data=DataClass.CONTACT)
    name: Mapped[str] = column(data=DataClass.IDENTITY)
    role: Mapped[str] = column(data=DataClass.TECHNICAL)
    manager_id: Mapped[UUID | None] = column(ForeignKey("catalog.staff.id"), data=DataClass.TECHNICAL)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default="active")
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class StaffCredential(Identified, CatalogBase):
    """A password, the TOTP secret beside it, an API key, or a session.

    `secret` is what is kept of it: the argon2id hash of a password, the SHA-256 of a token.
    A TOTP secret is wrapped by the key that wraps the tenants' keys; `last_step` is the last time step it was used
    in, so that no code works twice (RFC 6238, section 5.2).
    """

    __tablename__ = "staff_credentials"
    __table_args__ = (one_of("kind", ("password", "totp", "api_key", "session")),)
    __purpose__ = Purpose.SECURITY

    staff_id: Mapped[UUID] = column(ForeignKey(Staff.id), data=DataClass.TECHNICAL, index=True)
    kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    secret: Mapped[bytes] = column(LargeBinary, data=DataClass.CREDENTIAL, unique=True)
    last_step: Mapped[int | None] = column(BigInteger, data=DataClass.TECHNICAL)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    expires_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    ended_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)


class GrantPointer(CatalogBase):
    """Where a grant lives, and who asked: all that the catalog knows of it."""

    __tablename__ = "staff_grants"
    __purpose__ = Purpose.SECURITY

    id: Mapped[UUID] = column(data=DataClass.TECHNICAL, primary_key=True)
    tenant_id: Mapped[UUID] = column(ForeignKey("catalog.tenants.id"), data=DataClass.TECHNICAL, index=True)
    staff_id: Mapped[UUID | None] = column(ForeignKey(Staff.id), data=DataClass.TECHNICAL, index=True)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class VisitPointer(CatalogBase):
    """A visit that may be open: the platform's round gives and takes the tenant's role by these."""

    __tablename__ = "staff_visits"
    __table_args__ = (Index("staff_visits_open_idx", "tenant_id", postgresql_where=text("ended_at is null")),)
    __purpose__ = Purpose.SECURITY

    id: Mapped[UUID] = column(data=DataClass.TECHNICAL, primary_key=True)
    tenant_id: Mapped[UUID] = column(ForeignKey("catalog.tenants.id"), data=DataClass.TECHNICAL)
    grant_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    staff_id: Mapped[UUID] = column(ForeignKey(Staff.id), data=DataClass.TECHNICAL, index=True)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    opened_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    ended_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)


class LegalOrder(CatalogBase):
    """An order of law to disclose named records of a tenant. Two persons approve it; then it becomes a grant.

    `gag_until` keeps it from the tenant until then, and no longer.
    """

    __tablename__ = "legal_orders"
    __table_args__ = (one_of("state", ("received", "approved", "refused")),)
    __purpose__ = Purpose.SECURITY

    id: Mapped[UUID] = column(data=DataClass.TECHNICAL, primary_key=True, default=new_id)
    tenant_id: Mapped[UUID] = column(ForeignKey("catalog.tenants.id"), data=DataClass.TECHNICAL, index=True)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default="received")
    authority: Mapped[str] = column(data=DataClass.BUSINESS)
    jurisdiction: Mapped[str] = column(data=DataClass.BUSINESS)
    reference: Mapped[str] = column(data=DataClass.BUSINESS)
    document_sha256: Mapped[str] = column(data=DataClass.TECHNICAL)
    resources: Mapped[list[str]] = column(ARRAY(Text), data=DataClass.TECHNICAL)
    record_ids: Mapped[list[UUID]] = column(ARRAY(Uuid()), data=DataClass.TECHNICAL)
    only_fields: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    gag_until: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    received_by: Mapped[UUID] = column(ForeignKey(Staff.id), data=DataClass.TECHNICAL, index=True)
    approvals: Mapped[list[Any]] = column(JSONB, data=DataClass.IDENTITY, default=list)
    grant_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    told_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
