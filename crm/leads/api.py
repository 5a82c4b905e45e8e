"""Leads over HTTP: made, worked on, converted or given up."""

from typing import Any
from uuid import UUID

from crm.leads.conversion import convert
from crm.leads.models import Lead
from crm.leads.permissions import CONVERT_LEADS, CREATE_LEADS, DELETE_LEADS, EDIT_LEADS, READ_LEADS
from crm.leads.schemas import LEADS, ConversionBody, DisqualificationBody, LeadBody
from tenants.access.caller import acting
from tenants.access.policy import change, find, remove, save
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.isolation.door import db

leads = Blueprint("leads", __name__, url_prefix="/leads", purpose=Purpose.SALES)


@leads.page("", LEADS, may=READ_LEADS)
def list_leads() -> Selection:
    """Leads within reach."""
    return Selection(LEADS)


@leads.one("/<uuid:lead_id>", LEADS, may=READ_LEADS)
def get_lead(lead_id: UUID) -> Selection:
    """One lead."""
    return Selection(LEADS, {"id": lead_id}, single=True)


@leads.post("", may=CREATE_LEADS)
@leads.takes(LeadBody())
@leads.answers(201, LEADS)
def create_lead(fields: dict[str, Any]) -> Lead:
    """Add a lead."""
    return save(Lead(**fields))


@leads.patch("/<uuid:lead_id>", may=EDIT_LEADS)
@leads.takes(LeadBody(partial=True))
@leads.answers(200, LEADS)
def change_lead(fields: dict[str, Any], lead_id: UUID) -> Lead:
    """Change a lead (JSON merge patch, RFC 7396). One that was converted stays as it was."""
    lead = find(Lead, lead_id, lock=True)
    lead.must_not_be_converted()
    return change(lead, fields)


@leads.delete("/<uuid:lead_id>", may=DELETE_LEADS)
@leads.response(204)
def delete_lead(lead_id: UUID) -> None:
    """Delete a lead. What it was converted to stays."""
    remove(find(Lead, lead_id))


@leads.put("/<uuid:lead_id>/conversion", may=CONVERT_LEADS)
@leads.takes(ConversionBody())
@leads.answers(200, LEADS)
def put_conversion(fields: dict[str, Any], lead_id: UUID) -> Lead:
    """Convert a lead to a contact, a company and perhaps a deal. Asked again, it answers with the same."""
    return convert(find(Lead, lead_id, lock=True), **fields)


@leads.put("/<uuid:lead_id>/disqualification", may=EDIT_LEADS)
@leads.takes(DisqualificationBody())
@leads.answers(200, LEADS)
def put_disqualification(fields: dict[str, Any], lead_id: UUID) -> Lead:
    """Give a lead up, and say why."""
    lead = find(Lead, lead_id, lock=True)
    lead.disqualify(fields["reason"], acting().caller.user_id)
    db().flush()
    return lead


@leads.delete("/<uuid:lead_id>/disqualification", may=EDIT_LEADS)
@leads.answers(200, LEADS)
def delete_disqualification(lead_id: UUID) -> Lead:
    """Work on a disqualified lead again."""
    lead = find(Lead, lead_id, lock=True)
    lead.reopen()
    db().flush()
    return lead
