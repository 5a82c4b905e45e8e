"""A lead becomes a contact, a company and perhaps a deal: once, whole, and with links that stay.

Nobody sees in what a lead becomes what they can't see in the lead: what is closed to them there stays behind.
"""

from collections.abc import Mapping
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
from tenants.foundation.errors import Invalid, NotAllowed
from tenants.http.carrying import carried as values_carried
from tenants.http.carrying import missing, would_show
from tenants.http.custom_values import NEEDED
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time

CARRIED = ("first_name", "last_name", "job_title", "email", "phone", "website", "country")
#: What the parts of a conversion are called in its body.
PARTS = {"contacts": "contact", "companies": "company", "deals": "deal"}
Said = dict[str, Any]


def convert(
    lead: Lead,
    company_id: UUID | None = None,
    deal: Said | None = None,
    contact: Said | None = None,
    company: Said | None = None,
) -> Lead:
    """Convert a lead that `find` locked. One that was converted stays as it is: asked again, it is the same.

    Whoever converts must be allowed to make what it becomes, for the owner of the lead. Raises Conflict for a
    disqualified lead, Invalid that names the required fields of the tenant's own that would have no value, NotAllowed
    when the caller can't see what the contact would be called, and as `save` does.
    """
    if lead.is_converted:
        return lead
    lead.must_be_open()
    company_id = company_id or _company_there(lead)
    said = {"contacts": contact or {}}
    if company_id is None and _shown(lead, "company_name", "companies", "name"):
        said["companies"] = company or {}
    elif company:
        raise Invalid(errors={"company": ["No company is made here, so that it takes no values."]})
    if deal is not None:
        said["deals"] = deal
    own = _own_fields(lead, said)
    if "companies" in own:
        made = Company(name=lead.company_name, **own["companies"], **_owner(lead))
        company_id = save(made, may=CREATE_COMPANIES).id
    person = save(_contact(lead, company_id, own["contacts"]), may=CREATE_CONTACTS)
    opened = None if deal is None else _deal(lead, person, {**deal, **own["deals"]})
    lead.convert(person, company_id, opened, acting().caller.user_id)
    db().flush()
    return lead


def _company_there(lead: Lead) -> UUID | None:
    """The company that the lead names: the oldest that the caller can see; None for one that is to be made, or none."""
    name = _shown(lead, "company_name", "companies", "name")
    if name is None:
        return None
    one_at_a_time("company", name)  # two leads of one company must not make it twice
    found = db().scalars(seen(companies_called(name), Company).limit(1)).one_or_none()
    return None if found is None else found.id


def _contact(lead: Lead, company_id: UUID | None, own: Said) -> Contact:
    fields = {name: _shown(lead, name, "contacts", name) for name in CARRIED}
    if fields["last_name"] is None:
        closed = {"last_name": ["Your roles don't show it to you, so that you can't make a contact of it."]}
        raise NotAllowed("You may not convert this lead.", code="closed_field", errors=closed)
    link = {"company_id": company_id, "lifecycle": Lifecycle.QUALIFIED.value}
    return Contact(**fields, **own, **_owner(lead), **link)


def _deal(lead: Lead, contact: Contact, fields: Said) -> Deal:
    company, *person = (
        _shown(lead, name, "deals", "name") for name in ("company_name", "first_name", "last_name")
    )
    name = company or " ".join(filter(None, person))
    links = {"company_id": contact.company_id, "contact_id": contact.id}
    return open_deal({"name": name, **fields, **links, **_owner(lead)})


def _shown(lead: Lead, name: str, resource: str, after: str) -> str | None:
    """A field of the lead, unless it would show the caller what is closed to them there."""
    closed = would_show(acting().caller, ("leads", name), (resource, after))
    return None if closed else getattr(lead, name)


def _own_fields(lead: Lead, said: Mapping[str, Said]) -> dict[str, Said]:
    """Of each part that is made, the values of the tenant's own fields: what is said, and what the lead has alike."""
    found: dict[str, Said] = {}
    errors: dict[str, list[str]] = {}
    for resource, part in said.items():
        lead_has = values_carried(acting().caller, lead.custom, "leads", resource)
        values = {**lead_has, **part.get("custom", {})}
        errors |= {f"{PARTS[resource]}.custom.{name}": [NEEDED] for name in missing(resource, values)}
        found[resource] = {"custom": values} if values else {}
    if errors:
        raise Invalid(errors=errors)
    return found


def _owner(lead: Lead) -> dict[str, Any]:
    return {"owner_id": lead.owner_id, "team_id": lead.team_id}
