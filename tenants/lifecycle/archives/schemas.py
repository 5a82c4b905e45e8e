"""How archives look in JSON."""

import marshmallow
from marshmallow import fields, validate

from tenants.catalog.models import State
from tenants.http.representation import BodySchema, Timestamp
from tenants.http.texts import no_nul
from tenants.lifecycle.archives.models import Step


class ArchiveBody(BodySchema):
    """Why the workspace is put away."""

    reason = fields.String(required=True, validate=validate.Length(1, 500))


class ArchiveSchema(marshmallow.Schema):
    """One time that the workspace was put away; `step` is what comes next, `kept` and `returned` where it rests."""

    id = fields.UUID()
    step = fields.String(validate=validate.OneOf([each.value for each in Step]))
    reason = fields.String()
    asked_at = Timestamp()
    kept_at = Timestamp(allow_none=True)
    thaw_asked_at = Timestamp(allow_none=True)
    returned_at = Timestamp(allow_none=True)
    size = fields.Integer(allow_none=True)
    rows = fields.Integer(allow_none=True)
    sha256 = fields.String(allow_none=True)
    error = fields.String(allow_none=True)


class ArchivesSchema(marshmallow.Schema):
    """Every time, latest first."""

    data = fields.List(fields.Nested(ArchiveSchema))


class ThawLinkBody(BodySchema):
    """The address of somebody who worked in a workspace that is archived; `tenant` is its slug, if it is one of many."""

    email = fields.Email(required=True, validate=validate.Length(max=254))
    tenant = fields.String(validate=[validate.Length(1, 63), no_nul])


class ThawBody(BodySchema):
    """The token of the mail."""

    token = fields.String(required=True, validate=validate.Length(1, 200))


class ThawSchema(marshmallow.Schema):
    """A workspace that comes back: `done` of `total` rows in this phase. It is there when `state` is `active`."""

    tenant = fields.String(attribute="slug", allow_none=True)
    state = fields.Enum(State, by_value=True)
    phase = fields.String(allow_none=True)
    done = fields.Integer(allow_none=True)
    total = fields.Integer(allow_none=True)
    error = fields.String(allow_none=True)
