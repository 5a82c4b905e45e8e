"""How pipelines, stages and deals look in JSON, and what may be said of them."""

import marshmallow
from marshmallow import fields, validate

from crm.contacts.schemas import CompanyBrief, ContactBrief
from crm.products.schemas import ProductBrief
from crm.records.fields import OwnedBody, OwnedRecordSchema, free_text, no_nul, text
from crm.records.money_fields import Money
from crm.sales.models import Deal, DealChange, Outcome, Pipeline, Stage, StageChange
from tenants.http.custom_values import CustomValues, custom_values
from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.identity.people.schemas import UserBrief

PERCENT = validate.Range(0, 100)
POSITION = validate.Range(0, 1_000_000)


class PipelineBrief(marshmallow.Schema):
    """A pipeline, as other records show it."""

    id = fields.UUID()
    name = fields.String()


class StageBrief(marshmallow.Schema):
    """A stage, as other records show it."""

    id = fields.UUID()
    name = fields.String()
    position = fields.Integer()
    probability = fields.Integer()


class DealBrief(marshmallow.Schema):
    """A deal, as other records show it."""

    id = fields.UUID()
    name = fields.String()


class PipelineBody(BodySchema):
    """What may be said of a pipeline."""

    name = text(100, required=True)
    is_default = fields.Boolean()


class PipelineSchema(RecordSchema):
    """A pipeline."""

    name = fields.String(required=True)
    is_default = fields.Boolean()
    stages = fields.List(fields.Nested(StageBrief))


class StageBody(BodySchema):
    """What may be said of a stage. Without a position it comes last."""

    pipeline_id = fields.UUID(required=True)
    name = text(100, required=True)
    position = fields.Integer(strict=True, validate=POSITION)
    probability = fields.Integer(strict=True, validate=PERCENT)


class StageSchema(RecordSchema):
    """A stage of a pipeline."""

    pipeline_id = fields.UUID()
    pipeline = fields.Nested(PipelineBrief)
    name = fields.String(required=True)
    position = fields.Integer()
    probability = fields.Integer()


class DealBody(OwnedBody):
    """What may be said of a deal. Its stage and its outcome have places of their own."""

    name = fields.String(validate=[validate.Length(1, 200), no_nul])
    reference = fields.String(allow_none=True, validate=[validate.Length(1, 100), no_nul])
    company_id = fields.UUID(allow_none=True)
    contact_id = fields.UUID(allow_none=True)
    product_id = fields.UUID(allow_none=True)
    amount = Money("amount", allow_none=True)
    expected_close_on = fields.Date(allow_none=True)
    opened_on = fields.Date(allow_none=True)
    notes = free_text()
    custom = CustomValues("deals")


class NewDealBody(DealBody):
    """What a deal begins with: the first stage of the default pipeline unless it says more."""

    pipeline_id = fields.UUID()
    stage_id = fields.UUID()


class OutcomeBody(BodySchema):
    """How a deal ended; today, when no day is given."""

    result = fields.Enum(Outcome, by_value=True, required=True, metadata={"sets": "outcome"})
    reason = text(2000, metadata={"sets": "outcome_reason"})
    closed_on = fields.Date()


class PlaceBody(BodySchema):
    """The stage to put a deal on."""

    stage_id = fields.UUID(required=True)


class DealSchema(OwnedRecordSchema):
    """A deal. It is open while it has no outcome."""

    name = fields.String(required=True)
    reference = fields.String(allow_none=True)
    company_id = fields.UUID(allow_none=True)
    company = fields.Nested(CompanyBrief, allow_none=True)
    contact_id = fields.UUID(allow_none=True)
    contact = fields.Nested(ContactBrief, allow_none=True)
    product_id = fields.UUID(allow_none=True)
    product = fields.Nested(ProductBrief, allow_none=True)
    pipeline_id = fields.UUID()
    pipeline = fields.Nested(PipelineBrief)
    stage_id = fields.UUID(allow_none=True)
    stage = fields.Nested(StageBrief, allow_none=True)
    amount = Money("amount", allow_none=True)
    expected_close_on = fields.Date(allow_none=True)
    opened_on = fields.Date(allow_none=True)
    outcome = fields.Enum(Outcome, by_value=True, allow_none=True)
    outcome_reason = fields.String(allow_none=True)
    closed_on = fields.Date(allow_none=True)
    closed_by_id = fields.UUID(allow_none=True)
    closed_by = fields.Nested(UserBrief, allow_none=True)
    notes = fields.String(allow_none=True)
    custom = custom_values()


class OutcomeChangeSchema(marshmallow.Schema):
    """A deal was closed; or reopened, when there is no outcome."""

    id = fields.UUID(required=True)
    at = Timestamp()
    by_id = fields.UUID(allow_none=True)
    by = fields.Nested(UserBrief, allow_none=True, metadata={"always": True})
    outcome = fields.Enum(Outcome, by_value=True, allow_none=True)
    reason = fields.String(allow_none=True)
    closed_on = fields.Date(allow_none=True)


class StageChangeSchema(marshmallow.Schema):
    """A deal came from one stage to another; the ids are null when those stages are deleted."""

    id = fields.UUID(required=True)
    at = Timestamp()
    by_id = fields.UUID(allow_none=True)
    by = fields.Nested(UserBrief, allow_none=True, metadata={"always": True})
    from_stage_id = fields.UUID(allow_none=True)
    from_stage = fields.String(allow_none=True)
    to_stage_id = fields.UUID(allow_none=True)
    to_stage = fields.String()


PIPELINES = Resource("pipelines", Pipeline, PipelineSchema())
STAGES = Resource("stages", Stage, StageSchema(), sort="pipeline_id,position")
DEALS = Resource("deals", Deal, DealSchema(), search="words")
OUTCOME_CHANGES = Resource(
    "outcome-changes",
    DealChange,
    OutcomeChangeSchema(),
    sort="at",
    mirrors={"outcome": "outcome", "reason": "outcome_reason", "closed_on": "closed_on"},
)
STAGE_CHANGES = Resource(
    "stage-changes",
    StageChange,
    StageChangeSchema(),
    sort="at",
    mirrors=dict.fromkeys(("from_stage_id", "from_stage", "to_stage_id", "to_stage"), "stage"),
)
