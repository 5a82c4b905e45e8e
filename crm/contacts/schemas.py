"""How companies and contacts look in JSON, and what may be said of them."""

import marshmallow
from marshmallow import fields, validate

from crm.contacts.models import Company, Contact, Lifecycle
from crm.records.fields import COUNTRY, OwnedBody, OwnedRecordSchema, free_text, no_nul, text
from crm.records.money_fields import Money
from tenants.http.custom_values import CustomValues, custom_values
from tenants.http.representation import Resource


class CompanyBrief(marshmallow.Schema):
    """A company, as other records show it."""

    id = fields.UUID()
    name = fields.String()
    domain = fields.String(allow_none=True)


class ContactBrief(marshmallow.Schema):
    """A contact, as other records show it."""

    id = fields.UUID()
    first_name = fields.String(allow_none=True)
    last_name = fields.String()


class CompanyBody(OwnedBody):
    """What may be said of a company."""

    name = text(required=True)
    domain = text(253)
    sector = text(100)
    phone = text(40)
    street = text()
    city = text(100)
    region = text(100)
    postal_code = text(20)
    country = fields.String(allow_none=True, validate=COUNTRY)
    employees = fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 2_000_000_000))
    founded = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1000, 2200))
    revenue = Money("revenue", "revenue_currency", allow_none=True)
    vat_number = text(30)
    bank_account = text(40)
    notes = free_text()
    parent_id = fields.UUID(allow_none=True)
    custom = CustomValues("companies")


class CompanySchema(OwnedRecordSchema):
    """A company."""

    name = fields.String(required=True)
    domain = fields.String(allow_none=True)
    sector = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    street = fields.String(allow_none=True)
    city = fields.String(allow_none=True)
    region = fields.String(allow_none=True)
    postal_code = fields.String(allow_none=True)
    country = fields.String(allow_none=True)
    employees = fields.Integer(allow_none=True)
    founded = fields.Integer(allow_none=True)
    revenue = Money("revenue", "revenue_currency", allow_none=True)
    vat_number = fields.String(allow_none=True)
    bank_account = fields.String(allow_none=True)
    notes = fields.String(allow_none=True)
    parent_id = fields.UUID(allow_none=True)
    parent = fields.Nested(CompanyBrief, allow_none=True)
    custom = custom_values()


class ContactBody(OwnedBody):
    """What may be said of a contact."""

    first_name = text(100)
    last_name = text(100, required=True)
    email = fields.Email(allow_none=True, validate=[validate.Length(max=254), no_nul])
    phone = text(40)
    mobile = text(40)
    job_title = text(100)
    department = text(100)
    lifecycle = fields.Enum(Lifecycle, by_value=True)
    street = text()
    city = text(100)
    region = text(100)
    postal_code = text(20)
    country = fields.String(allow_none=True, validate=COUNTRY)
    birthday = fields.Date(allow_none=True)
    website = text(2000)
    do_not_contact = fields.Boolean()
    tags = fields.List(text(50, required=True), validate=validate.Length(max=50))
    national_id = text(50)
    notes = free_text()
    company_id = fields.UUID(allow_none=True)
    custom = CustomValues("contacts")


class ContactSchema(OwnedRecordSchema):
    """A contact."""

    first_name = fields.String(allow_none=True)
    last_name = fields.String(required=True)
    email = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    mobile = fields.String(allow_none=True)
    job_title = fields.String(allow_none=True)
    department = fields.String(allow_none=True)
    lifecycle = fields.Enum(Lifecycle, by_value=True)
    street = fields.String(allow_none=True)
    city = fields.String(allow_none=True)
    region = fields.String(allow_none=True)
    postal_code = fields.String(allow_none=True)
    country = fields.String(allow_none=True)
    birthday = fields.Date(allow_none=True)
    website = fields.String(allow_none=True)
    do_not_contact = fields.Boolean()
    tags = fields.List(fields.String())
    national_id = fields.String(allow_none=True)
    notes = fields.String(allow_none=True)
    company_id = fields.UUID(allow_none=True)
    company = fields.Nested(CompanyBrief, allow_none=True)
    custom = custom_values()


COMPANIES = Resource("companies", Company, CompanySchema(), search="words")
CONTACTS = Resource("contacts", Contact, ContactSchema(), search="words")
