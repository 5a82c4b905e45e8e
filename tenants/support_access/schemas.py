"""How grants, visits and the log of what was looked at appear to a tenant, and what its people may say."""

from typing import Any

import marshmallow
import sqlalchemy as sa
from marshmallow import fields, validate
from sqlalchemy import ColumnElement

from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import no_nul
from tenants.support_access.models import (
    Access,
    AccessEntry,
    AccessGrant,
    AccessVisit,
    GrantKind,
    GrantState,
    Reason,
)
from tenants.support_access.rules import MOST_APPROVERS
from tenants.support_access.scope import LONGEST_HOURS


def text(longest: int = 500, **options: Any) -> fields.String:
    return fields.String(validate=[validate.Length(1, longest), no_nul], **options)


def hours(**options: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(1, LONGEST_HOURS), **options)


def resources(**options: Any) -> fields.List[Any]:
    return fields.List(text(100, required=True), validate=validate.Length(1, 50), **options)


def record_ids(**options: Any) -> fields.List[Any]:
    return fields.List(
        fields.UUID(required=True), validate=validate.Length(1, 1000), allow_none=True, **options
    )


def chosen_fields(**options: Any) -> fields.Dict:
    named = fields.List(text(100, required=True), validate=validate.Length(1, 200))
    return fields.Dict(keys=text(100), values=named, allow_none=True, **options)


class ScopeBody(BodySchema):
    """How far an access goes."""

    resources = resources(required=True)
    record_ids = record_ids()
    only_fields = chosen_fields()
    access = fields.Enum(Access, by_value=True)
    masked = fields.Boolean()
    hours = hours(required=True)


class ReasonedScopeBody(ScopeBody):
    """How far an access goes, and what for."""

    reason = fields.Enum(Reason, by_value=True, required=True)
    explanation = text(2000, required=True)
    ticket = text(100, allow_none=True)


class AccessInvitationBody(ReasonedScopeBody):
    """Letting our staff in without being asked; without `staff_email`, whoever of support takes it up first."""

    staff_email = fields.Email(allow_none=True, validate=[validate.Length(max=254), no_nul])


class ApprovalBody(BodySchema):
    """An approval; whatever it says beside `why` narrows what was asked."""

    resources = resources()
    record_ids = record_ids()
    only_fields = chosen_fields()
    access = fields.Enum(Access, by_value=True)
    masked = fields.Boolean()
    hours = hours()
    why = text(2000, allow_none=True)


class WhyBody(BodySchema):
    """A sentence for whoever is told yes or no."""

    why = text(2000, allow_none=True)


class AccessRulesBody(BodySchema):
    """How many of our own people have to approve, whether only named staff may ask, and whether nobody may."""

    approvers = fields.Integer(strict=True, validate=validate.Range(1, MOST_APPROVERS))
    named = fields.List(
        fields.Email(required=True, validate=no_nul), allow_none=True, validate=validate.Length(max=100)
    )
    forbidden = fields.Boolean()


class AccessRulesSchema(marshmallow.Schema):
    """The rules of this workspace about access by staff."""

    approvers = fields.Integer(required=True)
    named = fields.List(fields.String(), allow_none=True, required=True)
    forbidden = fields.Boolean(required=True)


class AccessStepSchema(marshmallow.Schema):
    """A step of a grant: who took it, when and why."""

    at = Timestamp(required=True)
    step = fields.String(required=True)
    by_kind = fields.String()
    by_name = fields.String()
    why = fields.String(allow_none=True)


class AccessGrantSchema(RecordSchema):
    """Leave for one of our staff to look at named resources for some hours, and every step on the way to it."""

    kind = fields.Enum(GrantKind, by_value=True)
    state = fields.Enum(GrantState, by_value=True)
    staff_id = fields.UUID(allow_none=True)
    staff_name = fields.String(allow_none=True)
    staff_email = fields.String(allow_none=True)
    reason = fields.Enum(Reason, by_value=True)
    explanation = fields.String()
    ticket = fields.String(allow_none=True)
    resources = fields.List(fields.String())
    record_ids = fields.List(fields.UUID(), allow_none=True)
    only_fields = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), allow_none=True)
    access = fields.Enum(Access, by_value=True)
    masked = fields.Boolean()
    hours = fields.Integer()
    narrowed = fields.Boolean()
    ends_at = Timestamp()
    steps = fields.List(fields.Nested(AccessStepSchema), metadata={"always": True})


class VisitSchema(marshmallow.Schema):
    """What both sides see of a visit; the receipt is there once it ended."""

    id = fields.UUID(required=True)
    grant_id = fields.UUID()
    access = fields.Enum(Access, by_value=True)
    intent = fields.String(allow_none=True)
    created_at = Timestamp()
    opened_at = Timestamp(allow_none=True)
    expires_at = Timestamp()
    ended_at = Timestamp(allow_none=True)
    end_reason = fields.String(allow_none=True)
    receipt = fields.Dict(keys=fields.String(), values=fields.Raw(), allow_none=True)


class AccessVisitSchema(VisitSchema):
    """One time that somebody came in under a grant."""

    staff_id = fields.UUID()
    staff_name = fields.String()


class AccessEntrySchema(marshmallow.Schema):
    """What one request of a visit was about to see or change. No record or field was read that is not in an entry."""

    id = fields.UUID(required=True)
    at = Timestamp(required=True)
    kind = fields.String(required=True)
    visit_id = fields.UUID()
    grant_id = fields.UUID()
    staff_id = fields.UUID()
    staff_name = fields.String()
    reason = fields.String()
    ticket = fields.String(allow_none=True)
    route = fields.String()
    resource = fields.String()
    query = fields.Dict(keys=fields.String(), values=fields.Raw())
    shown_fields = fields.List(fields.String())
    masked_fields = fields.List(fields.String())
    record_ids = fields.List(fields.UUID())
    request_id = fields.String()
    address = fields.String(allow_none=True)


class VisitReceiptSchema(marshmallow.Schema):
    """A visit's receipt with the entries it is of: all that `freehold access verify` needs."""

    receipt = fields.Dict(keys=fields.String(), values=fields.Raw(), required=True)
    entries = fields.List(fields.Nested(AccessEntrySchema), required=True)


def _not_gagged(table: Any) -> ColumnElement[bool]:
    passed: ColumnElement[bool] = table.c.visible_from <= sa.func.clock_timestamp()
    return passed


def _state(table: Any) -> ColumnElement[str]:
    """As `grants.state_of`: time alone ends an ask and a leave."""
    over = table.c.ends_at <= sa.func.clock_timestamp()
    waiting = table.c.state.in_([sa.literal_column(f"'{each.value}'") for each in GrantState if each.waiting])
    approved = table.c.state == sa.literal_column(f"'{GrantState.APPROVED.value}'")
    return sa.case(
        (over & waiting, sa.literal_column(f"'{GrantState.EXPIRED.value}'")),
        (over & approved, sa.literal_column(f"'{GrantState.ENDED.value}'")),
        else_=table.c.state,
    )


ACCESS_GRANTS = Resource(
    "access-grants", AccessGrant, AccessGrantSchema(), expressions={"state": _state}, shown=_not_gagged
)
ACCESS_VISITS = Resource("access-visits", AccessVisit, AccessVisitSchema(), shown=_not_gagged)
ACCESS_LOG = Resource("access-log", AccessEntry, AccessEntrySchema(), sort="-at", shown=_not_gagged)
