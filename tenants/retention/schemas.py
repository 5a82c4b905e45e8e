"""How holds, rules and the bin look in JSON, and what may be said of them."""

import marshmallow
from marshmallow import fields, validate
from sqlalchemy import func, literal

from tenants.audit.schemas import without_closed
from tenants.foundation.tables import Source
from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.subjects import Attached
from tenants.http.texts import Pattern, no_nul, text
from tenants.retention.keeping import binned_models
from tenants.retention.models import Action, BinEntry, LegalHold, RetentionRule, Trigger, lasting
from tenants.retention.periods import period_of


def _is_period(said: str) -> None:
    try:
        period_of(said)
    except ValueError as error:
        raise marshmallow.ValidationError(str(error)) from None


SHA256 = Pattern(r"^[0-9a-f]{64}$", error="A SHA-256 in 64 small hexadecimal digits.")
MOST_NAMED = 1000
NAMED = validate.Length(1, MOST_NAMED)


def required_text(longest: int) -> fields.String:
    return fields.String(required=True, validate=[validate.Length(1, longest), no_nul])


class HoldBody(BodySchema):
    """What is held, in which matter and why. Without `resource` and `record_ids` it is everything of the workspace."""

    matter = required_text(200)
    reason = required_text(10_000)
    resource = text(100)
    record_ids = fields.List(fields.UUID(required=True), allow_none=True, validate=NAMED)
    ends_at = Timestamp(allow_none=True)
    document_sha256 = fields.String(allow_none=True, validate=SHA256)


class ReleaseBody(BodySchema):
    """Why a hold ends."""

    reason = required_text(10_000)


class HoldSchema(RecordSchema):
    """Records that must not go, who said so and why; and who let them go, and why."""

    matter = fields.String(required=True)
    reason = fields.String(required=True)
    resource = fields.String(allow_none=True)
    record_ids = fields.List(fields.UUID(), allow_none=True)
    ends_at = Timestamp(allow_none=True)
    document_sha256 = fields.String(allow_none=True)
    in_force = fields.Boolean()
    placed_by_id = fields.UUID(allow_none=True)
    placed_by_platform = fields.Boolean()
    released_at = Timestamp(allow_none=True)
    released_by_id = fields.UUID(allow_none=True)
    release_reason = fields.String(allow_none=True)


HOLDS = Resource(
    "legal-holds",
    LegalHold,
    HoldSchema(),
    expressions={
        "in_force": lambda table: lasting(table.c, func.now()),
        "placed_by_platform": lambda table: table.c.source == literal(Source.SYSTEM.value),
    },
)


class RuleBody(BodySchema):
    """How long records of a resource are kept, or from when on they go, and by which law or promise.

    `period` counts from the `trigger`, as ISO 8601 has periods. With `record_ids` it speaks of these records alone.
    The resource `bin` says how long after a deletion the bin keeps what was deleted.
    """

    name = required_text(200)
    resource = required_text(100)
    action = fields.Enum(Action, by_value=True, required=True)
    trigger = fields.Enum(Trigger, by_value=True, required=True)
    period = fields.String(required=True, validate=[validate.Length(3, 20), _is_period])
    record_ids = fields.List(fields.UUID(required=True), allow_none=True, validate=NAMED)
    legal_source = required_text(1000)
    effective_from = fields.Date()


class RuleSchema(RecordSchema):
    """A rule of retention. It does nothing until it is enabled."""

    name = fields.String(required=True)
    resource = fields.String(required=True)
    purpose = fields.String()
    action = fields.Enum(Action, by_value=True)
    trigger = fields.Enum(Trigger, by_value=True)
    period = fields.String()
    record_ids = fields.List(fields.UUID(), allow_none=True)
    legal_source = fields.String()
    effective_from = fields.Date()
    enabled = fields.Boolean()
    previewed_at = Timestamp(allow_none=True)
    previewed_count = fields.Integer(allow_none=True)
    enabled_at = Timestamp(allow_none=True)
    enabled_by_id = fields.UUID(allow_none=True)


class PreviewSchema(marshmallow.Schema):
    """What a rule would do if it ran now. What is held, retained or referred to by others would stay."""

    id = fields.UUID(required=True)
    sentence = fields.String(required=True)
    count = fields.Integer(required=True)
    sample_ids = fields.List(fields.UUID(), required=True)
    held = fields.Integer()
    retained = fields.Integer()
    referred_to = fields.Integer()


class BinSchema(marshmallow.Schema):
    """A record that was deleted. `brief` has what people know it by, less what is closed to the reader."""

    id = fields.UUID(required=True)
    created_at = Timestamp(metadata={"description": "When it was deleted."})
    purge_at = Timestamp(metadata={"description": "When it goes for good, unless something keeps it."})
    deleted_by_id = fields.UUID(allow_none=True)
    resource = fields.String(required=True)
    record_id = fields.UUID(required=True)
    owner_id = fields.UUID(allow_none=True)
    team_id = fields.UUID(allow_none=True)
    brief = fields.Dict(keys=fields.String(), values=fields.Raw())


class RestorationSchema(marshmallow.Schema):
    """The record that is back."""

    id = fields.UUID(required=True)
    resource = fields.String(required=True)


RULES = Resource(
    "retention-rules",
    RetentionRule,
    RuleSchema(),
    expressions={"enabled": lambda table: table.c.enabled_at.is_not(None)},
)
ENTRIES = Resource(
    "bin",
    BinEntry,
    BinSchema(),
    attached=Attached("resource", "record_id", binned_models, away=True),
    covers={"brief": without_closed},
)
