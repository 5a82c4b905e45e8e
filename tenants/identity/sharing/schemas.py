"""How the share of a record looks in JSON, and what may be said of it."""

from typing import Any

import marshmallow
from marshmallow import fields, validate
from sqlalchemy import ColumnElement, func, or_

from tenants.foundation.clock import now
from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.subjects import Attached
from tenants.identity.models import SHARE_LEVELS, RecordShare
from tenants.identity.people.schemas import TeamBrief, UserBrief

LEVEL = validate.OneOf(SHARE_LEVELS)


class ShareTermsBody(BodySchema):
    """How far a share goes, and until when; without an end it lasts until somebody takes it back."""

    level = fields.String(validate=LEVEL)
    expires_at = Timestamp(allow_none=True)

    @marshmallow.validates("expires_at")
    def _is_to_come(self, value: Any, **_options: Any) -> None:
        if value is not None and value <= now():
            raise marshmallow.ValidationError("The end is over already.")


class ShareBody(ShareTermsBody):
    """Which record is shared, with a user or with a team."""

    resource = fields.String(required=True, validate=validate.Length(1, 100))
    record_id = fields.UUID(required=True)
    user_id = fields.UUID(allow_none=True)
    team_id = fields.UUID(allow_none=True)


class ShareSchema(RecordSchema):
    """A record that is shared with a user or a team; `edit` is to read it too."""

    resource = fields.String(required=True)
    record_id = fields.UUID(required=True)
    user_id = fields.UUID(allow_none=True)
    user = fields.Nested(UserBrief, allow_none=True)
    team_id = fields.UUID(allow_none=True)
    team = fields.Nested(TeamBrief, allow_none=True)
    level = fields.String(validate=LEVEL)
    expires_at = Timestamp(allow_none=True)


def _lasts(table: Any) -> ColumnElement[bool]:
    columns = getattr(table, "c", table)
    return or_(columns.expires_at.is_(None), columns.expires_at > func.now())


SHARES = Resource(
    "record-shares", RecordShare, ShareSchema(), shown=_lasts, attached=Attached("resource", "record_id")
)
