"""What keeps records and what lets them go: legal holds, retention rules, and the bin."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Uuid,
    and_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, NotAllowed
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, Record, Source, column, one_of

PLATFORMS = "Whoever runs this installation placed this legal hold, and only they release it: ask them."


class Action(StrEnum):
    """What a rule does with a record: keep it from being deleted until a day, or delete it from a day on."""

    RETAIN = "retain"
    DELETE = "delete"


class Trigger(StrEnum):
    """From when a period counts.

    `created` and `inactive` are the moments a record was made and last changed; `purpose_ended` and `contract_end`
    are days that the resource declares; `statute_end` is the end of the calendar year in which a document came to be,
    as for instance section 147 (4) of the German AO and section 257 (5) HGB count.
    """

    CREATED = "created"
    INACTIVE = "inactive"
    PURPOSE_ENDED = "purpose_ended"
    CONTRACT_END = "contract_end"
    STATUTE_END = "statute_end"


class LegalHold(Record, Base):
    """Records of one resource, or all of the tenant's, that must not go; until it is released or its end has come."""

    __tablename__ = "legal_holds"
    __resource__ = "legal-holds"
    __table_args__ = (
        CheckConstraint("(resource is null) = (record_ids is null)", name="named_whole"),
        CheckConstraint("(released_at is null) = (release_reason is null)", name="release_explained"),
        Index("legal_holds_record_ids_idx", "record_ids", postgresql_using="gin"),
    )
    __purpose__ = Purpose.SECURITY
    __audited__ = True
    __unruled__ = "What was held, and why it was let go, has to be shown later."

    matter: Mapped[str] = column(data=DataClass.FREE_TEXT)
    reason: Mapped[str] = column(data=DataClass.FREE_TEXT)
    resource: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    record_ids: Mapped[list[UUID] | None] = column(ARRAY(Uuid()), data=DataClass.TECHNICAL)
    ends_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    document_sha256: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    placed_by_id: Mapped[UUID | None] = column(ForeignKey("users.id"), data=DataClass.TECHNICAL)
    released_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    released_by_id: Mapped[UUID | None] = column(ForeignKey("users.id"), data=DataClass.TECHNICAL)
    release_reason: Mapped[str | None] = column(data=DataClass.FREE_TEXT)

    @property
    def in_force(self) -> bool:
        return self.released_at is None and (self.ends_at is None or self.ends_at > now())

    @property
    def placed_by_platform(self) -> bool:
        """Whether whoever runs the program placed it, and nobody of the tenant."""
        return self.source == Source.SYSTEM

    def release(self, reason: str, by: UUID | None) -> None:
        """End it, saying why; `by` is none where whoever runs the program does.

        Raises Conflict when it has ended already, NotAllowed when it is theirs alone to release.
        """
        if not self.in_force:
            raise Conflict("This legal hold has ended already.", code="hold_ended")
        if self.placed_by_platform and by is not None:
            raise NotAllowed(PLATFORMS, code="platforms_hold")
        self.released_at, self.released_by_id, self.release_reason = now(), by, reason


def lasting(columns: Any, at: Any) -> ColumnElement[bool]:
    """The where-clause of holds that have not ended at a moment, over the columns of their table."""
    return and_(columns.released_at.is_(None), or_(columns.ends_at.is_(None), columns.ends_at > at))


class RetentionRule(Record, Base):
    """How long records of one resource are kept, or from when on they go, and by which law or promise.

    It does nothing until it is enabled, and it can be enabled only as it was previewed.
    """

    __tablename__ = "retention_rules"
    __resource__ = "retention-rules"
    __table_args__ = (
        one_of("action", Action),
        one_of("trigger", Trigger),
        CheckConstraint("enabled_at is null or previewed_at is not null", name="previewed_first"),
    )
    __purpose__ = Purpose.SECURITY
    __audited__ = True
    __unruled__ = "Why something was deleted has to be shown later."

    name: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    resource: Mapped[str] = column(data=DataClass.TECHNICAL)
    purpose: Mapped[str] = column(data=DataClass.TECHNICAL)
    action: Mapped[str] = column(data=DataClass.TECHNICAL)
    trigger: Mapped[str] = column(data=DataClass.TECHNICAL)
    period: Mapped[str] = column(data=DataClass.BUSINESS)
    record_ids: Mapped[list[UUID] | None] = column(ARRAY(Uuid()), data=DataClass.TECHNICAL)
    legal_source: Mapped[str] = column(data=DataClass.BUSINESS)
    effective_from: Mapped[date] = column(data=DataClass.BUSINESS)
    previewed_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    previewed_count: Mapped[int | None] = column(Integer, data=DataClass.TECHNICAL)
    enabled_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    enabled_by_id: Mapped[UUID | None] = column(ForeignKey("users.id"), data=DataClass.TECHNICAL)

    @property
    def enabled(self) -> bool:
        return self.enabled_at is not None

    def note_preview(self, count: int) -> None:
        self.previewed_at, self.previewed_count = now(), count

    def enable(self, by: UUID | None) -> None:
        """Switch it on. Raises Conflict when it is on, or was not previewed as it is."""
        if self.enabled:
            raise Conflict("This rule is enabled.", code="rule_enabled")
        if self.previewed_at is None:
            raise Conflict(
                "See first what this rule would do: POST its preview. Whoever changes a rule previews it again.",
                code="not_previewed",
            )
        self.enabled_at, self.enabled_by_id = now(), by

    def disable(self) -> None:
        """Switch it off, and forget what was previewed: enabling it again takes a new look."""
        self.enabled_at = self.enabled_by_id = self.previewed_at = self.previewed_count = None

    def must_be_off(self) -> None:
        """Raises Conflict while it is on."""
        if self.enabled:
            raise Conflict("This rule is enabled. Switch it off first.", code="rule_enabled")


class BinEntry(Identified, Base):
    """A record that was deleted, whole and sealed, until it is restored or purged.

    `brief` has what people know it by, `moments` from when periods of retention rules count for it. Entries of one
    deletion share its id.
    """

    __tablename__ = "bin"
    __table_args__ = (
        Index("bin_created_at_idx", "created_at", "id"),
        Index("bin_purge_at_idx", "purge_at", "id"),
        Index("bin_record_id_idx", "record_id"),
        Index("bin_deletion_id_idx", "deletion_id"),
    )
    __purpose__ = Purpose.OPERATION

    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    purge_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    deletion_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    deleted_by_id: Mapped[UUID | None] = column(ForeignKey("users.id"), data=DataClass.TECHNICAL)
    resource: Mapped[str] = column(data=DataClass.TECHNICAL)
    record_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    owner_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    team_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    brief: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.IDENTITY)
    moments: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.TECHNICAL)
    content: Mapped[Any] = column(LargeBinary, data=DataClass.FREE_TEXT, sealed=True, nullable=False)
