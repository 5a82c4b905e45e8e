"""A lead becomes a contact, a company and perhaps a deal: once, whole, and with links that stay."""

from typing import Any
from uuid import UUID

from crm.contacts.models import Company, Contact, Lifecycle
from crm.contacts.permissions import CREATE_COMPANIES, CREATE_CONTACTS
from crm.leads.models import Lead
from crm.leads.queries import companies_called
from crm.sales.models import Deal
from crm.sales.opening import open_deal
from tenants.access.caller import acting
from tenants.access.policy import save, seen
from tenants.http.custom_values import carried as values_carried
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time

CARRIED = ("first_name", "last_name", "job_title", "email", "phone", "website", "country")


def convert(lead: Lead, company_id: UUID | None = None, deal: dict[str, Any] | None = None) -> Lead:
    """Convert a lead that `find` locked. One that was converted stays as it is: asked again, it is the same.

    Whoever converts must be allowed to make what it becomes, for the owner of the lead. Raises Conflict for a
    disqualified lead, and as `save` does.
    """
    if lead.is_converted:
        return lead
    lead.must_be_open()
    company_id = company_id or _company(lead)
    carried = {name: getattr(lead, name) for name in CARRIED}
    own = _own_fields(lead, "contacts")
    contact = Contact(
        **carried, **own, **_owner(lead), company_id=company_id, lifecycle=Lifecycle.QUALIFIED.value
    )
    save(contact, may=CREATE_CONTACTS)
    made = None if deal is None else _deal(lead, contact, deal)
    lead.convert(contact, company_id, made, acting().caller.user_id)
    db().flush()
    return lead


def _company(lead: Lead) -> UUID | None:
    """The company that the lead names: the oldest that the caller can see, or a new one."""
    if lead.company_name is None:
        return None
    one_at_a_time("company", lead.company_name)  # two leads of one company must not make it twice
    found = db().scalars(seen(companies_called(lead.company_name), Company).limit(1)).one_or_none()
    if found is None:
        said = {**_own_fields(lead, "companies"), **_owner(lead)}
        found = save(Company(name=lead.company_name, **said), may=CREATE_COMPANIES)
    return found.id


def _deal(lead: Lead, contact: Contact, fields: dict[str, Any]) -> Deal:
    name = lead.company_name or " ".join(filter(None, (lead.first_name, lead.last_name)))
    links = {"company_id": contact.company_id, "contact_id": contact.id}
    return open_deal({"name": name, **_own_fields(lead, "deals"), **fields, **links, **_owner(lead)})


def _own_fields(lead: Lead, resource: str) -> dict[str, Any]:
    """Values of fields that the tenant added to leads and to this resource alike."""
    found = values_carried(lead.custom, "leads", resource)
    return {"custom": found} if found else {}


def _owner(lead: Lead) -> dict[str, Any]:
    return {"owner_id": lead.owner_id, "team_id": lead.team_id}
