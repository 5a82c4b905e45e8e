"""How API keys look in JSON."""

from marshmallow import fields, validate

from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.identity.programs.models import ApiKey


class ApiKeySchema(RecordSchema):
    """An API key without its secret; `hint` is the last four characters."""

    name = fields.String(required=True)
    user_id = fields.UUID()
    hint = fields.String()
    scopes = fields.List(fields.String(), allow_none=True)
    expires_at = Timestamp(allow_none=True)
    revoked_at = Timestamp(allow_none=True)


class ApiKeyBody(BodySchema):
    """What may be said of a new key. Without scopes it may do whatever its user may, credentials apart."""

    name = fields.String(required=True, validate=validate.Length(1, 100))
    scopes = fields.List(
        fields.String(validate=validate.Length(1, 100)), allow_none=True, validate=validate.Length(max=200)
    )
    expires_at = Timestamp(allow_none=True)


class NewApiKeySchema(ApiKeySchema):
    """A new key with its secret, which is never shown again."""

    secret = fields.String(required=True)


API_KEYS = Resource("api-keys", ApiKey, ApiKeySchema())
