"""What our own people can be let into: the records of the business, and nothing that governs who may do what."""

from crm.billing.schemas import CREDIT_NOTES, INVOICES, PAYMENTS
from crm.contacts.schemas import COMPANIES, CONTACTS, CompanyBody, ContactBody
from crm.leads.schemas import LEADS
from crm.products.schemas import PRODUCTS
from crm.sales.schemas import DEALS, PIPELINES, STAGES
from tenants.support_access.visitable import Visitable

#: What a tenant made up for itself means what only the tenant knows.
CUSTOM = "custom"
#: Papers of bookkeeping and anything with rules of its own are read and never changed by a visit.
VISITABLE = (
    Visitable(COMPANIES, CompanyBody(partial=True, exclude=[CUSTOM])),
    Visitable(CONTACTS, ContactBody(partial=True, exclude=[CUSTOM])),
    Visitable(LEADS),
    Visitable(DEALS),
    Visitable(PIPELINES),
    Visitable(STAGES),
    Visitable(PRODUCTS),
    Visitable(INVOICES),
    Visitable(CREDIT_NOTES),
    Visitable(PAYMENTS),
)
