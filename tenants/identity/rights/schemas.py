"""How roles look in JSON, and what may be said of them."""

import marshmallow
from marshmallow import fields, validate

from tenants.access.permissions import Reach
from tenants.access.reaching import Decision
from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import no_nul, text
from tenants.identity.models import Role
from tenants.identity.people.schemas import TeamBrief, UserBrief

LEVELS = ("read", "none")
MOST_ROLES = 50


class RoleBody(BodySchema):
    """What may be said of a role. In a PATCH, null takes a permission or a field rule away (RFC 7396)."""

    name = text(100, required=True)
    description = text(2000)
    permissions = fields.Dict(
        keys=fields.String(validate=validate.Length(max=100)),
        values=fields.Enum(Reach, by_value=True, allow_none=True),
    )
    field_rules = fields.Dict(
        attribute="fields",
        keys=fields.String(validate=validate.Length(max=100)),
        values=fields.Dict(
            keys=fields.String(validate=validate.Length(max=100)),
            values=fields.String(validate=validate.OneOf(LEVELS), allow_none=True),
            allow_none=True,
        ),
    )
    mfa_required = fields.Boolean()


class RoleSchema(RecordSchema):
    """A set of permissions, each with its reach, and fields that are closed: `read` or `none`."""

    name = fields.String(required=True)
    description = fields.String(allow_none=True)
    built_in = fields.Boolean()
    permissions = fields.Dict(keys=fields.String(), values=fields.Enum(Reach, by_value=True))
    field_rules = fields.Dict(
        attribute="fields", keys=fields.String(), values=fields.Dict(keys=fields.String())
    )
    mfa_required = fields.Boolean()


class RoleBrief(marshmallow.Schema):
    """A role, as users and teams show it."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class RolesBody(BodySchema):
    """All the roles that somebody is to have."""

    role_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(max=MOST_ROLES))


class RolesSchema(marshmallow.Schema):
    """The roles that somebody has now."""

    data = fields.List(fields.Nested(RoleBrief), required=True)


class GivingRoleSchema(RoleBrief):
    """A role that gives a permission, and the team through which it comes; null for one's own."""

    reach = fields.Enum(Reach, by_value=True, required=True)
    team = fields.Nested(TeamBrief, allow_none=True, required=True)


class RightSchema(marshmallow.Schema):
    """A permission that somebody has, how far it goes, and the roles that give it."""

    name = fields.String(required=True)
    reach = fields.Enum(Reach, by_value=True, required=True)
    roles = fields.List(fields.Nested(GivingRoleSchema), required=True)


class RightsSchema(marshmallow.Schema):
    """Everything that a user may at this moment; `field_rules` are the fields that stay closed to them."""

    user = fields.Nested(UserBrief, required=True)
    state = fields.String(required=True)
    permissions = fields.List(fields.Nested(RightSchema), required=True)
    field_rules = fields.Dict(
        keys=fields.String(), values=fields.Dict(keys=fields.String(), values=fields.String()), required=True
    )


class ExplanationQuery(marshmallow.Schema):
    """Which permission, over which record; `resource` where the permission doesn't say of which the record is."""

    permission = fields.String(required=True, validate=[validate.Length(1, 100), no_nul])
    record = fields.UUID()
    resource = fields.String(validate=[validate.Length(1, 100), no_nul])


class GivenShareSchema(marshmallow.Schema):
    """A share of the record, with the user or through a team."""

    id = fields.UUID(required=True)
    level = fields.String(required=True)
    team_id = fields.UUID(allow_none=True)
    expires_at = Timestamp(allow_none=True)


class StepSchema(marshmallow.Schema):
    """One decision: `decision` says by what, roles, teams and shares are those that decide it."""

    permission = fields.String(required=True)
    allowed = fields.Boolean(required=True)
    decision = fields.Enum(Decision, by_value=True, required=True)
    sentence = fields.String(required=True)
    reach = fields.Enum(Reach, by_value=True, allow_none=True)
    roles = fields.List(fields.Nested(GivingRoleSchema), required=True)
    teams = fields.List(fields.Nested(TeamBrief), required=True)
    shares = fields.List(fields.Nested(GivenShareSchema), required=True)


class ExplanationSchema(marshmallow.Schema):
    """Why a user may do something to a record, or may not. To do anything to it they have to be able to read it."""

    user = fields.Nested(UserBrief, required=True)
    permission = fields.String(required=True)
    record_id = fields.UUID(allow_none=True)
    allowed = fields.Boolean(required=True)
    sentence = fields.String(required=True)
    steps = fields.List(fields.Nested(StepSchema), required=True)
    conditions = fields.List(fields.String(), required=True)
    field_rules = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class PermissionSchema(marshmallow.Schema):
    """One thing that a role can allow."""

    name = fields.String(required=True)
    text = fields.String(required=True)
    reaches = fields.List(fields.Enum(Reach, by_value=True), required=True)
    people_only = fields.Boolean(required=True)
    step_up = fields.Boolean(required=True)


class RegisterSchema(marshmallow.Schema):
    """Everything that a role can allow, and the fields of each resource that it can close."""

    data = fields.List(fields.Nested(PermissionSchema), required=True)
    closable_fields = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)


ROLES = Resource("roles", Role, RoleSchema(), sort="name")
