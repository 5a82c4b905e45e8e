"""What a tenant keeps of our people's access to it: grants with each step on the way, visits, and what was looked at.

The tenant's schema is the one home of all of this; the catalog keeps pointers.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, relationship
from sqlalchemy.types import Text, Uuid

from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, Record, column, one_of

BOUND_HERE = "Who of our people may look, and did, belongs to this installation; the log can be downloaded."


class GrantKind(StrEnum):
    """How a grant came about: staff asked, the tenant invited, a security incident, or an order of law."""

    SUPPORT = "support"
    INVITATION = "invitation"
    BREAK_GLASS = "break_glass"
    LEGAL_ORDER = "legal_order"


class GrantState(StrEnum):
    """Where a grant stands. `asked` and `manager_approved` wait for an answer; only `approved` opens anything."""

    ASKED = "asked"
    MANAGER_APPROVED = "manager_approved"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ENDED = "ended"

    @property
    def waiting(self) -> bool:
        return self in (GrantState.ASKED, GrantState.MANAGER_APPROVED)


class Reason(StrEnum):
    """Why somebody wants to look."""

    CUSTOMER_REQUEST = "customer_request"
    FAULT = "fault"
    DATA_REPAIR = "data_repair"
    SECURITY_INCIDENT = "security_incident"
    LEGAL_ORDER = "legal_order"


class Access(StrEnum):
    """Whether a grant lets its holder read, or read and change."""

    READ = "read"
    WRITE = "write"


class AccessGrant(Record, Base):
    """Leave for one of our people to look at named resources for some hours.

    Without `record_ids` all records of `resources` are in scope; without `only_fields` (by resource) all of their fields.
    While it waits, `ends_at` is when the ask expires; once approved, when the leave ends. Rows with a later
    `visible_from` are under a gag of law, and no route shows them before.
    """

    __tablename__ = "access_grants"
    __resource__ = "access-grants"
    __table_args__ = (
        one_of("kind", GrantKind),
        one_of("state", GrantState),
        one_of("reason", Reason),
        one_of("access", Access),
        Index(None, "created_at", "id"),
    )
    __purpose__ = Purpose.SECURITY
    __stays__ = BOUND_HERE

    kind: Mapped[str] = column(data=DataClass.TECHNICAL, default=GrantKind.SUPPORT.value)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default=GrantState.ASKED.value)
    staff_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    staff_name: Mapped[str | None] = column(data=DataClass.IDENTITY)
    staff_email: Mapped[str | None] = column(data=DataClass.CONTACT)
    reason: Mapped[str] = column(data=DataClass.BUSINESS)
    explanation: Mapped[str] = column(data=DataClass.BUSINESS)
    ticket: Mapped[str | None] = column(data=DataClass.BUSINESS)
    resources: Mapped[list[str]] = column(ARRAY(Text), data=DataClass.TECHNICAL)
    record_ids: Mapped[list[UUID] | None] = column(ARRAY(Uuid()), data=DataClass.TECHNICAL)
    only_fields: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    access: Mapped[str] = column(data=DataClass.TECHNICAL, default=Access.READ.value)
    masked: Mapped[bool] = column(data=DataClass.TECHNICAL, default=True)
    hours: Mapped[int] = column(Integer, data=DataClass.TECHNICAL)
    narrowed: Mapped[bool] = column(data=DataClass.TECHNICAL, default=False)
    ends_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    visible_from: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)

    steps: Mapped[list["AccessStep"]] = relationship(
        lazy="raise", viewonly=True, order_by="AccessStep.at, AccessStep.id"
    )


class AccessStep(Identified, Base):
    """One step of a grant: who took it, when and why. Nobody takes the same one twice."""

    __tablename__ = "access_steps"
    __resource__ = "access-grants"
    __table_args__ = (Index("access_steps_once_idx", "grant_id", "step", "by_id", unique=True),)
    __purpose__ = Purpose.SECURITY
    __rights__: ClassVar[str] = "select, insert"
    __stays__ = BOUND_HERE

    grant_id: Mapped[UUID] = column(ForeignKey(AccessGrant.id), data=DataClass.TECHNICAL)
    at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    step: Mapped[str] = column(data=DataClass.TECHNICAL)
    by_kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    by_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    by_name: Mapped[str] = column(data=DataClass.IDENTITY)
    why: Mapped[str | None] = column(data=DataClass.BUSINESS)


class AccessVisit(Identified, Base):
    """One time that somebody came in under a grant, by a token for this tenant alone; signed off with a receipt.

    `told_at` is when the daily mail to those who decide about access told of it.
    """

    __tablename__ = "access_visits"
    __resource__ = "access-visits"
    __table_args__ = (one_of("access", Access), Index(None, "created_at", "id"))
    __purpose__ = Purpose.SECURITY
    __stays__ = BOUND_HERE

    grant_id: Mapped[UUID] = column(ForeignKey(AccessGrant.id), data=DataClass.TECHNICAL, index=True)
    staff_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    staff_name: Mapped[str] = column(data=DataClass.IDENTITY)
    access: Mapped[str] = column(data=DataClass.TECHNICAL)
    intent: Mapped[str | None] = column(data=DataClass.BUSINESS)
    hash: Mapped[bytes] = column(LargeBinary, data=DataClass.CREDENTIAL, unique=True)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    opened_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    expires_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    ended_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    end_reason: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    receipt: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.BUSINESS)
    told_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    visible_from: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class AccessEntry(Identified, Base):
    """What one request of a visit was about to see or change; it is committed before anything is read."""

    __tablename__ = "access_log"
    __resource__ = "access-log"
    __table_args__ = (Index(None, "at", "id"),)
    __purpose__ = Purpose.SECURITY
    __rights__: ClassVar[str] = "select, insert"
    __stays__ = BOUND_HERE

    at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    visit_id: Mapped[UUID] = column(ForeignKey(AccessVisit.id), data=DataClass.TECHNICAL, index=True)
    grant_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    staff_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    staff_name: Mapped[str] = column(data=DataClass.IDENTITY)
    reason: Mapped[str] = column(data=DataClass.BUSINESS)
    ticket: Mapped[str | None] = column(data=DataClass.BUSINESS)
    route: Mapped[str] = column(data=DataClass.TECHNICAL)
    resource: Mapped[str] = column(data=DataClass.TECHNICAL)
    query: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.FREE_TEXT)
    shown_fields: Mapped[list[str]] = column(ARRAY(Text), data=DataClass.TECHNICAL)
    masked_fields: Mapped[list[str]] = column(ARRAY(Text), data=DataClass.TECHNICAL)
    record_ids: Mapped[list[UUID]] = column(ARRAY(Uuid()), data=DataClass.TECHNICAL)
    request_id: Mapped[str] = column(data=DataClass.TECHNICAL)
    address: Mapped[str | None] = column(data=DataClass.ONLINE)
    visible_from: Mapped[datetime] = column(data=DataClass.TECHNICAL)
