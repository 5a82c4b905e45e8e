"""Every resource that files can be imported into."""

from crm.contacts.models import Company, Contact
from crm.contacts.permissions import CREATE_COMPANIES, CREATE_CONTACTS, EDIT_COMPANIES, EDIT_CONTACTS
from crm.contacts.schemas import CompanyBody, ContactBody
from crm.imports import deals, invoices, people  # noqa: F401 - they have rules of their own, and declare themselves
from crm.imports.importable import Importable, Lookup, importable
from crm.leads.models import Lead
from crm.leads.permissions import CREATE_LEADS, EDIT_LEADS
from crm.leads.schemas import LeadBody
from crm.products.models import Product
from crm.products.permissions import CREATE_PRODUCTS, EDIT_PRODUCTS
from crm.products.schemas import ProductBody

COMPANY = ("company_id", Lookup(Company, "name", "company"))

importable(
    Importable(
        "companies", "company", Company, CompanyBody(), CREATE_COMPANIES, EDIT_COMPANIES,
        lookups={"parent.name": ("parent_id", Lookup(Company, "name", "company"))},
    )
)  # fmt: skip
importable(
    Importable(
        "contacts", "contact", Contact, ContactBody(), CREATE_CONTACTS, EDIT_CONTACTS, lookups={"company.name": COMPANY}
    )
)  # fmt: skip
importable(Importable("products", "product", Product, ProductBody(), CREATE_PRODUCTS, EDIT_PRODUCTS))
importable(Importable("leads", "lead", Lead, LeadBody(), CREATE_LEADS, EDIT_LEADS))
