"""The security page of an admin."""

from typing import Any

import marshmallow
from marshmallow import fields, validate

from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.representation import BodySchema, Timestamp
from tenants.http.texts import no_nul
from tenants.identity.people.contact import contact_now, name_contact
from tenants.identity.people.overview import overview
from tenants.identity.people.permissions import NAME_CONTACT, READ_SECURITY, REVIEW_USERS
from tenants.identity.people.reviewing import Review, note_review, review_now

security_overview = Blueprint(
    "security-overview", __name__, url_prefix="/security-overview", purpose=Purpose.SECURITY
)


class ConcernedSchema(marshmallow.Schema):
    """Somebody or something that a rule is about."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class ConcernedKeySchema(ConcernedSchema):
    """An API key, and whose it is."""

    user_id = fields.UUID()
    expires_at = Timestamp(allow_none=True)
    last_used_at = Timestamp(allow_none=True)


class PendingInvitationSchema(ConcernedSchema):
    """An invitation that nobody has accepted yet."""

    user_id = fields.UUID()
    expires_at = Timestamp()


class FoundUsersSchema(marshmallow.Schema):
    """How many users, and the first of them by name."""

    count = fields.Integer(required=True)
    data = fields.List(fields.Nested(ConcernedSchema), required=True)


class FoundKeysSchema(marshmallow.Schema):
    """How many keys, and the oldest of them."""

    count = fields.Integer(required=True)
    data = fields.List(fields.Nested(ConcernedKeySchema), required=True)


class FoundInvitationsSchema(marshmallow.Schema):
    """How many invitations, and those that end first."""

    count = fields.Integer(required=True)
    data = fields.List(fields.Nested(PendingInvitationSchema), required=True)


class LostPointsSchema(marshmallow.Schema):
    """What cost how many points."""

    rule = fields.String(required=True)
    points = fields.Integer(required=True)
    text = fields.String(required=True)


def _users() -> fields.Nested:
    return fields.Nested(FoundUsersSchema, required=True)


def _keys() -> fields.Nested:
    return fields.Nested(FoundKeysSchema, required=True)


class ReviewSchema(marshmallow.Schema):
    """When users were last looked through, how often that is to be, and when it is due next; null is never."""

    reviewed_at = Timestamp(required=True, allow_none=True)
    every_days = fields.Integer(required=True, allow_none=True)
    due_at = Timestamp(required=True, allow_none=True)


class ReviewBody(BodySchema):
    """How often users are to be looked through from now on, in days; left out, that stays as it was."""

    every_days = fields.Integer(strict=True, allow_none=True, validate=validate.Range(7, 730))


class SecurityContactSchema(marshmallow.Schema):
    """Who gets the notices to the admins besides them; null is nobody."""

    email = fields.String(required=True, allow_none=True)


class SecurityContactBody(BodySchema):
    """An address, or null."""

    email = fields.Email(required=True, allow_none=True, validate=[validate.Length(max=254), no_nul])


class SecurityOverviewSchema(marshmallow.Schema):
    """A score from 0 to 100, what it lost points for, and who is concerned: the first hundred of each kind."""

    score = fields.Integer(required=True)
    lost = fields.List(fields.Nested(LostPointsSchema), required=True)
    users = fields.Integer(required=True, metadata={"description": "Users who can sign in."})
    keys = fields.Integer(required=True, metadata={"description": "API keys that work."})
    without_second_factor = _users()
    silent_30_days = _users()
    silent_90_days = _users()
    admins = _users()
    admins_without_second_factor = _users()
    keys_old = _keys()
    keys_unused = _keys()
    keys_without_end = _keys()
    keys_expiring = _keys()
    keys_too_old = _keys()
    invitations_pending = fields.Nested(FoundInvitationsSchema, required=True)
    review = fields.Nested(ReviewSchema, required=True)


@security_overview.get("", may=READ_SECURITY)
@security_overview.response(200, SecurityOverviewSchema)
def get_security_overview() -> dict[str, Any]:
    """How well the workspace is protected: a score, and who should do something about it."""
    return {**overview(), "review": review_now()}


@security_overview.put("/review", may=REVIEW_USERS)
@security_overview.takes(ReviewBody())
@security_overview.response(200, ReviewSchema)
def put_review(said: dict[str, Any]) -> Review:
    """Say that I have looked through who may do what. The next reminder comes when it is due again."""
    return note_review(said)


@security_overview.get("/security-contact", may=READ_SECURITY)
@security_overview.response(200, SecurityContactSchema)
def get_security_contact() -> dict[str, Any]:
    """Who gets the notices to the admins besides them."""
    return contact_now()


@security_overview.put("/security-contact", may=NAME_CONTACT)
@security_overview.takes(SecurityContactBody())
@security_overview.response(200, SecurityContactSchema)
def put_security_contact(said: dict[str, Any]) -> dict[str, Any]:
    """Name the security contact, for instance a mailbox of the team on call. Who it was before is told."""
    return name_contact(said["email"])
