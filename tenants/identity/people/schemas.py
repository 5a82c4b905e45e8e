"""How users, teams and invitations look in JSON, and what may be said of them."""

import re
from typing import Any
from zoneinfo import available_timezones

import marshmallow
import sqlalchemy as sa
from marshmallow import fields, validate
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from tenants.access.permissions import Reach
from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import no_nul, text
from tenants.identity.models import USER_STATES, Team, TeamMember, User, UserRole
from tenants.identity.people.models import INVITATION_STATES, Invitation

LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
MOST_AT_ONCE = 50


def known_zone(name: str) -> None:
    """A place of the time zone database, such as Europe/Rome."""
    if name not in available_timezones():
        raise marshmallow.ValidationError("Name a zone of the IANA database, for instance Europe/Rome.")


def known_locale(name: str) -> None:
    if not LOCALE.fullmatch(name):
        raise marshmallow.ValidationError("Name a language, for instance de or pt-BR.")


def address(*, required: bool = True) -> fields.Email:
    return fields.Email(required=required, validate=[validate.Length(max=254), no_nul])


def ids() -> fields.List[Any]:
    return fields.List(fields.UUID(), validate=validate.Length(max=MOST_AT_ONCE))


class UserBrief(marshmallow.Schema):
    """A user, as other records show them."""

    id = fields.UUID()
    name = fields.String()


class TeamBrief(marshmallow.Schema):
    """A team, as other records show it."""

    id = fields.UUID()
    name = fields.String()


class ProfileBody(BodySchema):
    """What people say of themselves."""

    name = text(200, required=True)
    job_title = text(100)
    office = text(100)
    locale = fields.String(validate=[validate.Length(max=16), known_locale])
    time_zone = fields.String(validate=[validate.Length(max=64), known_zone])


class UserBody(ProfileBody):
    """What may be said of a user; `team_id` is their main team, which they join if they aren't in it."""

    team_id = fields.UUID(allow_none=True)


class NewAddressBody(BodySchema):
    """A new address to sign in with."""

    email = address()


class LinkBody(BodySchema):
    """What follows `#` in the link of a mail."""

    token = fields.String(required=True, validate=[validate.Length(1, 200), no_nul])


class AcceptanceBody(LinkBody):
    """The link of an invitation, and a password of one's own."""

    password = fields.String(required=True, validate=[validate.Length(1, 1000), no_nul])
    name = text(200)


class AddressOwnerSchema(marshmallow.Schema):
    """Who can sign in now, and where."""

    email = fields.String(required=True)
    tenant = fields.Nested(
        marshmallow.Schema.from_dict(
            {"slug": fields.String(), "name": fields.String()}, name="TenantNameSchema"
        ),
        required=True,
    )


class DeactivationBody(BodySchema):
    """Who gets the records, and the teams to manage. Without an heir they stay where they are."""

    hand_over_to = fields.UUID(allow_none=True)


class DeactivationSchema(marshmallow.Schema):
    """A user who may do nothing any more; `job_id` is the job that hands over their `records`."""

    user_id = fields.UUID(required=True)
    state = fields.String(required=True)
    records = fields.Integer(required=True)
    job_id = fields.UUID(required=True, allow_none=True)


class TeamsBody(BodySchema):
    """The teams of a user; `team_id` is the one that their new records belong to."""

    team_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(max=MOST_AT_ONCE))
    team_id = fields.UUID(allow_none=True)


def _ids_of(model: Any, column: str) -> Any:
    """The ids that belong to a user of the table at hand."""

    def listed(table: Any) -> ColumnElement[Any]:
        wanted: Any = model.__table__.c[column]
        found = func.array_agg(
            sa.dialects.postgresql.aggregate_order_by(wanted, wanted), type_=ARRAY(sa.Uuid())
        )
        chosen = select(found).where(model.__table__.c.user_id == table.c.id).scalar_subquery()
        return func.coalesce(chosen, sa.cast(sa.literal("{}"), ARRAY(sa.Uuid())), type_=ARRAY(sa.Uuid()))

    return listed


class UserSchema(RecordSchema):
    """Somebody of the tenant: `invited` until they accept, `inactive` when they may do nothing any more."""

    name = fields.String(required=True)
    email = fields.String(allow_none=True)
    email_verified_at = Timestamp(allow_none=True)
    job_title = fields.String(allow_none=True)
    office = fields.String(allow_none=True)
    locale = fields.String()
    time_zone = fields.String()
    state = fields.String(validate=validate.OneOf(USER_STATES))
    team_id = fields.UUID(allow_none=True)
    team_ids = fields.List(fields.UUID())
    role_ids = fields.List(fields.UUID())
    team = fields.Nested(TeamBrief, allow_none=True)


class TeamBody(BodySchema):
    """What may be said of a team; `parent_id` is the team above it."""

    name = text(100, required=True)
    manager_id = fields.UUID(allow_none=True)
    parent_id = fields.UUID(allow_none=True)


class TeamSchema(RecordSchema):
    """Users who share the reach `team`; `path` are the teams above it, nearest last."""

    name = fields.String(required=True)
    manager_id = fields.UUID(allow_none=True)
    parent_id = fields.UUID(allow_none=True)
    path = fields.List(fields.UUID())


class InvitationBody(BodySchema):
    """Who is invited, and what they may do once they accept; the first team is their main one."""

    email = address()
    name = text(200, required=True)
    job_title = text(100)
    locale = fields.String(validate=[validate.Length(max=16), known_locale])
    role_ids = ids()
    team_ids = ids()


class UserInvitationBody(BodySchema):
    """Where to write to; needed for somebody who has no address yet."""

    email = address(required=False)


class InvitationSchema(RecordSchema):
    """An offer to come in, good until `expires_at` while it is pending."""

    user_id = fields.UUID(required=True)
    email = fields.String(required=True)
    state = fields.String(validate=validate.OneOf(INVITATION_STATES))
    invited_by_id = fields.UUID(allow_none=True)
    expires_at = Timestamp()
    user = fields.Nested(UserBrief)


class SignedInSchema(marshmallow.Schema):
    """Who is signed in; `csrf_token` goes into X-CSRF-Token of every request that changes something."""

    tenant = fields.Nested(
        marshmallow.Schema.from_dict(
            {"id": fields.UUID(), "slug": fields.String(), "name": fields.String()}, name="TenantBriefSchema"
        )
    )
    user = fields.Nested(
        marshmallow.Schema.from_dict(
            {
                "id": fields.UUID(),
                "name": fields.String(),
                "email": fields.String(allow_none=True),
                "job_title": fields.String(allow_none=True),
                "office": fields.String(allow_none=True),
                "locale": fields.String(),
                "time_zone": fields.String(),
            },
            name="MeBriefSchema",
        )
    )
    permissions = fields.Dict(keys=fields.String(), values=fields.Enum(Reach, by_value=True))
    csrf_token = fields.String(allow_none=True)


USERS = Resource(
    "users",
    User,
    UserSchema(),
    sort="name",
    expressions={"team_ids": _ids_of(TeamMember, "team_id"), "role_ids": _ids_of(UserRole, "role_id")},
)
TEAMS = Resource("teams", Team, TeamSchema(), sort="name")
INVITATIONS = Resource("invitations", Invitation, InvitationSchema())
