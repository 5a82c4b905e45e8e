"""A tenant's exit: asked for, announced, cancellable until the end, and destroyed when its time has come."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.catalog.models import CatalogBase, Tenant
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import DataClass, Identified, Purpose, column
from tenants.lifecycle.closing.periods import periods


class Phase(StrEnum):
    """Where an exit stands. During notice and transition everything goes on; then the workspace is read and exported."""

    NOTICE = "notice"
    TRANSITION = "transition"
    RETRIEVAL = "retrieval"
    DUE = "due"
    CANCELLED = "cancelled"
    DESTROYED = "destroyed"


class Closing(Identified, CatalogBase):
    """One exit, with the periods that held when it was asked for.

    `untold` is true as long as its admins are still to hear that it was cancelled.
    """

    __tablename__ = "closings"
    __table_args__ = (
        Index(
            "closings_one_at_a_time_idx", "tenant_id", unique=True,
            postgresql_where=text("cancelled_at is null and destroyed_at is null"),
        ),
    )  # fmt: skip
    __purpose__ = Purpose.OPERATION

    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL, index=True)
    asked_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    mover: Mapped[str] = column(data=DataClass.TECHNICAL)
    actor_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    reason: Mapped[str] = column(data=DataClass.FREE_TEXT)
    notice_until: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    transition_until: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    retrieval_until: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    extended_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    final_notice_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    cancelled_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    destroyed_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    untold: Mapped[bool | None] = column(Boolean, data=DataClass.TECHNICAL)
    periods: Mapped[list[Any]] = column(JSONB, data=DataClass.TECHNICAL)

    @property
    def final_notice_due(self) -> datetime:
        """When the last notice goes out: early enough, so that destruction need not wait for it."""
        return self.retrieval_until - _final_notice()

    @property
    def destruction_due(self) -> datetime | None:
        """The earliest moment of destruction; None as long as the last notice was not sent."""
        if self.final_notice_at is None:
            return None
        return self.end_after_notice(self.final_notice_at)

    def end_after_notice(self, at: datetime) -> datetime:
        """The earliest moment of destruction when the last notice is given at this one."""
        return max(self.retrieval_until, at + _final_notice())

    def phase(self, at: datetime) -> Phase:
        """Where it stands at a moment."""
        if self.destroyed_at is not None:
            return Phase.DESTROYED
        if self.cancelled_at is not None:
            return Phase.CANCELLED
        if at < self.notice_until:
            return Phase.NOTICE
        if at < self.transition_until:
            return Phase.TRANSITION
        due = self.destruction_due
        return Phase.DUE if due is not None and at >= due else Phase.RETRIEVAL

    def next_date(self, at: datetime) -> datetime | None:
        """When the next thing happens; None for an exit that is over, or whose end only waits to be carried out."""
        dates = {
            Phase.NOTICE: self.notice_until,
            Phase.TRANSITION: self.transition_until,
            Phase.RETRIEVAL: self.destruction_due or self.final_notice_due,
        }
        return dates.get(self.phase(at))

    def begin_retrieval(self, at: datetime) -> None:
        """Nothing is changed any more. What begins late, after an archive for instance, lasts as long all the same."""
        self.retrieval_until += max(at - self.transition_until, timedelta())

    def extend(self, days: int, at: datetime) -> None:
        """Lengthen the transition, once; what follows moves along.

        Raises Conflict when it was extended before or is over, Invalid for too many days.
        """
        if self.extended_at is not None:
            raise Conflict("The transition was extended already.", code="closing_extended")
        if self.phase(at) not in (Phase.NOTICE, Phase.TRANSITION):
            raise Conflict("The transition is over.", code="closing_transition_over")
        periods()["extension"].must_hold(days)
        self.transition_until += timedelta(days=days)
        self.retrieval_until += timedelta(days=days)
        self.extended_at = at

    def cancel(self, at: datetime) -> None:
        """Go back on it, which its admins hear of. Raises Conflict when nothing is left to go back to."""
        if self.phase(at) in (Phase.DESTROYED, Phase.CANCELLED):
            raise Conflict("There is no exit to cancel any more.", code="closing_over")
        self.cancelled_at, self.untold = at, True


def _final_notice() -> timedelta:
    return timedelta(days=periods()["final_notice"].days)
