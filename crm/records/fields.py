"""Fields that many schemas share: lengths, texts, owners."""

from typing import Any

import marshmallow
from marshmallow import fields, validate

from tenants.http.representation import BodySchema, RecordSchema
from tenants.identity.people.schemas import TeamBrief, UserBrief

COUNTRY = validate.Regexp(r"^[A-Z]{2}$", error="Two capital letters, as ISO 3166-1 has them.")


def no_nul(text: str) -> None:
    """PostgreSQL can't keep a NUL character in a text."""
    if "\0" in text:
        raise marshmallow.ValidationError("A NUL character can't be stored.")


def text(longest: int = 200, *, required: bool = False, **options: Any) -> fields.String:
    """A text of a bounded length; one that is required is never empty."""
    length = validate.Length(1 if required else 0, longest)
    return fields.String(required=required, allow_none=not required, validate=[length, no_nul], **options)


class OwnedBody(BodySchema):
    """Who a record belongs to; without it, whoever makes it."""

    owner_id = fields.UUID(allow_none=True)
    team_id = fields.UUID(allow_none=True)


class OwnedRecordSchema(RecordSchema):
    """What every owned record shows of itself."""

    owner_id = fields.UUID(allow_none=True)
    team_id = fields.UUID(allow_none=True)
    owner = fields.Nested(UserBrief, allow_none=True)
    team = fields.Nested(TeamBrief, allow_none=True)
