"""Payments: recorded while the invoice's row is locked, so that two can't both take what is left."""

from datetime import date
from typing import Any

from crm.billing.models import Invoice
from crm.billing.queries import reversal_of
from crm.billing.settlement import Payment
from tenants.access.policy import change, save
from tenants.foundation.clock import now
from tenants.isolation.door import db


def pay(invoice: Invoice, fields: dict[str, Any]) -> Payment:
    """Record money that came. Raises Conflict when it is more than is owed, or in another currency."""
    invoice.take_payment(fields["amount"], fields["currency"])
    paid_on = fields.pop("paid_on", None) or now().date()
    return save(Payment(**fields, paid_on=paid_on, owner_id=invoice.owner_id, team_id=invoice.team_id))


def take_back(payment: Payment, reversed_on: date | None, reason: str | None) -> Payment:
    """Record that a payment did not last; what it paid is owed again.

    Raises Conflict when that is on record already.
    """
    invoice = db().get_one(Invoice, payment.invoice_id, with_for_update=True)
    reversal = save(payment.reverse(reversal_of(payment), reversed_on or now().date(), reason))
    invoice.give_back(payment.amount)
    return change(payment, {"updated_at": reversal.created_at})
