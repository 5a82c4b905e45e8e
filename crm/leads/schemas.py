"""How leads look in JSON, and what may be said of them."""

from marshmallow import fields, validate

from crm.contacts.schemas import CompanyBrief, ContactBrief
from crm.leads.models import Lead, LeadState
from crm.records.fields import COUNTRY, OwnedBody, OwnedRecordSchema, free_text, no_nul, text
from crm.records.money_fields import Money
from crm.sales.schemas import DealBrief
from tenants.http.custom_values import CustomValues, custom_values
from tenants.http.representation import BodySchema, Resource, Timestamp
from tenants.identity.people.schemas import UserBrief


class LeadBody(OwnedBody):
    """What may be said of a lead. `origin` is where it came from, in your own words."""

    first_name = text(100)
    last_name = text(100, required=True)
    company_name = fields.String(allow_none=True, validate=[validate.Length(1, 200), no_nul])
    job_title = text(100)
    email = fields.Email(allow_none=True, validate=[validate.Length(max=254), no_nul])
    phone = text(40)
    website = text(2000)
    country = fields.String(allow_none=True, validate=COUNTRY)
    origin = text(200)
    score = fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 100))
    notes = free_text()
    custom = CustomValues("leads")


class ConvertedDealBody(BodySchema):
    """The deal that a lead becomes; called by its company or person unless it has a name."""

    name = fields.String(validate=[validate.Length(1, 200), no_nul])
    reference = fields.String(allow_none=True, validate=[validate.Length(1, 100), no_nul])
    product_id = fields.UUID(allow_none=True)
    pipeline_id = fields.UUID()
    stage_id = fields.UUID()
    amount = Money("amount", allow_none=True)
    expected_close_on = fields.Date(allow_none=True)
    custom = CustomValues("deals", takes_over=True)


class ConvertedContactBody(BodySchema):
    """What the contact has besides what the lead says."""

    custom = CustomValues("contacts", takes_over=True)


class ConvertedCompanyBody(BodySchema):
    """What the company has besides its name, where one is made."""

    custom = CustomValues("companies", takes_over=True)


class ConversionBody(BodySchema):
    """What a lead becomes besides a contact.

    Without a `company_id` its company is found by name, or made; without a `deal` there is none. `custom` of each part
    is laid over what the lead has.
    """

    company_id = fields.UUID()
    contact = fields.Nested(ConvertedContactBody, metadata={"makes": "contacts"})
    company = fields.Nested(ConvertedCompanyBody, metadata={"makes": "companies"})
    deal = fields.Nested(ConvertedDealBody, allow_none=True, metadata={"makes": "deals"})


class DisqualificationBody(BodySchema):
    """Why a lead is given up."""

    reason = text(2000, required=True, metadata={"sets": "disqualified_reason"})


class LeadSchema(OwnedRecordSchema):
    """A lead, and what became of it."""

    first_name = fields.String(allow_none=True)
    last_name = fields.String(required=True)
    company_name = fields.String(allow_none=True)
    job_title = fields.String(allow_none=True)
    email = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    website = fields.String(allow_none=True)
    country = fields.String(allow_none=True)
    origin = fields.String(allow_none=True)
    score = fields.Integer(allow_none=True)
    notes = fields.String(allow_none=True)
    state = fields.Enum(LeadState, by_value=True)
    disqualified_reason = fields.String(allow_none=True)
    disqualified_at = Timestamp(allow_none=True)
    disqualified_by_id = fields.UUID(allow_none=True)
    disqualified_by = fields.Nested(UserBrief, allow_none=True)
    converted_at = Timestamp(allow_none=True)
    converted_by_id = fields.UUID(allow_none=True)
    converted_by = fields.Nested(UserBrief, allow_none=True)
    contact_id = fields.UUID(allow_none=True)
    contact = fields.Nested(ContactBrief, allow_none=True)
    company_id = fields.UUID(allow_none=True)
    company = fields.Nested(CompanyBrief, allow_none=True)
    deal_id = fields.UUID(allow_none=True)
    deal = fields.Nested(DealBrief, allow_none=True)
    custom = custom_values()


LEADS = Resource("leads", Lead, LeadSchema(), search="words")
