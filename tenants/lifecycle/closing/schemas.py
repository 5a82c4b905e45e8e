"""How an exit looks in JSON."""

import marshmallow
from marshmallow import fields, validate

from tenants.http.representation import BodySchema, Timestamp
from tenants.lifecycle.closing.models import Phase

LONGEST_DAYS = 3650


class ClosingBody(BodySchema):
    """Why, and how long each part is to take, in days; what the law allows is in `periods` of the answer."""

    reason = fields.String(required=True, validate=validate.Length(1, 500))
    notice_days = fields.Integer(load_default=0, validate=validate.Range(0, LONGEST_DAYS))
    transition_days = fields.Integer(load_default=30, validate=validate.Range(0, LONGEST_DAYS))
    retrieval_days = fields.Integer(load_default=30, validate=validate.Range(0, LONGEST_DAYS))


class ExtensionBody(BodySchema):
    """By how many days the transition is extended, once."""

    extension_days = fields.Integer(required=True, validate=validate.Range(1, LONGEST_DAYS))


class PeriodSchema(marshmallow.Schema):
    """One period, with the law that it comes from."""

    name = fields.String()
    bound = fields.String()
    days = fields.Integer()
    law = fields.String()
    says = fields.String()
    effective_from = fields.Date()


class ClosingSchema(marshmallow.Schema):
    """The exit of the workspace. Nothing is destroyed before `destruction_due`, which comes with the last notice."""

    id = fields.UUID()
    phase = fields.Enum(Phase, by_value=True)
    reason = fields.String()
    asked_at = Timestamp()
    notice_until = Timestamp()
    transition_until = Timestamp()
    retrieval_until = Timestamp()
    extended_at = Timestamp(allow_none=True)
    final_notice_at = Timestamp(allow_none=True)
    destruction_due = Timestamp(allow_none=True)
    cancelled_at = Timestamp(allow_none=True)
    charges = fields.String(metadata={"description": "What it costs: nothing."})
    periods = fields.List(fields.Nested(PeriodSchema))
