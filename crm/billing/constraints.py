"""What the database itself holds of an invoice and of what settles it."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Numeric

QUANTITY = Numeric(18, 3)
PERCENT = Numeric(5, 2)


def of_invoice(ondelete: str | None = None) -> ForeignKeyConstraint:
    """Refers to an invoice together with its currency: both stay in the same one."""
    return ForeignKeyConstraint(
        ["invoice_id", "currency"], ["invoices.id", "invoices.currency"], ondelete=ondelete
    )


def sum_holds() -> CheckConstraint:
    """Net and tax come to the gross amount."""
    return CheckConstraint("gross_amount = net_amount + tax_amount", name="gross_is_net_and_tax")
