"""Importing invoices: one row is one invoice, a draft or a document that was issued elsewhere under its own number.

What came from elsewhere is taken as it was: net and tax are not worked out again, and stand on one line.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy import ColumnElement, cast, func, literal, select

from crm.billing.constraints import PERCENT
from crm.billing.fields import Price, day
from crm.billing.models import DAYS_TO_PAY, OF_THE_HOUSE, PRINTED, Invoice, InvoiceLine, Issuance
from crm.billing.numbering import NumberSeries, Series, looks_counted
from crm.billing.permissions import EDIT_INVOICES, ISSUE_INVOICES
from crm.contacts.models import Company, Contact
from crm.imports.batches import ROWS, Batch
from crm.imports.importable import Importable, Lookup, importable
from crm.imports.models import Action
from crm.records.fields import COUNTRY, OwnedBody, free_text, text
from crm.records.money import AMOUNT
from crm.records.money_fields import CURRENCY
from crm.sales.models import Deal
from tenants.audit.bulk import FRESH_ID
from tenants.foundation.clock import now
from tenants.isolation.door import db

INVOICES: Any = Invoice.__table__
COMPANIES: Any = Company.__table__
SERIES: Any = NumberSeries.__table__
NOTHING = cast(literal("0.00"), AMOUNT)
NO_AMOUNT = cast(sa.null(), AMOUNT)
NO_TEXT = cast(sa.null(), sa.Text)
NO_DAY = cast(sa.null(), sa.Date)
IMPORTED = "As invoiced"


class ImportedInvoiceBody(OwnedBody):
    """What a row says of an invoice."""

    number = text(100)
    issued_on = day(allow_none=True)
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
    company_id = fields.UUID(allow_none=True)
    contact_id = fields.UUID(allow_none=True)
    deal_id = fields.UUID(allow_none=True)
    net = Price("net_amount", required=True)
    tax = Price("tax_amount")
    currency = fields.String(validate=CURRENCY)


def totals_and_days(_batch: Batch, values: Mapping[str, Any]) -> dict[str, ColumnElement[Any]]:
    """What an invoice has to have beside what the row says."""
    net, tax = values.get("net_amount", NO_AMOUNT), func.coalesce(values.get("tax_amount"), NOTHING)
    currency = values.get("currency", NO_TEXT)
    issued = values.get("issued_on", NO_DAY)
    company = values.get("company_id", cast(sa.null(), sa.Uuid()))
    named = select(COMPANIES.c.name).where(COMPANIES.c.id == company).correlate_except(COMPANIES)
    rate = rate_of(net, tax)
    part = func.jsonb_build_object(
        "tax_rate", cast(rate, sa.Text), "tax_label", "",
        "net", _money(net, currency), "tax", _money(tax, currency),
    )  # fmt: skip
    return {
        "tax_amount": tax,
        "gross_amount": net + tax,
        "taxes": func.jsonb_build_array(part),
        "billing_name": func.coalesce(values.get("billing_name", NO_TEXT), named.scalar_subquery()),
        "due_on": func.coalesce(values.get("due_on", NO_DAY), cast(issued + DAYS_TO_PAY, sa.Date)),
    }


def rate_of(net: Any, tax: Any) -> ColumnElement[Any]:
    """The rate in percent that made this tax, to two places."""
    return cast(func.coalesce(func.round(tax * 100 / func.nullif(net, 0), 2), 0), PERCENT)


def _money(amount: Any, currency: Any) -> ColumnElement[Any]:
    return func.jsonb_build_object("amount", cast(cast(amount, AMOUNT), sa.Text), "currency", currency)


def rules(values: Mapping[str, Any], table: Any) -> Iterator[tuple[ColumnElement[bool], str]]:
    """What `Invoice` itself would refuse."""
    if table is not None:
        printed = [name for name in values if name not in OF_THE_HOUSE]
        changed = sa.or_(*(values[name].is_distinct_from(table.c[name]) for name in printed), sa.false())
        yield (
            sa.and_(table.c.number.is_not(None), changed),
            "This invoice has been issued and stays as it is.",
        )
        return
    number, issued = values.get("number", NO_TEXT), values.get("issued_on", NO_DAY)
    yield (
        number.is_(None) != issued.is_(None),
        "An issued invoice has a number and a day; a draft has neither.",
    )
    yield (
        sa.and_(number.is_not(None), values["billing_name"].is_(None)),
        "An issued invoice says whom it bills: give a company or a billing name.",
    )
    yield values["due_on"] < issued, "An invoice can't be due before it is issued."
    yield values["tax_amount"] > values.get("net_amount", NO_AMOUNT), "The tax is more than the net amount."
    ours = select(SERIES.c.id).where(SERIES.c.name == Series.INVOICES, looks_counted(number, SERIES.c.prefix))
    yield (
        ours.correlate_except(SERIES).exists(),
        "Numbers like this one are given out here. Choose another prefix for them first.",
    )


def lay_down(batch: Batch) -> None:
    """The line of each new invoice, and the issuance that holds an issued one still."""
    chosen = INVOICES.join(ROWS, ROWS.c.record_id == INVOICES.c.id)
    columns = INVOICES.c
    line = {
        "id": FRESH_ID, "invoice_id": columns.id, "position": literal(1),
        "description": func.coalesce(columns.reference, IMPORTED), "quantity": literal(1),
        "unit_price": columns.net_amount, "currency": columns.currency, "discount_percent": literal(0),
        "tax_rate": rate_of(columns.net_amount, columns.tax_amount), "tax_label": literal(""),
        "net_amount": columns.net_amount,
    }  # fmt: skip
    new = select(*line.values()).select_from(chosen).where(batch.rows(Action.CREATE))
    db().execute(sa.insert(InvoiceLine).from_select(list(line), new))
    issuance = {
        "id": FRESH_ID,
        "invoice_id": columns.id,
        "issued_at": cast(literal(now()), sa.DateTime(timezone=True)),
        "issued_by_id": cast(batch.caller.user_id, sa.Uuid()),
        **{name: columns[name] for name in PRINTED},
    }
    issued = select(*issuance.values()).select_from(chosen).where(batch.rows(Action.CREATE))
    db().execute(sa.insert(Issuance).from_select(list(issuance), issued.where(columns.number.is_not(None))))


importable(
    Importable(
        "invoices", "invoice", Invoice, ImportedInvoiceBody(), ISSUE_INVOICES, EDIT_INVOICES,
        lookups={
            "company.name": ("company_id", Lookup(Company, "name", "company")),
            "contact.email": ("contact_id", Lookup(Contact, "email", "contact")),
            "deal.reference": ("deal_id", Lookup(Deal, "reference", "deal")),
        },
        derived=totals_and_days,
        checks=rules,
        once=frozenset({"issued_on", "net_amount", "tax_amount", "currency"}),
        follow=lay_down,
    )
)  # fmt: skip
