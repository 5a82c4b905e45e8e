"""Which records of the business go to the bin, and what retention rules can go by."""

from crm.billing.models import Invoice
from crm.contacts.models import Company, Contact
from crm.leads.models import Lead
from crm.products.models import Product
from crm.sales.models import Deal, Pipeline, Stage
from tenants.retention.keeping import Kept
from tenants.retention.models import Trigger

SET_UP = "The tenant set it up to work with; it tells of nobody and goes when somebody deletes it."

#: Credit notes, payments and issued invoices can't be deleted by anybody; of invoices, drafts can.
KEPT = (
    Kept(Company, ("name", "domain")),
    Kept(Contact, ("first_name", "last_name", "email")),
    Kept(
        Lead,
        ("first_name", "last_name", "company_name"),
        ends={Trigger.PURPOSE_ENDED: ("converted_at", "disqualified_at")},
    ),
    Kept(
        Deal,
        ("name", "reference"),
        ends=dict.fromkeys(
            (Trigger.PURPOSE_ENDED, Trigger.CONTRACT_END, Trigger.STATUTE_END), ("closed_on",)
        ),
    ),
    Kept(
        Invoice,
        ("number", "billing_name", "reference"),
        ends={Trigger.CONTRACT_END: ("issued_on",), Trigger.STATUTE_END: ("issued_on",)},
        while_empty="number",
    ),
    Kept(Product, ("name",), no_rules=SET_UP),
    Kept(Pipeline, ("name",), no_rules=SET_UP),
    Kept(Stage, ("name",), no_rules=SET_UP),
)
