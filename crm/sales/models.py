"""Deals on the stages of a pipeline, and how they end."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, relationship

from crm.contacts.models import Company, Contact
from crm.products.models import Product
from crm.records.money import AMOUNT
from crm.records.searching import words_index, words_of
from tenants.custom_fields.models import Customised, custom_in
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.tables import Base, DataClass, Identified, Owned, Purpose, Record, column, one_of
from tenants.identity.models import Team, User


class Outcome(StrEnum):
    """How a deal ended."""

    WON = "won"
    LOST = "lost"


class Pipeline(Record, Base):
    """A way that deals go. One of them is where a new deal begins unless it names another."""

    __tablename__ = "pipelines"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index("pipelines_default_idx", "is_default", unique=True, postgresql_where=text("is_default")),
    )
    __purpose__ = Purpose.SALES
    __audited__ = True

    name: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    is_default: Mapped[bool] = column(data=DataClass.BUSINESS, default=False, server_default="false")

    stages: Mapped[list["Stage"]] = relationship(
        order_by="(Stage.position, Stage.id)", lazy="raise", viewonly=True
    )


class Stage(Record, Base):
    """A step of a pipeline; `probability` is how many of a hundred deals there are won in the end."""

    __tablename__ = "stages"
    __table_args__ = (
        UniqueConstraint("pipeline_id", "name"),
        UniqueConstraint("pipeline_id", "id"),
        Index(None, "pipeline_id", "position"),
        Index(None, "created_at", "id"),
        CheckConstraint("probability between 0 and 100", name="probability_percent"),
    )
    __purpose__ = Purpose.SALES
    __audited__ = True

    pipeline_id: Mapped[UUID] = column(ForeignKey(Pipeline.id), data=DataClass.TECHNICAL)
    name: Mapped[str] = column(data=DataClass.BUSINESS)
    position: Mapped[int] = column(Integer, data=DataClass.BUSINESS)
    probability: Mapped[int] = column(Integer, data=DataClass.BUSINESS, default=0, server_default="0")

    pipeline: Mapped[Pipeline] = relationship(lazy="raise")


class Deal(Record, Owned, Customised, Base):
    """A chance of business. An open deal stands on a stage; a closed one has an outcome and the day of it."""

    __tablename__ = "deals"
    __table_args__ = (
        words_index("deals"),
        *custom_in("deals"),
        ForeignKeyConstraint(["pipeline_id", "stage_id"], ["stages.pipeline_id", "stages.id"]),
        Index(None, "created_at", "id"),
        Index(None, "closed_on", "id"),
        Index(None, "expected_close_on", "id"),
        one_of("outcome", Outcome),
        CheckConstraint("(amount is null) = (currency is null)", name="amount_whole"),
        CheckConstraint("(outcome is null) = (closed_on is null)", name="outcome_dated"),
        CheckConstraint("outcome is not null or stage_id is not null", name="open_staged"),
    )
    __purpose__ = Purpose.SALES
    __audited__ = True
    __attachments__ = True

    name: Mapped[str] = column(data=DataClass.BUSINESS)
    reference: Mapped[str | None] = column(data=DataClass.BUSINESS, unique=True)
    company_id: Mapped[UUID | None] = column(ForeignKey(Company.id), data=DataClass.TECHNICAL, index=True)
    contact_id: Mapped[UUID | None] = column(ForeignKey(Contact.id), data=DataClass.TECHNICAL, index=True)
    product_id: Mapped[UUID | None] = column(ForeignKey(Product.id), data=DataClass.TECHNICAL, index=True)
    pipeline_id: Mapped[UUID] = column(ForeignKey(Pipeline.id), data=DataClass.TECHNICAL, index=True)
    stage_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL, index=True)
    amount: Mapped[Decimal | None] = column(AMOUNT, data=DataClass.BUSINESS)
    currency: Mapped[str | None] = column(data=DataClass.BUSINESS)
    expected_close_on: Mapped[date | None] = column(data=DataClass.BUSINESS)
    opened_on: Mapped[date | None] = column(data=DataClass.BUSINESS)
    outcome: Mapped[str | None] = column(data=DataClass.BUSINESS)
    outcome_reason: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    closed_on: Mapped[date | None] = column(data=DataClass.BUSINESS)
    closed_by_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL)
    notes: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    words = words_of("name", "reference")

    company: Mapped[Company | None] = relationship(lazy="raise")
    contact: Mapped[Contact | None] = relationship(lazy="raise")
    product: Mapped[Product | None] = relationship(lazy="raise")
    pipeline: Mapped[Pipeline] = relationship(foreign_keys="Deal.pipeline_id", lazy="raise", viewonly=True)
    stage: Mapped[Stage | None] = relationship(
        primaryjoin="Deal.stage_id == Stage.id", foreign_keys="Deal.stage_id", lazy="raise", viewonly=True
    )
    owner: Mapped[User | None] = relationship(foreign_keys="Deal.owner_id", lazy="raise")
    team: Mapped[Team | None] = relationship(foreign_keys="Deal.team_id", lazy="raise")
    closed_by: Mapped[User | None] = relationship(foreign_keys="Deal.closed_by_id", lazy="raise")

    def close(self, result: Outcome, reason: str | None, on: date, by: UUID | None) -> "DealChange":
        """End it. Raises Conflict when it has ended, Invalid when that day is before it was opened."""
        if self.outcome is not None:
            raise Conflict(f"This deal was {self.outcome} already. Reopen it first.", code="deal_closed")
        if self.opened_on is not None and on < self.opened_on:
            raise Invalid(errors={"closed_on": ["A deal can't close before it was opened."]})
        self.outcome, self.outcome_reason, self.closed_on, self.closed_by_id = result.value, reason, on, by
        return DealChange(deal_id=self.id, outcome=result.value, reason=reason, closed_on=on, by_id=by)

    def reopen(self, by: UUID | None) -> "DealChange":
        """Take its outcome back. Raises Conflict when it is open."""
        if self.outcome is None:
            raise Conflict("This deal is open.", code="deal_open")
        self.outcome = self.outcome_reason = self.closed_on = self.closed_by_id = None
        return DealChange(deal_id=self.id, by_id=by)

    def move_to(self, stage: Stage, by: UUID | None, before: Stage | None = None) -> "StageChange | None":
        """Put it on a stage of any pipeline; None when it stands there. Raises Conflict when it is closed."""
        self.must_be_open()
        if self.stage_id == stage.id:
            return None
        self.pipeline_id, self.stage_id = stage.pipeline_id, stage.id
        return StageChange.between(self, before, stage, by)

    def check(self, fields: Mapping[str, Any]) -> None:
        """Raises Conflict for the amount of a closed deal, Invalid when it would open after it closed."""
        money = (fields.get("amount", self.amount), fields.get("currency", self.currency))
        if money != (self.amount, self.currency):
            self.must_be_open()
        opened = fields.get("opened_on", self.opened_on)
        if opened is not None and self.closed_on is not None and self.closed_on < opened:
            raise Invalid(errors={"opened_on": ["A deal can't be opened after it closed."]})

    def must_be_open(self) -> None:
        if self.outcome is not None:
            raise Conflict(
                f"This deal was {self.outcome}. Reopen it to change its stage or amount.", code="deal_closed"
            )


class DealChange(Identified, Base):
    """A deal was closed, or reopened when it has no outcome: who did it, when and why."""

    __tablename__ = "deal_changes"
    __resource__ = "deals"
    __table_args__ = (Index(None, "deal_id", "at"), one_of("outcome", Outcome))
    __purpose__ = Purpose.SALES

    deal_id: Mapped[UUID] = column(ForeignKey(Deal.id, ondelete="CASCADE"), data=DataClass.TECHNICAL)
    at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    by_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL)
    outcome: Mapped[str | None] = column(data=DataClass.BUSINESS)
    reason: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    closed_on: Mapped[date | None] = column(data=DataClass.BUSINESS)

    by: Mapped[User | None] = relationship(lazy="raise")


class StageChange(Identified, Base):
    """A deal came from one stage to another. It keeps their names: stages may be renamed or deleted."""

    __tablename__ = "deal_stage_changes"
    __resource__ = "deals"
    __table_args__ = (Index(None, "deal_id", "at"),)
    __purpose__ = Purpose.SALES

    deal_id: Mapped[UUID] = column(ForeignKey(Deal.id, ondelete="CASCADE"), data=DataClass.TECHNICAL)
    at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    by_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL)
    from_stage_id: Mapped[UUID | None] = column(
        ForeignKey(Stage.id, ondelete="SET NULL"), data=DataClass.TECHNICAL, index=True
    )
    from_stage: Mapped[str | None] = column(data=DataClass.BUSINESS)
    to_stage_id: Mapped[UUID | None] = column(
        ForeignKey(Stage.id, ondelete="SET NULL"), data=DataClass.TECHNICAL, index=True
    )
    to_stage: Mapped[str] = column(data=DataClass.BUSINESS)

    by: Mapped[User | None] = relationship(lazy="raise")

    @classmethod
    def between(cls, deal: Deal, before: Stage | None, after: Stage, by: UUID | None) -> "StageChange":
        left = {"from_stage_id": before.id, "from_stage": before.name} if before else {}
        return cls(deal_id=deal.id, to_stage_id=after.id, to_stage=after.name, by_id=by, **left)
