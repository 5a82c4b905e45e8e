"""Reports on invoices: how many, what they come to, and what is still owed."""

from crm.billing.permissions import READ_INVOICES
from crm.billing.schemas import INVOICES, status_of
from crm.contacts.models import Company
from crm.reports.subjects import BY_MONTH, COUNT, Dimension, Subject, by_record, by_value, named, total
from crm.sales.models import Deal
from tenants.identity.models import Team, User

AMOUNTS = ("net", "tax", "gross", "credited", "paid", "outstanding")

INVOICE_FIGURES = Subject(
    INVOICES,
    READ_INVOICES,
    named(COUNT, *(total(name, f"{name}_amount") for name in AMOUNTS)),
    named(
        Dimension("status", frozenset({"status"}), value=status_of),
        by_record("owner", User),
        by_record("team", Team),
        by_record("company", Company),
        Dimension("sector", frozenset({"company", "company_id"}), Company, "company_id", shows="sector"),
        by_record("deal", Deal),
        BY_MONTH,
        by_value("currency", "currency"),
    ),
    ("issued_on", "due_on", "created_at"),
)
