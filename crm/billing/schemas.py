"""How invoices, credit notes and payments look in JSON, and what may be said of them."""

from decimal import Decimal
from typing import Any

import marshmallow
from marshmallow import fields, validate
from sqlalchemy import ColumnElement, Text, case, func, literal_column

from crm.billing.fields import Price, Receipt, TaxParts, WholeNested, day, percent, quantity
from crm.billing.models import Invoice, Status
from crm.billing.numbering import PREFIX, NumberSeries
from crm.billing.settlement import CreditNote, Method, Payment
from crm.contacts.schemas import CompanyBrief, ContactBrief
from crm.records.fields import COUNTRY, OwnedBody, OwnedRecordSchema, free_text, no_nul, text
from crm.records.money_fields import CURRENCY, Money
from crm.sales.schemas import DealBrief
from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import Pattern

MOST_LINES = 500
LINES = validate.Length(max=MOST_LINES)


class InvoiceBrief(marshmallow.Schema):
    """An invoice, as credit notes and payments show it."""

    id = fields.UUID()
    number = fields.String(allow_none=True)
    gross = Money("gross_amount")
    outstanding = Money("outstanding_amount")


class LineBody(BodySchema):
    """A line: what a product tells (its name, its price in the invoice's currency) need not be said."""

    product_id = fields.UUID(allow_none=True)
    description = text(2000)
    quantity = quantity(load_default=Decimal(1))
    unit_price = Price("unit_price")
    discount_percent = percent(load_default=Decimal(0))
    tax_rate = percent(required=True)
    tax_label = fields.String(load_default="", validate=[validate.Length(max=100), no_nul])


class InvoiceBody(OwnedBody):
    """What may be said of a draft; its lines all at once.

    Whom it bills is copied from the company, or else from the contact, when it is issued, unless it has a
    billing name by then.
    """

    company_id = fields.UUID(allow_none=True)
    contact_id = fields.UUID(allow_none=True)
    deal_id = fields.UUID(allow_none=True)
    currency = fields.String(validate=CURRENCY)
    due_on = day(allow_none=True)
    reference = text(100)
    notes = free_text()
    billing_name = text()
    billing_street = text()
    billing_postal_code = text(20)
    billing_city = text(100)
    billing_region = text(100)
    billing_country = fields.String(allow_none=True, validate=COUNTRY)
    billing_vat_number = text(30)
    lines = fields.List(WholeNested(LineBody), validate=LINES)


class IssuanceBody(BodySchema):
    """The day on the invoice, today unless said; the day it is due, 30 days later unless said or drafted."""

    issued_on = day()
    due_on = day()


class LineSchema(marshmallow.Schema):
    """A line of a document."""

    id = fields.UUID()
    position = fields.Integer()
    product_id = fields.UUID(allow_none=True)
    description = fields.String()
    quantity = quantity()
    unit_price = Money("unit_price")
    discount_percent = percent()
    tax_rate = percent()
    tax_label = fields.String()
    net = Money("net_amount")


class CreditNoteLineSchema(LineSchema):
    """A line of a credit note, and which line of the invoice it takes back."""

    invoice_line_id = fields.UUID()


class IssuanceSchema(marshmallow.Schema):
    """That an invoice was issued, when and by whom."""

    issued_at = Timestamp()
    issued_by_id = fields.UUID(allow_none=True)


class DocumentSchema(OwnedRecordSchema):
    """What invoices and credit notes have in common."""

    number = fields.String(allow_none=True)
    issued_on = fields.Date(allow_none=True)
    currency = fields.String()
    billing_name = fields.String(allow_none=True)
    billing_street = fields.String(allow_none=True)
    billing_postal_code = fields.String(allow_none=True)
    billing_city = fields.String(allow_none=True)
    billing_region = fields.String(allow_none=True)
    billing_country = fields.String(allow_none=True)
    billing_vat_number = fields.String(allow_none=True)
    net = Money("net_amount")
    tax = Money("tax_amount")
    gross = Money("gross_amount")
    taxes = TaxParts()
    company_id = fields.UUID(allow_none=True)
    company = fields.Nested(CompanyBrief, allow_none=True)


class InvoiceSchema(DocumentSchema):
    """An invoice, its lines when they are asked for."""

    status = fields.Enum(Status, by_value=True)
    due_on = fields.Date(allow_none=True)
    reference = fields.String(allow_none=True)
    notes = fields.String(allow_none=True)
    credited = Money("credited_amount")
    paid = Money("paid_amount")
    outstanding = Money("outstanding_amount")
    contact_id = fields.UUID(allow_none=True)
    contact = fields.Nested(ContactBrief, allow_none=True)
    deal_id = fields.UUID(allow_none=True)
    deal = fields.Nested(DealBrief, allow_none=True)
    issuance = fields.Nested(IssuanceSchema, allow_none=True)
    lines = fields.List(fields.Nested(LineSchema))


class WholeInvoiceSchema(InvoiceSchema):
    """An invoice with its lines."""

    lines = fields.List(fields.Nested(LineSchema), metadata={"always": True})


class ChosenLineBody(BodySchema):
    """A line of the invoice, and how much of it: all that is left unless said."""

    invoice_line_id = fields.UUID(required=True)
    quantity = quantity(allow_none=True)


class CreditNoteBody(BodySchema):
    """Which invoice to take back, and which of its lines: all that is left unless said."""

    invoice_id = fields.UUID(required=True)
    issued_on = day()
    reason = text(2000)
    lines = fields.List(fields.Nested(ChosenLineBody), validate=validate.Length(1, MOST_LINES))


class CreditNoteSchema(DocumentSchema):
    """A credit note, its lines when they are asked for."""

    invoice_id = fields.UUID()
    reason = fields.String(allow_none=True)
    invoice = fields.Nested(InvoiceBrief, allow_none=True)
    lines = fields.List(fields.Nested(CreditNoteLineSchema))


class WholeCreditNoteSchema(CreditNoteSchema):
    """A credit note with its lines."""

    lines = fields.List(fields.Nested(CreditNoteLineSchema), metadata={"always": True})


class PaymentBody(BodySchema):
    """Money that came for an invoice; today, unless said."""

    invoice_id = fields.UUID(required=True)
    amount = Receipt("amount", required=True)
    paid_on = day()
    method = fields.Enum(Method, by_value=True, load_default=Method.BANK_TRANSFER)
    reference = text(200)


class ReversalBody(BodySchema):
    """On which day the payment was undone, today unless said, and why."""

    reversed_on = day(metadata={"sets": "reversal"})
    reason = text(2000, metadata={"sets": "reversal"})


class ReversalSchema(marshmallow.Schema):
    """That a payment did not last."""

    reversed_on = fields.Date()
    reason = fields.String(allow_none=True)


class PaymentSchema(OwnedRecordSchema):
    """A payment. What was reversed shows when and why, and pays nothing."""

    invoice_id = fields.UUID()
    invoice = fields.Nested(InvoiceBrief, allow_none=True)
    amount = Money("amount")
    paid_on = fields.Date()
    method = fields.Enum(Method, by_value=True)
    reference = fields.String(allow_none=True)
    reversal = fields.Nested(ReversalSchema, allow_none=True, metadata={"always": True})


class NumberSeriesBody(BodySchema):
    """What the next numbers begin with; it never ends in a digit."""

    prefix = fields.String(
        validate=Pattern(PREFIX, error="At most 20 letters, digits, - and /, the last of them no digit.")
    )


class NumberSeriesSchema(RecordSchema):
    """How documents of one kind are numbered, and the last number that was given."""

    name = fields.String()
    prefix = fields.String()
    last = fields.Integer()


def status_of(table: Any) -> ColumnElement[str]:
    """How an invoice stands today, from its amounts and dates."""
    columns = table.c
    settled = columns.outstanding_amount == literal_column("0")
    credited = (columns.credited_amount == columns.gross_amount) & (
        columns.gross_amount > literal_column("0")
    )
    cases = (
        (columns.number.is_(None), Status.DRAFT),
        (credited, Status.CREDITED),
        (settled, Status.PAID),
        (columns.due_on < func.current_date(), Status.OVERDUE),
        (columns.paid_amount > literal_column("0"), Status.PARTLY_PAID),
    )
    return case(*((met, _word(status)) for met, status in cases), else_=_word(Status.ISSUED))


def _word(status: Status) -> ColumnElement[str]:
    return literal_column(f"'{status.value}'", Text())


INVOICES = Resource("invoices", Invoice, InvoiceSchema(), search="words", expressions={"status": status_of})
INVOICE = Resource("invoices", Invoice, WholeInvoiceSchema(), expressions={"status": status_of})
CREDIT_NOTES = Resource("credit-notes", CreditNote, CreditNoteSchema(), search="words")
CREDIT_NOTE = Resource("credit-notes", CreditNote, WholeCreditNoteSchema())
PAYMENTS = Resource("payments", Payment, PaymentSchema())
NUMBER_SERIES = Resource("number-series", NumberSeries, NumberSeriesSchema(), sort="name")
