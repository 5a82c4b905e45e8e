"""How the versions of a tenant's data key look in JSON."""

from marshmallow import Schema, fields, validate

from tenants.http.representation import Timestamp
from tenants.jobs.models import JobState


class KeyVersionSchema(Schema):
    """A version: `current` seals, `replaced` still opens what it sealed, `destroyed` opens nothing any more."""

    version = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["current", "replaced", "destroyed"]))
    created_at = Timestamp(required=True)
    replaced_at = Timestamp(required=True, allow_none=True)
    destroyed_at = Timestamp(required=True, allow_none=True)


class RotationSchema(Schema):
    """The latest rotation: its job, and how far that is."""

    job_id = fields.UUID(required=True)
    status = fields.String(required=True, validate=validate.OneOf([each.value for each in JobState]))
    done = fields.Integer(required=True, allow_none=True)
    total = fields.Integer(required=True, allow_none=True)
    phase = fields.String(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)


class KeysSchema(Schema):
    """The data key of a workspace. `left` counts, by table, the rows that wait to be sealed with the current version."""

    versions = fields.List(fields.Nested(KeyVersionSchema()), required=True)
    rotation = fields.Nested(RotationSchema(), required=True, allow_none=True)
    left = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
