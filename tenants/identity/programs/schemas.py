"""How API keys look in JSON."""

from marshmallow import fields, validate

from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import text
from tenants.identity.programs.models import ApiKey

LONGEST_GRACE = 24 * 3600


class ApiKeySchema(RecordSchema):
    """An API key without its secret; `hint` is the last four characters. It acts as `user_id`."""

    name = fields.String(required=True)
    user_id = fields.UUID()
    owner_id = fields.UUID(allow_none=True)
    hint = fields.String()
    scopes = fields.List(fields.String(), allow_none=True)
    expires_at = Timestamp(allow_none=True)
    revoked_at = Timestamp(allow_none=True)
    last_used_at = Timestamp(allow_none=True)
    last_used_address = fields.String(allow_none=True)
    replaces_id = fields.UUID(allow_none=True)


class ApiKeyBody(BodySchema):
    """What may be said of a new key. Without scopes it may do whatever its user may, credentials apart."""

    name = text(100, required=True)
    scopes = fields.List(
        fields.String(validate=validate.Length(1, 100)), allow_none=True, validate=validate.Length(max=200)
    )
    expires_at = Timestamp(allow_none=True)


class RotationBody(BodySchema):
    """How long the key before it goes on working, and when the new one ends (by itself as long after today)."""

    grace_seconds = fields.Integer(required=True, strict=True, validate=validate.Range(0, LONGEST_GRACE))
    expires_at = Timestamp(allow_none=True)


class LeakedBody(BodySchema):
    """A secret that was found where it should not be: of an API key, an OAuth token, or an app."""

    secret = fields.String(required=True, validate=validate.Length(1, 500))


class NewApiKeySchema(ApiKeySchema):
    """A new key with its secret, which is never shown again."""

    secret = fields.String(required=True)


API_KEYS = Resource("api-keys", ApiKey, ApiKeySchema())
