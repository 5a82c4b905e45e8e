"""A draft becomes a document: with a number, dates, and the name and address of whom it bills."""

from datetime import date

from crm.billing.models import Invoice
from crm.billing.numbering import Series, next_number
from crm.billing.queries import lines_of
from crm.contacts.models import Company, Contact
from tenants.access.caller import acting
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.isolation.door import db

ADDRESS = ("street", "postal_code", "city", "region", "country")


def issue(invoice: Invoice, issued_on: date | None = None, due_on: date | None = None) -> Invoice:
    """Issue a draft that the caller has locked.

    Raises Conflict when it is none, or lacks what a document needs.
    """
    invoice.must_be_draft()
    if not lines_of(invoice):
        raise Conflict("An invoice without lines can't be issued.", code="no_lines")
    if invoice.billing_name is None:
        _bill(invoice)
    issuance = invoice.issue(next_number(Series.INVOICES), issued_on or now().date(), due_on)
    issuance.issued_by_id = acting().caller.user_id
    db().flush()
    db().add(issuance)
    db().flush()
    return invoice


def _bill(invoice: Invoice) -> None:
    """Copy name and address: what the company is called next year changes nothing on this document."""
    company = db().get(Company, invoice.company_id) if invoice.company_id else None
    contact = db().get(Contact, invoice.contact_id) if invoice.contact_id else None
    billed = company or contact
    if billed is None:
        return
    person = " ".join(part for part in (contact.first_name, contact.last_name) if part) if contact else None
    invoice.billing_name = company.name if company else person
    invoice.billing_vat_number = company.vat_number if company else None
    for name in ADDRESS:
        setattr(invoice, f"billing_{name}", getattr(billed, name))
