"""A tenant that goes from one cell to another, and what is left behind for two weeks, or until somebody confirms."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.catalog.models import CatalogBase, Tenant
from tenants.foundation.clock import now
from tenants.foundation.tables import DataClass, Purpose, column, one_of
from tenants.lifecycle.models import Stepwise


class Step(StrEnum):
    """What comes next. Each step can be killed at any instruction and is taken up by doing it again.

    The tenant lives in the old cell up to `switching`, in the new one from there on. At `kept` it rests, with a copy
    left behind that shortens the way back; at the other ends nothing is left behind.
    """

    COPYING = "copying"
    FREEZING = "freezing"
    LEVELLING = "levelling"
    CHECKING = "checking"
    ARRIVING = "arriving"
    SWITCHING = "switching"
    LEAVING = "leaving"
    OPENING = "opening"
    SETTLING = "settling"
    CONFIRMING = "confirming"
    KEPT = "kept"
    DROPPING = "dropping"
    CONFIRMED = "confirmed"
    GIVING_UP = "giving_up"
    DISCARDING = "discarding"
    GIVEN_UP = "given_up"
    RETURNED = "returned"

    @property
    def rests(self) -> bool:
        return self is Step.KEPT or self in ENDS


#: How long what was left behind stays when nobody confirms. What people delete meanwhile is still in it, and whoever asks
#: to be forgotten is to be within a month (GDPR, Article 12(3)); half of that is left for the asking.
WAY_BACK = timedelta(days=14)
#: Where a move is over.
ENDS = (Step.CONFIRMED, Step.GIVEN_UP, Step.RETURNED)
#: Up to here it can be given up: the tenant has not left.
BEFORE_THE_SWITCH = (
    Step.COPYING,
    Step.FREEZING,
    Step.LEVELLING,
    Step.CHECKING,
    Step.ARRIVING,
    Step.SWITCHING,
)


class Move(Stepwise, CatalogBase):
    """One time that a tenant goes from a cell to another. Nothing is written there from `paused_at` to `resumed_at`.

    `content` has of each table how many rows it has and their hash, which were the same on both sides. `watermark` is the
    moment at which all of both was known to be the same (`watermarks.py`), for as long as that is built upon. `untold` is
    true as long as its admins are still to hear how far it is.
    """

    __tablename__ = "moves"
    __table_args__ = (
        one_of("step", Step),
        Index(
            "moves_one_at_a_time_idx",
            "tenant_id",
            unique=True,
            postgresql_where=text("step not in ('confirmed', 'given_up', 'returned')"),
        ),
        Index("moves_untold_idx", "id", postgresql_where=text("untold")),
    )
    __purpose__ = Purpose.OPERATION

    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL, index=True)
    step: Mapped[str] = column(data=DataClass.TECHNICAL, default=Step.COPYING)
    from_cell: Mapped[str] = column(data=DataClass.TECHNICAL)
    to_cell: Mapped[str] = column(data=DataClass.TECHNICAL)
    reason: Mapped[str] = column(data=DataClass.FREE_TEXT)
    asked_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    state_before: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    paused_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    switched_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    resumed_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    ended_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    content: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    untold: Mapped[bool | None] = column(Boolean, data=DataClass.TECHNICAL)
    watermark: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)

    @property
    def rows(self) -> int | None:
        """How many rows went along."""
        return None if self.content is None else sum(rows for rows, _ in self.content.values())

    @property
    def way_back_until(self) -> datetime | None:
        """When what was left behind is dropped, if nobody says so sooner; None when nothing is."""
        if self.step != Step.KEPT or self.resumed_at is None:
            return None
        return self.resumed_at + WAY_BACK

    @property
    def pause_seconds(self) -> float | None:
        """For how long nothing could be written."""
        if self.paused_at is None or self.resumed_at is None:
            return None
        return round((self.resumed_at - self.paused_at).total_seconds(), 3)
