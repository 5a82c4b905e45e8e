"""How users, teams, roles, keys and sessions look in JSON."""

import marshmallow
from marshmallow import fields, validate

from tenants.access.permissions import Reach
from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.identity.models import ApiKey, Role, Session, Team, User
from tenants.identity.passwords import LONGEST


class UserBrief(marshmallow.Schema):
    """A user, as other records show them."""

    id = fields.UUID()
    name = fields.String()


class TeamBrief(marshmallow.Schema):
    """A team, as other records show it."""

    id = fields.UUID()
    name = fields.String()


class UserSchema(RecordSchema):
    """Somebody of the tenant; `may_sign_in` is false until they have an e-mail address."""

    name = fields.String(required=True)
    email = fields.String(allow_none=True)
    office = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf(["active", "inactive"]))
    team_id = fields.UUID(allow_none=True)
    team = fields.Nested(TeamBrief, allow_none=True)


class TeamSchema(RecordSchema):
    """Users who share the reach `team`."""

    name = fields.String(required=True)
    manager_id = fields.UUID(allow_none=True)


class RoleSchema(RecordSchema):
    """A set of permissions, each with its reach."""

    name = fields.String(required=True)
    built_in = fields.Boolean()
    permissions = fields.Dict(keys=fields.String(), values=fields.Enum(Reach, by_value=True))


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


class SignedInSchema(marshmallow.Schema):
    """Who is signed in; `csrf_token` goes into X-CSRF-Token of every request that changes something."""

    tenant = fields.Nested(
        marshmallow.Schema.from_dict(
            {"id": fields.UUID(), "slug": fields.String(), "name": fields.String()}, name="TenantBriefSchema"
        )
    )
    user = fields.Nested(
        marshmallow.Schema.from_dict(
            {"id": fields.UUID(), "name": fields.String(), "email": fields.String(allow_none=True)},
            name="MeBriefSchema",
        )
    )
    permissions = fields.Dict(keys=fields.String(), values=fields.Enum(Reach, by_value=True))
    csrf_token = fields.String(allow_none=True)


USERS = Resource("users", User, UserSchema(), sort="name")
TEAMS = Resource("teams", Team, TeamSchema(), sort="name")
ROLES = Resource("roles", Role, RoleSchema(), sort="name")
API_KEYS = Resource("api-keys", ApiKey, ApiKeySchema())
SESSIONS = Resource("sessions", Session, SessionSchema())
