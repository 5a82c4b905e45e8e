"""What is known about tenants outside their own schemas: where they live, their wrapped keys, their seals."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped

from tenants.foundation.clock import now
from tenants.foundation.settings import INACTIVITY_DAYS
from tenants.foundation.tables import NAMES, DataClass, Identified, Purpose, column, one_of

#: A period without use that never ends.
NEVER = 0


class CatalogBase(DeclarativeBase):
    """Ground of the catalog's tables, on a connection of their own; nothing of a tenant joins with them."""

    metadata = MetaData(naming_convention=NAMES, schema="catalog")
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        str: Text(),
        bytes: LargeBinary(),
    }
    __purpose__: ClassVar[Purpose]


class State(StrEnum):
    """Where a tenant stands: a spare is ready and nobody's; a fenced one waits for a migration to be mended.

    What each state permits, and who moves a tenant from one to another, is in `states.py`.
    """

    MAKING = "making"
    SPARE = "spare"
    CLAIMED = "claimed"
    ACTIVE = "active"
    FENCED = "fenced"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    ARCHIVING = "archiving"
    ARCHIVED = "archived"
    THAWING = "thawing"
    MOVING = "moving"
    CLOSING = "closing"
    DESTROYED = "destroyed"


class Tenant(Identified, CatalogBase):
    """One customer of ours, and the cell that holds its schema."""

    __tablename__ = "tenants"
    __table_args__ = (
        one_of("state", State),
        CheckConstraint(
            "inactivity_days = {} or inactivity_days between {} and {}".format(NEVER, *INACTIVITY_DAYS),
            name="inactivity_days_known",
        ),
    )
    __purpose__ = Purpose.OPERATION

    slug: Mapped[str | None] = column(data=DataClass.BUSINESS, unique=True)
    name: Mapped[str | None] = column(data=DataClass.BUSINESS)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default=State.SPARE)
    state_before: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    """What it comes back to when it is mended or thawed."""
    cell: Mapped[str] = column(data=DataClass.TECHNICAL)
    region: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    """What it never leaves, where a region was chosen for it; said once, when it is claimed."""
    revision: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    fence_reason: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    claimed_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    inactivity_days: Mapped[int | None] = column(Integer, data=DataClass.TECHNICAL)
    """After how many days without use it is archived: NEVER, or as the installation says when it is None."""


class StateChange(Identified, CatalogBase):
    """A tenant went from one state to another: who did it, when, and why. `settled_at` is when its schema knew.

    `untold` is true as long as its admins are still to hear of it; what they hear nothing of by itself has none.
    """

    __tablename__ = "state_changes"
    __table_args__ = (Index("state_changes_untold_idx", "id", postgresql_where=text("untold")),)
    __purpose__ = Purpose.OPERATION

    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL, index=True)
    before: Mapped[str] = column(data=DataClass.TECHNICAL)
    after: Mapped[str] = column(data=DataClass.TECHNICAL)
    at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    mover: Mapped[str] = column(data=DataClass.TECHNICAL)
    actor_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    reason: Mapped[str] = column(data=DataClass.FREE_TEXT)
    settled_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    untold: Mapped[bool | None] = column(Boolean, data=DataClass.TECHNICAL)


class TenantKey(CatalogBase):
    """One version of a tenant's data key, wrapped by a key that is not in the database.

    A version that is replaced still opens what it sealed, until none of that is left; of a destroyed one the row
    stays, without the key.
    """

    __tablename__ = "tenant_keys"
    __table_args__ = (CheckConstraint("(wrapped is null) = (destroyed_at is not null)", name="destroyed"),)
    __purpose__ = Purpose.SECURITY

    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL, primary_key=True)
    version: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, primary_key=True)
    wrapped: Mapped[bytes | None] = column(LargeBinary, data=DataClass.CREDENTIAL)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    replaced_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    destroyed_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)


class BroughtKey(CatalogBase):
    """A key of a tenant's own, in its AWS account, that wraps its data keys instead of ours. We are let in by a role."""

    __tablename__ = "brought_keys"
    __purpose__ = Purpose.SECURITY

    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL, primary_key=True)
    key_arn: Mapped[str] = column(data=DataClass.TECHNICAL)
    role_arn: Mapped[str] = column(data=DataClass.TECHNICAL)
    brought_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class InstallationKey(CatalogBase):
    """A key of the installation itself, wrapped as the tenants' are: the secret of look-ups, what signs certificates."""

    __tablename__ = "installation_keys"
    __purpose__ = Purpose.SECURITY

    name: Mapped[str] = column(data=DataClass.TECHNICAL, primary_key=True)
    wrapped: Mapped[bytes] = column(LargeBinary, data=DataClass.CREDENTIAL)
    public_key: Mapped[bytes | None] = column(LargeBinary, data=DataClass.TECHNICAL)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class Certificate(Identified, CatalogBase):
    """What of a tenant was destroyed, signed; it outlives the tenant. Until it is issued, it is a destruction under way.

    `subject` tells what of the tenant: all of it, or versions of its key. `inventory` is what there was before.
    """

    __tablename__ = "certificates"
    __table_args__ = (Index("certificates_subject_idx", "tenant_id", "subject", unique=True),)
    __purpose__ = Purpose.SECURITY

    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL)
    subject: Mapped[str] = column(data=DataClass.TECHNICAL)
    begun_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    inventory: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.TECHNICAL)
    issued_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    document: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    signature: Mapped[bytes | None] = column(LargeBinary, data=DataClass.TECHNICAL)


class Restoration(Identified, CatalogBase):
    """One time that this installation was filled from a backup. Nobody is served before it was opened.

    `found` says what was replayed before that.
    """

    __tablename__ = "restorations"
    __purpose__ = Purpose.OPERATION

    backup: Mapped[str] = column(data=DataClass.TECHNICAL)
    taken_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    begun_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    found: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    opened_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)


class PlaceMark(CatalogBase):
    """The mark that lies in a place of this installation; until it was `written_at`, it is on its way there."""

    __tablename__ = "place_marks"
    __purpose__ = Purpose.SECURITY

    name: Mapped[str] = column(data=DataClass.TECHNICAL, primary_key=True)
    mark: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    made_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    written_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)


class LookupHash(CatalogBase):
    """Finds the tenants behind something that can't carry a tenant's id, by a keyed hash and nothing else."""

    __tablename__ = "lookup_hashes"
    __purpose__ = Purpose.ACCOUNT

    kind: Mapped[str] = column(data=DataClass.TECHNICAL, primary_key=True)
    hash: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL, primary_key=True)
    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL, primary_key=True)


class AuditHead(CatalogBase):
    """The signed head of a tenant's latest audit seal, kept where the tenant's own rows can't reach it."""

    __tablename__ = "audit_heads"
    __purpose__ = Purpose.SECURITY

    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL, primary_key=True)
    sequence: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, primary_key=True)
    head: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    signature: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    public_key: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    sealed_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)


class Throttle(CatalogBase):
    """How often something was tried of late, by a keyed hash of who tried what: `tries` fades as time goes by.

    It is kept here, so that it is the same for accounts that exist and that don't, and outlives every cache.
    """

    __tablename__ = "throttles"
    __purpose__ = Purpose.SECURITY

    key: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL, primary_key=True)
    tries: Mapped[float] = column(Double, data=DataClass.TECHNICAL)
    tried_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, index=True)
    closed_until: Mapped[datetime] = column(data=DataClass.TECHNICAL)
