"""Companies and contacts over HTTP."""

from typing import Any
from uuid import UUID

from crm.contacts.models import Company, Contact
from crm.contacts.permissions import (
    CREATE_COMPANIES,
    CREATE_CONTACTS,
    DELETE_COMPANIES,
    DELETE_CONTACTS,
    EDIT_COMPANIES,
    EDIT_CONTACTS,
    READ_COMPANIES,
    READ_CONTACTS,
)
from crm.contacts.schemas import COMPANIES, CONTACTS, CompanyBody, ContactBody
from tenants.access.policy import add, change, find, remove
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection

companies = Blueprint("companies", __name__, url_prefix="/companies", purpose=Purpose.SALES)
contacts = Blueprint("contacts", __name__, url_prefix="/contacts", purpose=Purpose.SALES)


@companies.page("", COMPANIES, may=READ_COMPANIES)
def list_companies() -> Selection:
    """Companies within reach."""
    return Selection(COMPANIES)


@companies.one("/<uuid:company_id>", COMPANIES, may=READ_COMPANIES)
def get_company(company_id: UUID) -> Selection:
    """One company."""
    return Selection(COMPANIES, {"id": company_id}, single=True)


@companies.post("", may=CREATE_COMPANIES)
@companies.takes(CompanyBody())
@companies.answers(201, COMPANIES)
def create_company(fields: dict[str, Any]) -> Company:
    """Add a company."""
    return add(Company(**fields))


@companies.patch("/<uuid:company_id>", may=EDIT_COMPANIES)
@companies.takes(CompanyBody(partial=True))
@companies.answers(200, COMPANIES)
def change_company(fields: dict[str, Any], company_id: UUID) -> Company:
    """Change a company (JSON merge patch, RFC 7396)."""
    return change(find(Company, company_id), fields)


@companies.delete("/<uuid:company_id>", may=DELETE_COMPANIES)
@companies.response(204)
def delete_company(company_id: UUID) -> None:
    """Delete a company that nothing refers to."""
    remove(find(Company, company_id))


@contacts.page("", CONTACTS, may=READ_CONTACTS)
def list_contacts() -> Selection:
    """Contacts within reach."""
    return Selection(CONTACTS)


@contacts.one("/<uuid:contact_id>", CONTACTS, may=READ_CONTACTS)
def get_contact(contact_id: UUID) -> Selection:
    """One contact."""
    return Selection(CONTACTS, {"id": contact_id}, single=True)


@contacts.post("", may=CREATE_CONTACTS)
@contacts.takes(ContactBody())
@contacts.answers(201, CONTACTS)
def create_contact(fields: dict[str, Any]) -> Contact:
    """Add a contact."""
    return add(Contact(**fields))


@contacts.patch("/<uuid:contact_id>", may=EDIT_CONTACTS)
@contacts.takes(ContactBody(partial=True))
@contacts.answers(200, CONTACTS)
def change_contact(fields: dict[str, Any], contact_id: UUID) -> Contact:
    """Change a contact (JSON merge patch, RFC 7396)."""
    return change(find(Contact, contact_id), fields)


@contacts.delete("/<uuid:contact_id>", may=DELETE_CONTACTS)
@contacts.response(204)
def delete_contact(contact_id: UUID) -> None:
    """Delete a contact that nothing refers to."""
    remove(find(Contact, contact_id))
