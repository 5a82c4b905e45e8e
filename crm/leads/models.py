"""Somebody who may become a customer, and what became of them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, relationship

from crm.contacts.models import Company, Contact
from crm.records.searching import words_index, words_of
from crm.sales.models import Deal
from tenants.custom_fields.models import Customised, custom_in
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Base, DataClass, Owned, Purpose, Record, column, one_of
from tenants.identity.models import Team, User


class LeadState(StrEnum):
    """Whether a lead is still to be worked on, and how that ended."""

    OPEN = "open"
    DISQUALIFIED = "disqualified"
    CONVERTED = "converted"


class Lead(Record, Owned, Customised, Base):
    """Somebody whose interest is yet to be proved. It is converted once, and keeps links to what came."""

    __tablename__ = "leads"
    __table_args__ = (
        words_index("leads"),
        *custom_in("leads"),
        Index(None, "created_at", "id"),
        Index("leads_email_lower_idx", text("lower(email)")),
        Index(None, "state", "created_at", "id"),
        one_of("state", LeadState),
        CheckConstraint("(state = 'converted') = (converted_at is not null)", name="conversion_dated"),
        CheckConstraint(
            "(state = 'disqualified') = (disqualified_at is not null)", name="disqualification_dated"
        ),
        CheckConstraint("score between 0 and 100", name="score_percent"),
    )
    __purpose__ = Purpose.SALES
    __audited__ = True
    __attachments__ = True

    first_name: Mapped[str | None] = column(data=DataClass.IDENTITY)
    last_name: Mapped[str] = column(data=DataClass.IDENTITY)
    company_name: Mapped[str | None] = column(data=DataClass.BUSINESS)
    job_title: Mapped[str | None] = column(data=DataClass.IDENTITY)
    email: Mapped[str | None] = column(data=DataClass.CONTACT)
    phone: Mapped[str | None] = column(data=DataClass.CONTACT)
    website: Mapped[str | None] = column(data=DataClass.CONTACT)
    country: Mapped[str | None] = column(data=DataClass.BUSINESS)
    origin: Mapped[str | None] = column(data=DataClass.BUSINESS)
    score: Mapped[int | None] = column(Integer, data=DataClass.BUSINESS)
    notes: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    state: Mapped[str] = column(data=DataClass.BUSINESS, default=LeadState.OPEN.value, server_default="open")
    disqualified_reason: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    disqualified_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    disqualified_by_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL)
    converted_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    converted_by_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL)
    contact_id: Mapped[UUID | None] = column(ForeignKey(Contact.id), data=DataClass.TECHNICAL, index=True)
    company_id: Mapped[UUID | None] = column(ForeignKey(Company.id), data=DataClass.TECHNICAL, index=True)
    deal_id: Mapped[UUID | None] = column(ForeignKey(Deal.id), data=DataClass.TECHNICAL, index=True)
    words = words_of("first_name", "last_name", "company_name", "email")

    contact: Mapped[Contact | None] = relationship(lazy="raise")
    company: Mapped[Company | None] = relationship(lazy="raise")
    deal: Mapped[Deal | None] = relationship(lazy="raise")
    owner: Mapped[User | None] = relationship(foreign_keys="Lead.owner_id", lazy="raise")
    team: Mapped[Team | None] = relationship(foreign_keys="Lead.team_id", lazy="raise")
    disqualified_by: Mapped[User | None] = relationship(foreign_keys="Lead.disqualified_by_id", lazy="raise")
    converted_by: Mapped[User | None] = relationship(foreign_keys="Lead.converted_by_id", lazy="raise")

    @property
    def is_converted(self) -> bool:
        return self.state == LeadState.CONVERTED

    def convert(self, contact: Contact, company_id: UUID | None, deal: Deal | None, by: UUID | None) -> None:
        """Keep what came of it. Raises Conflict unless it is open."""
        self.must_be_open()
        self.state, self.converted_at, self.converted_by_id = LeadState.CONVERTED.value, now(), by
        self.contact_id, self.company_id, self.deal_id = contact.id, company_id, deal.id if deal else None

    def disqualify(self, reason: str, by: UUID | None) -> None:
        """Give it up, saying why. Raises Conflict unless it is open."""
        self.must_be_open()
        self.state, self.disqualified_reason = LeadState.DISQUALIFIED.value, reason
        self.disqualified_at, self.disqualified_by_id = now(), by

    def reopen(self) -> None:
        """Work on it again. Raises Conflict unless it was disqualified."""
        if self.state != LeadState.DISQUALIFIED:
            raise Conflict("This lead is not disqualified.", code=f"lead_{self.state}")
        self.state = LeadState.OPEN.value
        self.disqualified_reason = self.disqualified_at = self.disqualified_by_id = None

    def must_be_open(self) -> None:
        if self.state == LeadState.CONVERTED:
            raise Conflict("This lead was converted: go on with its contact.", code="lead_converted")
        if self.state == LeadState.DISQUALIFIED:
            raise Conflict("This lead was disqualified. Reopen it first.", code="lead_disqualified")

    def must_not_be_converted(self) -> None:
        """What was converted is kept as it was. Raises Conflict."""
        if self.is_converted:
            self.must_be_open()
