"""The people and companies that a tenant knows."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, relationship

from crm.records.money import AMOUNT
from crm.records.searching import words_index, words_of
from tenants.custom_fields.models import Customised, custom_in
from tenants.foundation.tables import Base, DataClass, Owned, Purpose, Record, column, one_of
from tenants.identity.models import Team, User


class Lifecycle(StrEnum):
    """How far somebody has come on the way to being a customer."""

    SUBSCRIBER = "subscriber"
    LEAD = "lead"
    QUALIFIED = "qualified"
    CUSTOMER = "customer"
    FORMER = "former"


class Company(Record, Owned, Customised, Base):
    """An organisation, perhaps part of another one."""

    __tablename__ = "companies"
    __table_args__ = (
        words_index("companies"),
        *custom_in("companies"),
        Index(None, "created_at", "id"),
        Index(None, "name"),
    )
    __purpose__ = Purpose.SALES
    __audited__ = True
    __attachments__ = True

    name: Mapped[str] = column(data=DataClass.BUSINESS)
    domain: Mapped[str | None] = column(data=DataClass.BUSINESS)
    sector: Mapped[str | None] = column(data=DataClass.BUSINESS)
    phone: Mapped[str | None] = column(data=DataClass.CONTACT)
    street: Mapped[str | None] = column(data=DataClass.CONTACT)
    city: Mapped[str | None] = column(data=DataClass.BUSINESS)
    region: Mapped[str | None] = column(data=DataClass.BUSINESS)
    postal_code: Mapped[str | None] = column(data=DataClass.BUSINESS)
    country: Mapped[str | None] = column(data=DataClass.BUSINESS)
    employees: Mapped[int | None] = column(Integer, data=DataClass.BUSINESS)
    founded: Mapped[int | None] = column(Integer, data=DataClass.BUSINESS)
    revenue: Mapped[Decimal | None] = column(AMOUNT, data=DataClass.BUSINESS)
    revenue_currency: Mapped[str | None] = column(data=DataClass.BUSINESS)
    vat_number: Mapped[str | None] = column(data=DataClass.BUSINESS)
    bank_account: Mapped[Any] = column(LargeBinary, data=DataClass.FINANCIAL, sealed=True, nullable=True)
    notes: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    parent_id: Mapped[UUID | None] = column(ForeignKey("companies.id"), data=DataClass.TECHNICAL, index=True)
    words = words_of("name", "domain", "city")

    parent: Mapped["Company | None"] = relationship(remote_side="Company.id", lazy="raise")
    owner: Mapped[User | None] = relationship(foreign_keys="Company.owner_id", lazy="raise")
    team: Mapped[Team | None] = relationship(foreign_keys="Company.team_id", lazy="raise")


class Contact(Record, Owned, Customised, Base):
    """A person, perhaps working for a company."""

    __tablename__ = "contacts"
    __table_args__ = (
        words_index("contacts"),
        *custom_in("contacts"),
        Index(None, "created_at", "id"),
        Index("contacts_email_lower_idx", text("lower(email)")),
        Index(None, "lifecycle", "created_at", "id"),
        one_of("lifecycle", Lifecycle),
    )
    __purpose__ = Purpose.SALES
    __audited__ = True
    __attachments__ = True

    first_name: Mapped[str | None] = column(data=DataClass.IDENTITY)
    last_name: Mapped[str] = column(data=DataClass.IDENTITY)
    email: Mapped[str | None] = column(data=DataClass.CONTACT)
    phone: Mapped[str | None] = column(data=DataClass.CONTACT)
    mobile: Mapped[str | None] = column(data=DataClass.CONTACT)
    job_title: Mapped[str | None] = column(data=DataClass.IDENTITY)
    department: Mapped[str | None] = column(data=DataClass.BUSINESS)
    lifecycle: Mapped[str] = column(data=DataClass.BUSINESS, default=Lifecycle.LEAD.value)
    street: Mapped[str | None] = column(data=DataClass.CONTACT)
    city: Mapped[str | None] = column(data=DataClass.CONTACT)
    region: Mapped[str | None] = column(data=DataClass.CONTACT)
    postal_code: Mapped[str | None] = column(data=DataClass.CONTACT)
    country: Mapped[str | None] = column(data=DataClass.BUSINESS)
    birthday: Mapped[date | None] = column(data=DataClass.IDENTITY)
    website: Mapped[str | None] = column(data=DataClass.CONTACT)
    do_not_contact: Mapped[bool] = column(data=DataClass.BUSINESS, default=False)
    tags: Mapped[list[str]] = column(ARRAY(Text), data=DataClass.BUSINESS, default=list)
    national_id: Mapped[Any] = column(LargeBinary, data=DataClass.OFFICIAL_NUMBER, sealed=True, nullable=True)
    notes: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    company_id: Mapped[UUID | None] = column(ForeignKey("companies.id"), data=DataClass.TECHNICAL, index=True)
    words = words_of("first_name", "last_name", "email")

    company: Mapped[Company | None] = relationship(lazy="raise")
    owner: Mapped[User | None] = relationship(foreign_keys="Contact.owner_id", lazy="raise")
    team: Mapped[Team | None] = relationship(foreign_keys="Contact.team_id", lazy="raise")
