"""Users and teams of the tenant at hand as a directory sees them, many at a time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import available_timezones

from scim2_models import Meta
from sqlalchemy import Select, or_, select

from tenants.foundation.errors import Invalid
from tenants.identity.models import Team, TeamMember, User
from tenants.identity.people.schemas import LOCALE
from tenants.identity.scim import resources as scim
from tenants.identity.single_sign_on.models import ExternalIdentity
from tenants.isolation.door import db
from tenants.mail.messages import usable_address

UserRow: TypeAlias = tuple[User, ExternalIdentity | None]
TeamRow: TypeAlias = tuple[Team, ExternalIdentity | None]
NOT_KEPT = ("id", "meta", "schemas", "groups", "members")
LONGEST_NAME = 200


def users() -> Select[Any, Any]:
    """Every user whom a directory may know: with an address, or made by one, and not done away with."""
    mine = (ExternalIdentity.user_id == User.id) & ExternalIdentity.provider_id.is_(None)
    return (
        select(User, ExternalIdentity)
        .outerjoin(ExternalIdentity, mine)
        .where(
            or_(User.email.is_not(None), ExternalIdentity.id.is_not(None)),
            ExternalIdentity.removed_at.is_(None),
        )
    )


def teams() -> Select[Any, Any]:
    """Every team that no directory has done away with."""
    return (
        select(Team, ExternalIdentity)
        .outerjoin(ExternalIdentity, ExternalIdentity.team_id == Team.id)
        .where(ExternalIdentity.removed_at.is_(None))
    )


def described_users(rows: Sequence[UserRow]) -> list[scim.User]:
    """Each user: as the directory said, except where our record has moved on."""
    groups = _groups_of([user.id for user, _ in rows])
    return [_described_user(user, known, groups.get(user.id)) for user, known in rows]


def described_teams(rows: Sequence[TeamRow]) -> list[scim.Group]:
    """Each team with its users."""
    members = _members_of([team.id for team, _ in rows])
    return [
        scim.Group(
            id=str(team.id),
            external_id=(known.attributes if known else {}).get("externalId"),
            display_name=team.name,
            members=members.get(team.id),
            meta=_meta("Group", team),
        )
        for team, known in rows
    ]


def columns_of(said: scim.User) -> dict[str, Any]:
    """What our record of a user is when a directory says this. Raises Invalid for an address that is none."""
    name = said.name or scim.Name()
    parts = " ".join(part for part in (name.given_name, name.family_name) if part)
    address = address_of(said.user_name)
    return {
        "name": (said.display_name or name.formatted or parts or said.user_name or "")[:LONGEST_NAME],
        "email": address or _listed_address(said),
        "job_title": said.title,
        "locale": said.locale if said.locale and LOCALE.fullmatch(said.locale) else "en",
        "time_zone": said.timezone if said.timezone in available_timezones() else "UTC",
    }


def address_of(user_name: str | None) -> str | None:
    """A userName as an e-mail address, when it is one."""
    try:
        return usable_address(user_name or "")
    except Invalid:
        return None


def kept(said: scim.User | scim.Group) -> dict[str, Any]:
    """What of it is kept beside our own record."""
    dumped: dict[str, Any] = said.model_dump(mode="json")
    return {name: value for name, value in dumped.items() if name not in NOT_KEPT}


def version_of(record: User | Team) -> str:
    return f'W/"{record.version}"'


def _listed_address(said: scim.User) -> str | None:
    listed = sorted((each for each in said.emails or () if each.value), key=lambda each: not each.primary)
    return address_of(listed[0].value) if listed else None


def _described_user(
    user: User, known: ExternalIdentity | None, groups: list[scim.Membership] | None
) -> scim.User:
    made = scim.User.model_validate(known.attributes if known else {})
    if known is None:
        made.user_name, made.display_name, made.active = user.email, user.name, True
    ours = columns_of(made)
    if user.email and ours["email"] != user.email and known and known.subject is None:
        made.user_name = user.email
    if ours["name"] != user.name:
        made.display_name = user.name
    for attribute, column in (("title", "job_title"), ("locale", "locale"), ("timezone", "time_zone")):
        if ours[column] != getattr(user, column):
            setattr(made, attribute, getattr(user, column))
    if (made.active is not False) is (user.state == "inactive"):
        made.active = user.state != "inactive"
    made.id, made.meta, made.groups = str(user.id), _meta("User", user), groups
    return made


def _meta(kind: str, record: User | Team) -> Meta:
    created: datetime = record.created_at
    return Meta(
        resource_type=kind, created=created, last_modified=record.updated_at, version=version_of(record)
    )


def _groups_of(user_ids: Iterable[UUID]) -> dict[UUID, list[scim.Membership]]:
    query = (
        select(TeamMember.user_id, Team.id, Team.name)
        .join(Team, Team.id == TeamMember.team_id)
        .where(TeamMember.user_id.in_(list(user_ids)))
        .order_by(Team.name)
    )
    found: dict[UUID, list[scim.Membership]] = {}
    for user_id, team_id, name in db().execute(query):
        each = scim.Membership.model_validate(
            {"value": str(team_id), "$ref": f"Groups/{team_id}", "display": name}
        )
        found.setdefault(user_id, []).append(each)
    return found


def _members_of(team_ids: Iterable[UUID]) -> dict[UUID, list[scim.GroupMember]]:
    known = users().with_only_columns(TeamMember.team_id, User.id)
    query = (
        known.join(TeamMember, TeamMember.user_id == User.id)
        .where(TeamMember.team_id.in_(list(team_ids)))
        .order_by(User.id)
    )
    found: dict[UUID, list[scim.GroupMember]] = {}
    for team_id, user_id in db().execute(query):
        each = scim.GroupMember.model_validate(
            {"value": str(user_id), "$ref": f"Users/{user_id}", "type": "User"}
        )
        found.setdefault(team_id, []).append(each)
    return found
