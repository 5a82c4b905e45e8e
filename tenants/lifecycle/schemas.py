"""How a tenant's state looks in JSON."""

import marshmallow
from marshmallow import fields, validate

from tenants.catalog.models import State
from tenants.catalog.states import Mover, Work
from tenants.http.representation import Timestamp


class PermitsSchema(marshmallow.Schema):
    """What goes on in the workspace. `work` is `always` where only exports, mails and the like go on."""

    sign_in = fields.Boolean()
    reads = fields.Boolean()
    writes = fields.Boolean()
    exports = fields.Boolean()
    work = fields.Enum(Work, by_value=True)
    visits = fields.Boolean()


class StateSchema(marshmallow.Schema):
    """The state of the workspace, since when, and what it permits."""

    state = fields.Enum(State, by_value=True)
    since = Timestamp(allow_none=True)
    permits = fields.Nested(PermitsSchema)


class StateChangeSchema(marshmallow.Schema):
    """The workspace went from one state to another."""

    id = fields.UUID()
    before = fields.String(validate=validate.OneOf([each.value for each in State]))
    after = fields.String(validate=validate.OneOf([each.value for each in State]))
    at = Timestamp()
    mover = fields.String(validate=validate.OneOf([each.value for each in Mover]))
    actor_id = fields.UUID(allow_none=True)
    reason = fields.String()


class StateChangesSchema(marshmallow.Schema):
    """Every change of the workspace's state, newest first."""

    data = fields.List(fields.Nested(StateChangeSchema))
