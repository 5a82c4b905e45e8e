"""How roles look in JSON."""

from marshmallow import fields

from tenants.access.permissions import Reach
from tenants.http.representation import RecordSchema, Resource
from tenants.identity.models import Role


class RoleSchema(RecordSchema):
    """A set of permissions, each with its reach."""

    name = fields.String(required=True)
    built_in = fields.Boolean()
    permissions = fields.Dict(keys=fields.String(), values=fields.Enum(Reach, by_value=True))


ROLES = Resource("roles", Role, RoleSchema(), sort="name")
