"""Invoices, credit notes, payments and the numbering of documents over HTTP."""

from typing import Any
from uuid import UUID

from crm.billing.crediting import credit
from crm.billing.drafting import discard, draft, revise
from crm.billing.issuing import issue
from crm.billing.models import Invoice
from crm.billing.numbering import NumberSeries, choose_prefix
from crm.billing.paying import pay, take_back
from crm.billing.permissions import (
    CREATE_CREDIT_NOTES,
    CREATE_INVOICES,
    CREATE_PAYMENTS,
    DELETE_INVOICES,
    EDIT_INVOICES,
    EDIT_NUMBER_SERIES,
    ISSUE_INVOICES,
    READ_CREDIT_NOTES,
    READ_INVOICES,
    READ_NUMBER_SERIES,
    READ_PAYMENTS,
    REVERSE_PAYMENTS,
)
from crm.billing.queries import invoice_named
from crm.billing.schemas import (
    CREDIT_NOTE,
    CREDIT_NOTES,
    INVOICE,
    INVOICES,
    NUMBER_SERIES,
    PAYMENTS,
    CreditNoteBody,
    InvoiceBody,
    IssuanceBody,
    NumberSeriesBody,
    PaymentBody,
    ReversalBody,
)
from crm.billing.settlement import CreditNote, Payment
from tenants.access.policy import change, find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection

invoices = Blueprint("invoices", __name__, url_prefix="/invoices", purpose=Purpose.INVOICING)
credit_notes = Blueprint("credit-notes", __name__, url_prefix="/credit-notes", purpose=Purpose.INVOICING)
payments = Blueprint("payments", __name__, url_prefix="/payments", purpose=Purpose.INVOICING)
number_series = Blueprint("number-series", __name__, url_prefix="/number-series", purpose=Purpose.INVOICING)


@invoices.page("", INVOICES, may=READ_INVOICES)
def list_invoices() -> Selection:
    """Invoices within reach."""
    return Selection(INVOICES)


@invoices.one("/<uuid:invoice_id>", INVOICE, may=READ_INVOICES)
def get_invoice(invoice_id: UUID) -> Selection:
    """One invoice with its lines."""
    return Selection(INVOICE, {"id": invoice_id}, single=True)


@invoices.post("", may=CREATE_INVOICES)
@invoices.takes(InvoiceBody())
@invoices.answers(201, INVOICE)
def create_invoice(fields: dict[str, Any]) -> Invoice:
    """Draft an invoice."""
    return draft(fields)


@invoices.patch("/<uuid:invoice_id>", may=EDIT_INVOICES)
@invoices.takes(InvoiceBody(partial=True))
@invoices.answers(200, INVOICE)
def change_invoice(fields: dict[str, Any], invoice_id: UUID) -> Invoice:
    """Change a draft (JSON merge patch, RFC 7396); of an issued invoice, only who looks after it."""
    return revise(find(Invoice, invoice_id, lock=True), fields)


@invoices.delete("/<uuid:invoice_id>", may=DELETE_INVOICES)
@invoices.response(204)
def delete_invoice(invoice_id: UUID) -> None:
    """Throw a draft away."""
    discard(find(Invoice, invoice_id, lock=True))


@invoices.put("/<uuid:invoice_id>/issuance", may=ISSUE_INVOICES)
@invoices.takes(IssuanceBody(), required=False)
@invoices.answers(200, INVOICE)
def issue_invoice(dates: dict[str, Any], invoice_id: UUID) -> Invoice:
    """Issue a draft: it gets the next number and can't be changed any more."""
    return issue(find(Invoice, invoice_id, lock=True), **dates)


@credit_notes.page("", CREDIT_NOTES, may=READ_CREDIT_NOTES)
def list_credit_notes() -> Selection:
    """Credit notes within reach."""
    return Selection(CREDIT_NOTES)


@credit_notes.one("/<uuid:credit_note_id>", CREDIT_NOTE, may=READ_CREDIT_NOTES)
def get_credit_note(credit_note_id: UUID) -> Selection:
    """One credit note with its lines."""
    return Selection(CREDIT_NOTE, {"id": credit_note_id}, single=True)


@credit_notes.post("", may=CREATE_CREDIT_NOTES)
@credit_notes.takes(CreditNoteBody())
@credit_notes.answers(201, CREDIT_NOTE)
def create_credit_note(said: dict[str, Any]) -> CreditNote:
    """Issue a credit note for an issued invoice, or for some of it."""
    return credit(
        invoice_named(said["invoice_id"]), said.get("lines"), said.get("issued_on"), said.get("reason")
    )


@payments.page("", PAYMENTS, may=READ_PAYMENTS)
def list_payments() -> Selection:
    """Payments within reach."""
    return Selection(PAYMENTS)


@payments.one("/<uuid:payment_id>", PAYMENTS, may=READ_PAYMENTS)
def get_payment(payment_id: UUID) -> Selection:
    """One payment."""
    return Selection(PAYMENTS, {"id": payment_id}, single=True)


@payments.post("", may=CREATE_PAYMENTS)
@payments.takes(PaymentBody())
@payments.answers(201, PAYMENTS)
def create_payment(fields: dict[str, Any]) -> Payment:
    """Record a payment for an issued invoice, of no more than is still owed."""
    return pay(invoice_named(fields["invoice_id"]), fields)


@payments.put("/<uuid:payment_id>/reversal", may=REVERSE_PAYMENTS)
@payments.takes(ReversalBody(), required=False)
@payments.answers(200, PAYMENTS)
def reverse_payment(said: dict[str, Any], payment_id: UUID) -> Payment:
    """Record that a payment did not last; what it paid is owed again."""
    return take_back(find(Payment, payment_id), said.get("reversed_on"), said.get("reason"))


@number_series.page("", NUMBER_SERIES, may=READ_NUMBER_SERIES)
def list_number_series() -> Selection:
    """How documents are numbered."""
    return Selection(NUMBER_SERIES)


@number_series.one("/<uuid:series_id>", NUMBER_SERIES, may=READ_NUMBER_SERIES)
def get_number_series(series_id: UUID) -> Selection:
    """How one kind of document is numbered."""
    return Selection(NUMBER_SERIES, {"id": series_id}, single=True)


@number_series.patch("/<uuid:series_id>", may=EDIT_NUMBER_SERIES)
@number_series.takes(NumberSeriesBody(partial=True))
@number_series.answers(200, NUMBER_SERIES)
def change_number_series(fields: dict[str, Any], series_id: UUID) -> NumberSeries:
    """Choose what the next numbers begin with; the counting goes on."""
    series = find(NumberSeries, series_id, lock=True)
    if "prefix" in fields:
        choose_prefix(series, fields["prefix"])
    return change(series, fields)
