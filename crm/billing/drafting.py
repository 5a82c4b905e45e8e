"""Drafts of invoices: filled, changed and thrown away, always with totals that fit their lines."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.billing.amounts import line_net, totals_of
from crm.billing.models import OF_THE_HOUSE, Invoice, InvoiceLine
from crm.billing.queries import lines_of, products_by_id, settlements_of
from crm.products.models import Product
from crm.products.schemas import PRODUCTS
from tenants.access.caller import acting
from tenants.access.policy import change, remove, save
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid
from tenants.http.closed import fields_closed
from tenants.isolation.door import db

Said = Mapping[str, Any]
SHOWN = ("description", "quantity", "unit_price", "discount_percent", "tax_rate", "tax_label")


def draft(fields: dict[str, Any]) -> Invoice:
    """A new draft with its lines."""
    said = fields.pop("lines", [])
    currency = _currency(fields.pop("currency", None), said)
    invoice = Invoice(**fields, currency=currency)
    lines = _lines(invoice.id, currency, said)
    _total(invoice, lines)
    save(invoice)
    _put(invoice, [], lines)
    return invoice


def revise(invoice: Invoice, fields: dict[str, Any]) -> Invoice:
    """Change a draft; lines, when they are said, replace all there were.

    Raises Conflict for what was issued.
    """
    invoice.must_allow(frozenset(fields))
    said, currency = fields.pop("lines", None), fields.pop("currency", None)
    if said is not None:
        _replace(invoice, _currency(currency or (None if said else invoice.currency), said), said)
    elif currency not in (None, invoice.currency):
        if lines_of(invoice):
            raise Conflict(
                f"The lines are in {invoice.currency}. Send them again, in {currency}.", code="other_currency"
            )
        invoice.currency = currency
    # Lines are part of the document: it has a new version even when no column of its own changes.
    change(invoice, {**fields, "updated_at": now()})
    if fields.keys() & OF_THE_HOUSE:
        for each in settlements_of(invoice):
            each.owner_id, each.team_id = invoice.owner_id, invoice.team_id
    return invoice


def discard(invoice: Invoice) -> None:
    """Throw a draft away. Raises Conflict for what was issued."""
    invoice.must_be_draft()
    _record(invoice, lines_of(invoice), [])
    remove(invoice)


def _replace(invoice: Invoice, currency: str, said: Sequence[Said]) -> None:
    before, lines = lines_of(invoice), _lines(invoice.id, currency, said)
    for each in before:
        db().delete(each)
    db().flush()
    invoice.currency = currency
    _total(invoice, lines)
    db().flush()
    _put(invoice, before, lines)


def _put(invoice: Invoice, before: Sequence[InvoiceLine], lines: Sequence[InvoiceLine]) -> None:
    db().add_all(lines)
    db().flush()
    _record(invoice, before, lines)


def _total(invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    totals = totals_of(((line.tax_rate, line.tax_label), line.net_amount) for line in lines)
    for name, value in totals.columns(invoice.currency).items():
        setattr(invoice, name, value)


def _record(invoice: Invoice, before: Sequence[InvoiceLine], after: Sequence[InvoiceLine]) -> None:
    """One event for all lines: fifty events for fifty lines would bury what happened."""
    shown = [
        [{name: str(getattr(line, name)) for name in SHOWN} for line in lines] or None
        for lines in (before, after)
    ]
    if shown[0] != shown[1]:
        record_event("invoices.changed", "invoices", invoice.id, {}, {"lines": shown})


def _currency(said: str | None, lines: Sequence[Said]) -> str:
    """The one currency of a document. Raises Invalid when there is none, or more than one."""
    currency = said or next((line["currency"] for line in lines if line.get("currency")), None)
    if currency is None:
        raise Invalid(errors={"currency": ["Say in which currency the invoice is."]})
    wrong = [number for number, line in enumerate(lines) if line.get("currency", currency) != currency]
    if wrong:
        raise Invalid(
            errors={
                f"lines.{number}.unit_price.currency": [f"The invoice is in {currency}."] for number in wrong
            }
        )
    return currency


def _lines(invoice_id: UUID, currency: str, said: Sequence[Said]) -> list[InvoiceLine]:
    products = products_by_id({line["product_id"] for line in said if line.get("product_id")})
    errors: dict[str, list[str]] = {}
    made = []
    for number, line in enumerate(said):
        product = products.get(line.get("product_id"))  # type: ignore[arg-type]
        columns = {**line, **_from_product(product, line, currency), "currency": currency}
        missing = {
            "product_id": line.get("product_id") and product is None and "There is no such record.",
            "description": columns.get("description") is None and "Name a product or say what it is.",
            "unit_price": columns.get("unit_price") is None
            and f"The product has no price in {currency}: say one.",
        }
        errors |= {
            f"lines.{number}.{name}": [str(sentence)] for name, sentence in missing.items() if sentence
        }
        if not errors:
            net = line_net(columns["quantity"], columns["unit_price"], columns["discount_percent"])
            made.append(InvoiceLine(invoice_id=invoice_id, position=number + 1, net_amount=net, **columns))
    if errors:
        raise Invalid(errors=errors)
    return made


def _from_product(product: Product | None, line: Said, currency: str) -> dict[str, str | Decimal | None]:
    """What the product tells of a line that does not say it itself: nothing that is closed to the caller."""
    if product is None:
        return {}
    closed = fields_closed(acting().caller, PRODUCTS.name)
    usual: dict[str, str | Decimal | None] = {} if "name" in closed else {"description": product.name}
    if product.currency == currency and "price" not in closed:
        usual["unit_price"] = product.price
    return {name: value for name, value in usual.items() if line.get(name) is None}
