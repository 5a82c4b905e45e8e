"""What signing in takes, and how sessions look in JSON."""

import marshmallow
from marshmallow import fields, validate

from tenants.http.representation import BodySchema, Resource, Timestamp
from tenants.identity.signing_in.models import Session
from tenants.identity.signing_in.passwords import LONGEST


class SignInBody(BodySchema):
    """`tenant` (its slug) is needed only when one address and password open several."""

    email = fields.String(required=True, validate=validate.Length(3, 254))
    password = fields.String(required=True, validate=validate.Length(1, LONGEST))
    tenant = fields.String(validate=validate.Length(1, 63))


class SessionSchema(marshmallow.Schema):
    """A browser that is signed in."""

    id = fields.UUID(required=True)
    user_id = fields.UUID()
    created_at = Timestamp()
    expires_at = Timestamp()
    address = fields.String(allow_none=True)
    device = fields.String(allow_none=True)


SESSIONS = Resource("sessions", Session, SessionSchema())
