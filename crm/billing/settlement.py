"""What settles an invoice: credit notes and payments. Both are only added to; what was wrong is reversed.

The database refuses to alter or delete them: of the columns, only who looks after them may change.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, relationship

from crm.billing.constraints import PERCENT, QUANTITY, of_invoice, sum_holds
from crm.billing.models import Invoice, InvoiceLine
from crm.contacts.models import Company
from crm.records.money import AMOUNT
from crm.records.searching import words_index, words_of
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Base, DataClass, Identified, Owned, Purpose, Record, column, one_of
from tenants.identity.models import Team, User

ADDED_ONLY = "select, insert"
KEPT = "select, insert, update (owner_id, team_id, version, updated_at)"


class Method(StrEnum):
    """How money came."""

    BANK_TRANSFER = "bank_transfer"
    CARD = "card"
    CASH = "cash"
    CHEQUE = "cheque"
    DIRECT_DEBIT = "direct_debit"
    OTHER = "other"


class CreditNote(Record, Owned, Base):
    """Takes back an issued invoice, or some of it. It is issued the moment it is made."""

    __tablename__ = "credit_notes"
    __resource__ = "credit-notes"
    __table_args__ = (
        words_index("credit_notes"),
        Index(None, "created_at", "id"),
        Index(None, "invoice_id"),
        of_invoice(),
        UniqueConstraint("id", "currency"),
        sum_holds(),
    )
    __purpose__ = Purpose.INVOICING
    __audited__ = True
    __unruled__ = "A document of bookkeeping: the database lets nobody delete it."
    __rights__: ClassVar[str] = KEPT

    number: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    invoice_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    issued_on: Mapped[date] = column(data=DataClass.BUSINESS)
    reason: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    currency: Mapped[str] = column(data=DataClass.BUSINESS)
    billing_name: Mapped[str] = column(data=DataClass.IDENTITY)
    billing_street: Mapped[str | None] = column(data=DataClass.CONTACT)
    billing_postal_code: Mapped[str | None] = column(data=DataClass.CONTACT)
    billing_city: Mapped[str | None] = column(data=DataClass.CONTACT)
    billing_region: Mapped[str | None] = column(data=DataClass.CONTACT)
    billing_country: Mapped[str | None] = column(data=DataClass.BUSINESS)
    billing_vat_number: Mapped[str | None] = column(data=DataClass.BUSINESS)
    net_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS)
    tax_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS)
    gross_amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS)
    taxes: Mapped[list[dict[str, Any]]] = column(JSONB, data=DataClass.BUSINESS)
    company_id: Mapped[UUID | None] = column(ForeignKey(Company.id), data=DataClass.TECHNICAL, index=True)
    words = words_of("number", "billing_name", "reason")

    lines: Mapped[list["CreditNoteLine"]] = relationship(
        primaryjoin="CreditNote.id == foreign(CreditNoteLine.credit_note_id)",
        order_by="CreditNoteLine.position",
        viewonly=True,
        lazy="raise",
    )
    invoice: Mapped[Invoice] = relationship(
        primaryjoin="foreign(CreditNote.invoice_id) == Invoice.id", viewonly=True, lazy="raise"
    )
    company: Mapped[Company | None] = relationship(lazy="raise")
    owner: Mapped[User | None] = relationship(foreign_keys="CreditNote.owner_id", lazy="raise")
    team: Mapped[Team | None] = relationship(foreign_keys="CreditNote.team_id", lazy="raise")


class CreditNoteLine(Identified, Base):
    """How much of which line of the invoice is taken back."""

    __tablename__ = "credit_note_lines"
    __resource__ = "credit-notes"
    __table_args__ = (
        ForeignKeyConstraint(["credit_note_id", "currency"], ["credit_notes.id", "credit_notes.currency"]),
        UniqueConstraint("credit_note_id", "position"),
        CheckConstraint("quantity > 0 and net_amount >= 0", name="not_negative"),
    )
    __purpose__ = Purpose.INVOICING
    __rights__: ClassVar[str] = ADDED_ONLY

    credit_note_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    invoice_line_id: Mapped[UUID] = column(ForeignKey(InvoiceLine.id), data=DataClass.TECHNICAL, index=True)
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


class Payment(Record, Owned, Base):
    """Money that came for one invoice, in the invoice's currency."""

    __tablename__ = "payments"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "invoice_id"),
        Index(None, "paid_on", "id"),
        of_invoice(),
        CheckConstraint("amount > 0", name="amount_positive"),
        one_of("method", Method),
    )
    __purpose__ = Purpose.INVOICING
    __audited__ = True
    __unruled__ = "A document of bookkeeping: the database lets nobody delete it."
    __rights__: ClassVar[str] = KEPT

    invoice_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    amount: Mapped[Decimal] = column(AMOUNT, data=DataClass.BUSINESS)
    currency: Mapped[str] = column(data=DataClass.BUSINESS)
    paid_on: Mapped[date] = column(data=DataClass.BUSINESS)
    method: Mapped[str] = column(data=DataClass.BUSINESS, default=Method.BANK_TRANSFER.value)
    reference: Mapped[str | None] = column(data=DataClass.FREE_TEXT)

    invoice: Mapped[Invoice] = relationship(
        primaryjoin="foreign(Payment.invoice_id) == Invoice.id", viewonly=True, lazy="raise"
    )
    reversal: Mapped["Reversal | None"] = relationship(
        primaryjoin="Payment.id == foreign(Reversal.payment_id)", uselist=False, viewonly=True, lazy="raise"
    )
    owner: Mapped[User | None] = relationship(foreign_keys="Payment.owner_id", lazy="raise")
    team: Mapped[Team | None] = relationship(foreign_keys="Payment.team_id", lazy="raise")

    def reverse(self, earlier: "Reversal | None", reversed_on: date, reason: str | None) -> "Reversal":
        """Raises Conflict for a payment that was reversed before, or on a day before it was made."""
        if earlier is not None:
            raise Conflict(f"This payment was reversed on {earlier.reversed_on}.", code="reversed")
        if reversed_on < self.paid_on:
            raise Conflict(
                f"A payment of {self.paid_on} can't have been reversed on {reversed_on}.",
                code="reversed_too_early",
            )
        return Reversal(payment_id=self.id, reversed_on=reversed_on, reason=reason)


class Reversal(Record, Base):
    """That a payment did not last: paid back, bounced, or recorded by mistake."""

    __tablename__ = "payment_reversals"
    __resource__ = "payments"
    __purpose__ = Purpose.INVOICING
    __audited__ = True
    __unruled__ = "A document of bookkeeping: the database lets nobody delete it."
    __rights__: ClassVar[str] = ADDED_ONLY

    payment_id: Mapped[UUID] = column(ForeignKey(Payment.id), data=DataClass.TECHNICAL, unique=True)
    reversed_on: Mapped[date] = column(data=DataClass.BUSINESS)
    reason: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
