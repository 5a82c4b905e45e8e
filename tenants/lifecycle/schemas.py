"""How a tenant's state looks in JSON."""

import marshmallow
from marshmallow import fields, validate

from tenants.catalog.models import State
from tenants.catalog.states import Mover, Work
from tenants.http.representation import Timestamp
from tenants.lifecycle.moves.models import Step


class PermitsSchema(marshmallow.Schema):
    """What goes on in the workspace. `work` is `always` where only exports, mails and the like go on."""

    sign_in = fields.Boolean()
    reads = fields.Boolean()
    writes = fields.Boolean()
    exports = fields.Boolean()
    work = fields.Enum(Work, by_value=True)
    visits = fields.Boolean()


class StateSchema(marshmallow.Schema):
    """The state of the workspace, since when, and what it permits; and the region that it never leaves, if it has one.

    It is archived when nobody used it for `archived_after_days`; null is never.
    """

    state = fields.Enum(State, by_value=True)
    since = Timestamp(allow_none=True)
    region = fields.String(allow_none=True)
    archived_after_days = fields.Integer(allow_none=True)
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


class MoveSchema(marshmallow.Schema):
    """The workspace went from one server to another; nothing was written from `paused_at` to `resumed_at`.

    Until `way_back_until` the former one keeps what was there when it went, unread, unless it is removed sooner.
    """

    id = fields.UUID()
    step = fields.String(validate=validate.OneOf([each.value for each in Step]))
    reason = fields.String()
    asked_at = Timestamp()
    paused_at = Timestamp(allow_none=True)
    resumed_at = Timestamp(allow_none=True)
    pause_seconds = fields.Float(allow_none=True)
    way_back_until = Timestamp(allow_none=True)
    rows = fields.Integer(allow_none=True)


class MovesSchema(marshmallow.Schema):
    """Every move, newest first."""

    data = fields.List(fields.Nested(MoveSchema))
