"""Credit notes: what of an invoice is taken back, never more than is left of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.billing.amounts import Totals, difference, line_net, totals_of
from crm.billing.models import Invoice, InvoiceLine
from crm.billing.numbering import Series, next_number
from crm.billing.queries import credited_quantities, lines_of
from crm.billing.settlement import CreditNote, CreditNoteLine
from tenants.access.policy import save
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid
from tenants.isolation.door import db

Quantities = Mapping[UUID, Decimal]
NONE = Decimal(0)
COPIED = (
    "billing_name", "billing_street", "billing_postal_code", "billing_city", "billing_region",
    "billing_country", "billing_vat_number", "company_id", "currency", "owner_id", "team_id",
)  # fmt: skip
LINE_COPIED = (
    "product_id",
    "description",
    "unit_price",
    "currency",
    "discount_percent",
    "tax_rate",
    "tax_label",
)


def credit(
    invoice: Invoice, chosen: Sequence[Mapping[str, Any]] | None, issued_on: date | None, reason: str | None
) -> CreditNote:
    """Take back lines of an invoice that the caller has locked; without a choice, all that is left of it.

    Raises Conflict for a draft, for more than is left, and for what is paid already; Invalid for lines that
    it hasn't got.
    """
    invoice.must_be_issued()
    lines, before = lines_of(invoice), credited_quantities(invoice)
    taken = _taken(lines, before, chosen)
    after = {line.id: before.get(line.id, NONE) + taken.get(line.id, NONE) for line in lines}
    totals = difference(_credited(lines, after), _credited(lines, before))
    invoice.take_credit(totals.gross_amount)
    copied = {name: getattr(invoice, name) for name in COPIED} | totals.columns(invoice.currency)
    number = next_number(Series.CREDIT_NOTES)
    note = save(
        CreditNote(
            invoice_id=invoice.id, number=number, issued_on=issued_on or now().date(), reason=reason, **copied
        )
    )
    credited = (line for line in lines if line.id in taken)
    db().add_all(
        _note_line(note, number, line, before, after) for number, line in enumerate(credited, start=1)
    )
    db().flush()
    return note


def _taken(
    lines: Iterable[InvoiceLine], before: Quantities, chosen: Sequence[Mapping[str, Any]] | None
) -> dict[UUID, Decimal]:
    left = {line.id: line.quantity - before.get(line.id, NONE) for line in lines}
    if chosen is None:
        taken = {line_id: quantity for line_id, quantity in left.items() if quantity}
        if not taken:
            raise Conflict("This invoice has been credited in full.", code="credited")
        return taken
    _must_be_lines([each["invoice_line_id"] for each in chosen], left)
    taken = {}
    for number, each in enumerate(chosen, start=1):
        line_id = each["invoice_line_id"]
        taken[line_id] = left[line_id] if each.get("quantity") is None else each["quantity"]
        if not 0 < taken[line_id] <= left[line_id]:
            raise Conflict(
                f"Of line {number} of this credit note, {left[line_id]} are left to credit.", code="credited"
            )
    return taken


def _must_be_lines(chosen: Sequence[UUID], known: Quantities) -> None:
    """Raises Invalid for a line that the invoice has not, and for one that is named twice."""
    errors = {}
    for number, line_id in enumerate(chosen):
        if line_id not in known:
            errors[f"lines.{number}.invoice_line_id"] = ["There is no such line on this invoice."]
        elif line_id in chosen[:number]:
            errors[f"lines.{number}.invoice_line_id"] = ["Named twice."]
    if errors:
        raise Invalid(errors=errors)


def _credited(lines: Iterable[InvoiceLine], quantities: Quantities) -> Totals:
    """The totals of a document with only these quantities of the lines."""
    return totals_of(((line.tax_rate, line.tax_label), _net(line, quantities)) for line in lines)


def _net(line: InvoiceLine, quantities: Quantities) -> Decimal:
    return line_net(quantities.get(line.id, NONE), line.unit_price, line.discount_percent)


def _note_line(
    note: CreditNote, position: int, line: InvoiceLine, before: Quantities, after: Quantities
) -> CreditNoteLine:
    return CreditNoteLine(
        credit_note_id=note.id,
        invoice_line_id=line.id,
        position=position,
        quantity=after[line.id] - before.get(line.id, NONE),
        net_amount=_net(line, after) - _net(line, before),
        **{name: getattr(line, name) for name in LINE_COPIED},
    )
