"""Fields that many schemas share: lengths, texts, owners."""

from marshmallow import fields

from tenants.http.representation import BodySchema, RecordSchema
from tenants.http.texts import Pattern, free_text, no_nul, text
from tenants.identity.people.schemas import TeamBrief, UserBrief

__all__ = ["COUNTRY", "OwnedBody", "OwnedRecordSchema", "free_text", "no_nul", "text"]

COUNTRY = Pattern(r"^[A-Z]{2}$", error="Two capital letters, as ISO 3166-1 has them.")


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
