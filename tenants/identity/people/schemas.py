"""How users and teams look in JSON."""

import marshmallow
from marshmallow import fields, validate

from tenants.access.permissions import Reach
from tenants.http.representation import RecordSchema, Resource
from tenants.identity.models import Team, User


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
