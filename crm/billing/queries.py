"""Invoices and their parts, as the rules of billing need them at hand."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from crm.billing.models import Invoice, InvoiceLine
from crm.billing.settlement import CreditNote, CreditNoteLine, Payment, Reversal
from crm.products.models import Product
from crm.products.permissions import READ_PRODUCTS
from tenants.access.caller import acting
from tenants.access.policy import find, must_reach
from tenants.foundation.errors import Invalid, NotFound
from tenants.isolation.door import db


def invoice_named(invoice_id: UUID) -> Invoice:
    """The invoice that a body names, locked until the transaction ends.

    Raises Invalid when there is none, NotAllowed when what the route does to it is out of the caller's reach.
    """
    try:
        invoice = find(Invoice, invoice_id, lock=True)
    except NotFound:
        raise Invalid(errors={"invoice_id": ["There is no such record."]}) from None
    must_reach(invoice)
    return invoice


def lines_of(invoice: Invoice) -> Sequence[InvoiceLine]:
    return (
        db()
        .scalars(
            select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.position)
        )
        .all()
    )


def credited_quantities(invoice: Invoice) -> dict[UUID, Decimal]:
    """How much of each line was taken back already."""
    line = CreditNoteLine.invoice_line_id
    query = select(line, func.sum(CreditNoteLine.quantity)).join(
        CreditNote, CreditNote.id == CreditNoteLine.credit_note_id
    )
    return dict(db().execute(query.where(CreditNote.invoice_id == invoice.id).group_by(line)).all())


def settlements_of(invoice: Invoice) -> Iterator[CreditNote | Payment]:
    yield from db().scalars(select(CreditNote).where(CreditNote.invoice_id == invoice.id))
    yield from db().scalars(select(Payment).where(Payment.invoice_id == invoice.id))


def reversal_of(payment: Payment) -> Reversal | None:
    return db().scalars(select(Reversal).where(Reversal.payment_id == payment.id)).one_or_none()


def products_by_id(wanted: set[UUID]) -> dict[UUID, Product]:
    """Those of these products that the caller may see."""
    if not wanted or acting().caller.reach(READ_PRODUCTS.name) is None:
        return {}
    return {each.id: each for each in db().scalars(select(Product).where(Product.id.in_(wanted)))}
