"""How roles look in JSON, and what may be said of them."""

import marshmallow
from marshmallow import fields, validate

from tenants.access.permissions import Reach
from tenants.http.representation import BodySchema, RecordSchema, Resource
from tenants.http.texts import text
from tenants.identity.models import Role

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
