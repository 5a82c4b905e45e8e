"""How our own people's side looks in JSON, and what they may say."""

import marshmallow
from marshmallow import fields, validate

from tenants.http.representation import BodySchema, Timestamp
from tenants.http.texts import Pattern
from tenants.support_access.models import Access, GrantKind
from tenants.support_access.schemas import (
    AccessGrantSchema,
    ReasonedScopeBody,
    VisitSchema,
    chosen_fields,
    resources,
    text,
)


class StaffSchema(marshmallow.Schema):
    """One of our people."""

    id = fields.UUID(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    manager_id = fields.UUID(allow_none=True)


class StaffSignInBody(BodySchema):
    """Password and second factor; there is no way in with one of them alone."""

    email = text(254, required=True)
    password = text(128, required=True)
    code = fields.String(required=True, validate=Pattern(r"^[0-9]{6}$"))


class StaffSessionSchema(marshmallow.Schema):
    """A session's token, which is never shown again."""

    token = fields.String(required=True)
    expires_at = Timestamp(required=True)


class TenantBriefSchema(marshmallow.Schema):
    """All that staff see of a tenant without a visit."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True)
    cell = fields.String(required=True)


class TenantsSchema(marshmallow.Schema):
    data = fields.List(fields.Nested(TenantBriefSchema), required=True)


class AskBody(ReasonedScopeBody):
    """An ask for access: by support, or by security in an incident (`break_glass`, one hour, reading only)."""

    tenant = text(100, required=True)
    kind = fields.Enum(GrantKind, by_value=True)


class StaffGrantSchema(AccessGrantSchema):
    """A grant as staff see it; `review_overdue` is of a break-glass that nobody reviewed within a day."""

    tenant = fields.String(required=True)
    review_overdue = fields.Boolean(required=True)


class StaffGrantsSchema(marshmallow.Schema):
    data = fields.List(fields.Nested(StaffGrantSchema), required=True)


class ReviewBody(BodySchema):
    """What a second person found about a break-glass."""

    finding = text(2000, required=True)


class VisitBody(BodySchema):
    """A visit under a grant. One that changes things says beforehand what for."""

    grant_id = fields.UUID(required=True)
    access = fields.Enum(Access, by_value=True)
    intent = text(2000, allow_none=True)


class StaffVisitSchema(VisitSchema):
    """A visit; its token works once `state` is `open`, which takes a second or two."""

    tenant = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["opening", "open", "ended"]))


class NewStaffVisitSchema(StaffVisitSchema):
    """A new visit with its token, which is never shown again."""

    token = fields.String(required=True)


class StaffVisitsSchema(marshmallow.Schema):
    data = fields.List(fields.Nested(StaffVisitSchema), required=True)


class LegalOrderBody(BodySchema):
    """An order of law to disclose the named records of a tenant, and no other."""

    tenant = text(100, required=True)
    authority = text(200, required=True)
    jurisdiction = text(100, required=True)
    reference = text(200, required=True)
    document_sha256 = fields.String(required=True, validate=Pattern(r"^[0-9a-f]{64}$"))
    resources = resources(required=True)
    record_ids = fields.List(fields.UUID(required=True), required=True, validate=validate.Length(1, 1000))
    only_fields = chosen_fields()
    gag_until = Timestamp(allow_none=True)


class LegalOrderSchema(marshmallow.Schema):
    """An order of law. Approved by two persons it has a grant, under which one of them visits."""

    id = fields.UUID(required=True)
    tenant = fields.String(required=True)
    state = fields.String(required=True)
    authority = fields.String()
    jurisdiction = fields.String()
    reference = fields.String()
    document_sha256 = fields.String()
    resources = fields.List(fields.String())
    record_ids = fields.List(fields.UUID())
    only_fields = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), allow_none=True)
    gag_until = Timestamp(allow_none=True)
    approvals = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))
    grant_id = fields.UUID(allow_none=True)
    created_at = Timestamp()
    told_at = Timestamp(allow_none=True)


class LegalOrdersSchema(marshmallow.Schema):
    data = fields.List(fields.Nested(LegalOrderSchema), required=True)


class CountSchema(marshmallow.Schema):
    """How many records there are."""

    count = fields.Integer(required=True)
