"""How the versions of a tenant's data key look in JSON."""

from marshmallow import Schema, fields, validate

from tenants.http.representation import BodySchema, Timestamp
from tenants.jobs.models import JobState
from tenants.lifecycle.keys.brought import BroughtState
from tenants.lifecycle.keys.versions import VersionState


class KeyVersionSchema(Schema):
    """A version: `current` seals, `replaced` still opens what it sealed, `destroyed` opens nothing any more."""

    version = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf([each.value for each in VersionState]))
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


class BroughtKeyBody(BodySchema):
    """A symmetric key in AWS KMS, and the role in which we use it; its trust has to ask for our external id."""

    key_arn = fields.String(required=True, validate=validate.Length(1, 200))
    role_arn = fields.String(required=True, validate=validate.Length(1, 250))


class BroughtKeySchema(Schema):
    """The key that wraps the data key instead of ours. One that is not `active` opens nothing.

    What is `reversible` is up to its owner: enabled again, it opens everything again.
    """

    key_arn = fields.String(required=True)
    role_arn = fields.String(required=True)
    external_id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([each.value for each in BroughtState]))
    reversible = fields.Boolean(required=True)
    reason = fields.String(required=True, allow_none=True)


class KeysSchema(Schema):
    """The data key of a workspace. `left` counts, by table, the rows that wait to be sealed with the current version."""

    brought = fields.Nested(BroughtKeySchema(), required=True, allow_none=True)
    external_id = fields.String(
        required=True, metadata={"description": "What a role for a key of one's own has to ask for."}
    )
    versions = fields.List(fields.Nested(KeyVersionSchema()), required=True)
    rotation = fields.Nested(RotationSchema(), required=True, allow_none=True)
    left = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
