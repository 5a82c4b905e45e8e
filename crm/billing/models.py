"""Invoices and what settles them: drafts that can be changed, documents that cannot.

The database holds an issued document still without the help of this program: its issuance, a row that can
only be added, refers to the invoice together with its number, dates and totals: none of them can change.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, relationship

from crm.billing.constraints import PERCENT, QUANTITY, of_invoice, sum_holds
from crm.contacts.models import Company, Contact
from crm.records.money import AMOUNT
from crm.records.searching import words_index, words_of
from crm.sales.models import Deal
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Base, DataClass, Identified, Owned, Purpose, Record, column
from tenants.identity.models import Team, User

#: Unless the draft says another day: the period of Directive 2011/7/EU, article 3.
DAYS_TO_PAY = timedelta(days=30)

PRINTED = (
    "number",
    "issued_on",
    "due_on",
    "currency",
    "billing_name",
    "net_amount",
    "tax_amount",
    "gross_amount",
)
#: Who looks after an invoice is no part of the document, and may change after it went out.
OF_THE_HOUSE = frozenset({"owner_id", "team_id"})


class Status(StrEnum):
    """How an invoice stands; worked out from its amounts and dates, never stored."""

    DRAFT = "draft"
    ISSUED = "issued"
    PARTLY_PAID = "partly_paid"
    OVERDUE = "overdue"
    PAID = "paid"
    CREDITED = "credited"


class Invoice(Record, Owned, Base):
    """A draft, or the document that it became once it had a number."""

    __tablename__ = "invoices"
    __table_args__ = (
        words_index("invoices"),
        Index(None, "created_at", "id"),
        Index(None, "issued_on", "id"),
        Index("invoices_owed_idx", "due_on", postgresql_where=text("outstanding_amount > 0")),
        UniqueConstraint("id", "currency"),
        UniqueConstraint("id", *PRINTED, name="invoices_printed_key"),
        CheckConstraint("(number is null) = (issued_on is null)", name="issued_whole"),
        CheckConstraint(
            "number is null or (due_on is not null and billing_name is not null)", name="issued_complete"
        ),
        CheckConstraint("due_on >= issued_on", name="due_after_issue"),
        sum_holds(),
        CheckConstraint("credited_amount >= 0 and paid_amount >= 0", name="nothing_negative"),
        CheckConstraint("credited_amount + paid_amount <= gross_amount", name="never_overpaid"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_code"),
    )
    __purpose__ = Purpose.INVOICING
    __audited__ = True
    __attachments__ = True

    number: Mapped[str | None] = column(data=DataClass.BUSINESS, unique=True)
    issued_on: Mapped[date | None] = column(data=DataClass.BUSINESS)
    due_on: Mapped[date | None] = column(data=DataClass.BUSINESS)
    currency: Mapped[str] = column(data=DataClass.BUSINESS)
    reference: Mapped[str | None] = column(data=DataClass.BUSINESS)
    notes: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    billing_name: Mapped[str | None] = column(data=DataClass.IDENTITY)
    billing_street: Mapped[str | None] = column(data=DataClass.CONTACT)
    billing_postal_code: Mapped[str | None] = column(data=DataClass.CONTACT)
    billing_city: Mapped[str | None] = column(data=DataClass.CONTACT)
    billing_region: Mapped[str | None] = column(data=DataClass.CONTACT)
    billing_country: Mapped[str | None] = column(data=DataClass.BUSINESS)
    billing_vat_number: Mapped[str | None] = column(data=DataClass.BUSINESS)
    net_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS, default=Decimal("0.00"))
    tax_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS, default=Decimal("0.00"))
    gross_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS, default=Decimal("0.00"))
    taxes: Mapped[list[dict[str, Any]]] = column(JSONB, data=DataClass.BUSINESS, default=list)
    credited_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS, default=Decimal("0.00"))
    paid_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS, default=Decimal("0.00"))
    outstanding_amount: Mapped[Decimal] = column(
        AMOUNT,
        Computed(
            "case when number is null then 0 else gross_amount - credited_amount - paid_amount end",
            persisted=True,
        ),
        data=DataClass.BUSINESS,
    )
    company_id: Mapped[UUID | None] = column(ForeignKey(Company.id), data=DataClass.TECHNICAL, index=True)
    contact_id: Mapped[UUID | None] = column(ForeignKey(Contact.id), data=DataClass.TECHNICAL, index=True)
    deal_id: Mapped[UUID | None] = column(ForeignKey(Deal.id), data=DataClass.TECHNICAL, index=True)
    words = words_of("number", "billing_name", "reference")

    lines: Mapped[list["InvoiceLine"]] = relationship(
        primaryjoin="Invoice.id == foreign(InvoiceLine.invoice_id)",
        order_by="InvoiceLine.position",
        viewonly=True,
        lazy="raise",
    )
    issuance: Mapped["Issuance | None"] = relationship(
        primaryjoin="Invoice.id == foreign(Issuance.invoice_id)", uselist=False, viewonly=True, lazy="raise"
    )
    company: Mapped[Company | None] = relationship(lazy="raise")
    contact: Mapped[Contact | None] = relationship(lazy="raise")
    deal: Mapped[Deal | None] = relationship(lazy="raise")
    owner: Mapped[User | None] = relationship(foreign_keys="Invoice.owner_id", lazy="raise")
    team: Mapped[Team | None] = relationship(foreign_keys="Invoice.team_id", lazy="raise")

    def must_be_draft(self) -> None:
        if self.number is not None:
            raise Conflict(
                f"Invoice {self.number} has been issued and stays as it is. A credit note takes it back.",
                code="issued",
            )

    def must_be_issued(self) -> None:
        if self.number is None:
            raise Conflict("This invoice is a draft. Issue it first.", code="not_issued")

    def must_allow(self, fields: frozenset[str]) -> None:
        """Raises Conflict when these fields can't change any more."""
        if not fields <= OF_THE_HOUSE:
            self.must_be_draft()

    def issue(self, number: str, issued_on: date, due_on: date | None = None) -> "Issuance":
        """Make the draft a document. Raises Conflict when it was one, or lacks what a document needs."""
        self.must_be_draft()
        if self.billing_name is None:
            raise Conflict(
                "Nobody is billed. Name a company, a contact or a billing_name.", code="nobody_billed"
            )
        self.due_on = due_on or self.due_on or issued_on + DAYS_TO_PAY
        if self.due_on < issued_on:
            raise Conflict(
                f"The invoice would be due on {self.due_on}, before it is issued on {issued_on}.",
                code="due_too_early",
            )
        self.number, self.issued_on = number, issued_on
        return Issuance(invoice_id=self.id, **{name: getattr(self, name) for name in PRINTED})

    def take_payment(self, amount: Decimal, currency: str) -> None:
        """Raises Conflict for a draft, another currency, or more than is still owed."""
        self.must_be_issued()
        if currency != self.currency:
            raise Conflict(
                f"Invoice {self.number} is in {self.currency} and can't be paid in {currency}.",
                code="other_currency",
            )
        if amount > self.owed:
            raise Conflict(
                f"{self._in_words(amount)} is more than the {self._in_words(self.owed)} that is still owed.",
                code="overpaid",
            )
        self.paid_amount += amount

    def give_back(self, amount: Decimal) -> None:
        """A payment that was recorded did not last."""
        self.paid_amount -= amount

    def take_credit(self, gross: Decimal) -> None:
        """Raises Conflict for a draft, or for more than is neither paid nor credited yet."""
        self.must_be_issued()
        if gross > self.owed:
            raise Conflict(
                f"A credit of {self._in_words(gross)} is more than the {self._in_words(self.owed)} "
                "that is still owed. Reverse the payment that is paid back, then credit.",
                code="already_paid",
            )
        self.credited_amount += gross

    @property
    def owed(self) -> Decimal:
        return self.gross_amount - self.credited_amount - self.paid_amount

    def _in_words(self, amount: Decimal) -> str:
        return f"{amount} {self.currency}"


class InvoiceLine(Identified, Base):
    """One position of an invoice. Lines are replaced as a list while it is a draft, and never altered."""

    __tablename__ = "invoice_lines"
    __resource__ = "invoices"
    __table_args__ = (
        of_invoice(ondelete="CASCADE"),
        UniqueConstraint("invoice_id", "position"),
        CheckConstraint("quantity > 0 and unit_price >= 0", name="not_negative"),
        CheckConstraint("discount_percent between 0 and 100 and tax_rate between 0 and 100", name="percents"),
    )
    __purpose__ = Purpose.INVOICING
    __rights__: ClassVar[str] = "select, insert, delete"

    invoice_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    position: Mapped[int] = column(Integer, data=DataClass.BUSINESS)
    product_id: Mapped[UUID | None] = column(ForeignKey("products.id"), data=DataClass.TECHNICAL, index=True)
    description: Mapped[str] = column(data=DataClass.FREE_TEXT)
    quantity: Mapped[Decimal] = column(QUANTITY, data=DataClass.BUSINESS)
    unit_price: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS)
    currency: Mapped[str] = column(data=DataClass.BUSINESS)
    discount_percent: Mapped[Decimal] = column(PERCENT, data=DataClass.BUSINESS)
    tax_rate: Mapped[Decimal] = column(PERCENT, data=DataClass.BUSINESS)
    tax_label: Mapped[str] = column(data=DataClass.BUSINESS)
    net_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS)


class Issuance(Identified, Base):
    """That an invoice was issued, when and by whom, and what it said. It holds the invoice to that."""

    __tablename__ = "issuances"
    __resource__ = "invoices"
    __table_args__ = (
        ForeignKeyConstraint(
            ["invoice_id", *PRINTED],
            ["invoices.id", *(f"invoices.{name}" for name in PRINTED)],
            name="issuances_printed_fkey",
        ),
    )
    __purpose__ = Purpose.INVOICING
    __rights__: ClassVar[str] = "select, insert"

    invoice_id: Mapped[UUID] = column(data=DataClass.TECHNICAL, unique=True)
    issued_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    issued_by_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL)
    number: Mapped[str] = column(data=DataClass.BUSINESS)
    issued_on: Mapped[date] = column(data=DataClass.BUSINESS)
    due_on: Mapped[date] = column(data=DataClass.BUSINESS)
    currency: Mapped[str] = column(data=DataClass.BUSINESS)
    billing_name: Mapped[str] = column(data=DataClass.IDENTITY)
    net_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS)
    tax_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS)
    gross_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS)
