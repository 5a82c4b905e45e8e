"""What happened, kept so that the application can add to it and never alter it, and the seals over it."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, relationship
from sqlalchemy.types import Text

from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, column


class AuditEvent(Identified, Base):
    """Who did what to which record, when and from where. Personal values are here only as a salted digest."""

    __tablename__ = "audit_events"
    __resource__ = "audit-events"
    __table_args__ = (Index(None, "record_id", "at"), Index(None, "at", "id"))
    __purpose__ = Purpose.SECURITY
    __rights__: ClassVar[str] = "select, insert"

    at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    action: Mapped[str] = column(data=DataClass.TECHNICAL)
    resource: Mapped[str] = column(data=DataClass.TECHNICAL)
    record_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    actor_kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    actor_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    credential_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    request_id: Mapped[str] = column(data=DataClass.TECHNICAL)
    address: Mapped[str | None] = column(data=DataClass.ONLINE)
    changes: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.BUSINESS)
    personal_fields: Mapped[list[str]] = column(ARRAY(Text), data=DataClass.TECHNICAL)
    digest: Mapped[bytes | None] = column(LargeBinary, data=DataClass.TECHNICAL)

    personal: Mapped["AuditValues | None"] = relationship(lazy="raise", viewonly=True, uselist=False)


class AuditValues(Base):
    """The personal values of one event, with the salt of its digest; erasure and retention alone delete them."""

    __tablename__ = "audit_values"
    __resource__ = "audit-events"
    __purpose__ = Purpose.SECURITY
    __rights__: ClassVar[str] = "select, insert, delete"

    event_id: Mapped[UUID] = column(ForeignKey(AuditEvent.id), data=DataClass.TECHNICAL, primary_key=True)
    salt: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    values: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.IDENTITY)


class AuditSigningKey(Identified, Base):
    """The Ed25519 key that a tenant's seals are signed with; the private half is sealed and leaves no tenant."""

    __tablename__ = "audit_signing_keys"
    __purpose__ = Purpose.SECURITY
    #: The private half is sealed anew when the tenant's data key is rotated; nothing else of a key ever changes.
    __rights__: ClassVar[str] = "select, insert, update (private_key)"

    public_key: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    private_key: Mapped[Any] = column(LargeBinary, data=DataClass.CREDENTIAL, sealed=True, nullable=True)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class AuditSeal(Base):
    """A signed hash tree over the events that no earlier seal holds; each names the head before it."""

    __tablename__ = "audit_seals"
    __purpose__ = Purpose.SECURITY
    __rights__: ClassVar[str] = "select, insert"

    id: Mapped[UUID] = column(data=DataClass.TECHNICAL, primary_key=True)
    tenant_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    signing_key_id: Mapped[UUID] = column(ForeignKey(AuditSigningKey.id), data=DataClass.TECHNICAL)
    sequence: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, unique=True)
    sealed_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    count: Mapped[int] = column(Integer, data=DataClass.TECHNICAL)
    root: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    previous: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    head: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    signature: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)


class AuditSealMember(Base):
    """Which seal holds an event, and at which leaf of its tree."""

    __tablename__ = "audit_seal_members"
    __table_args__ = (Index(None, "seal_id", "leaf"),)
    __purpose__ = Purpose.SECURITY
    __rights__: ClassVar[str] = "select, insert"

    event_id: Mapped[UUID] = column(ForeignKey(AuditEvent.id), data=DataClass.TECHNICAL, primary_key=True)
    seal_id: Mapped[UUID] = column(ForeignKey(AuditSeal.id), data=DataClass.TECHNICAL)
    leaf: Mapped[int] = column(Integer, data=DataClass.TECHNICAL)
