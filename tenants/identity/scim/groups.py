"""What a directory does to teams: it names them and says who is in them. Their roles are given here, by people."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from scim2_models import InvalidValueException, UniquenessException
from sqlalchemy import func, select

from tenants.foundation.clock import now
from tenants.identity.models import Team, TeamMember, User
from tenants.identity.people.membership import join, leave
from tenants.identity.people.tree import change_team, make_team
from tenants.identity.scim import resources as scim
from tenants.identity.scim.describing import kept, users
from tenants.identity.single_sign_on.models import ExternalIdentity
from tenants.isolation.door import db

LONGEST_NAME = 200


def create_team(said: scim.Group) -> Team:
    """A new team, or one that the directory had done away with. Raises UniquenessException for a name that is taken."""
    found: Any = db().execute(
        select(Team, ExternalIdentity)
        .outerjoin(ExternalIdentity, ExternalIdentity.team_id == Team.id)
        .where(func.lower(Team.name) == _name(said).lower())
        .with_for_update(of=Team)
    ).first()  # fmt: skip
    if found is None:
        team = make_team({"name": _name(said)})
        return change_group(team, None, said)
    team, known = found
    if known is None or known.removed_at is None:
        raise UniquenessException(detail="There is a group with this displayName already.")
    known.removed_at = None
    return change_group(team, known, said)


def change_group(team: Team, known: ExternalIdentity | None, said: scim.Group) -> Team:
    """Have a team be as the directory says. Raises NotAllowed when being in it gives more than the key may."""
    if team.name != _name(said):
        change_team(team.id, {"name": _name(said)})
    _set_members(team, said.members or ())
    if known is None:
        known = ExternalIdentity(team_id=team.id)
        db().add(known)
    known.attributes = kept(said)
    team.updated_at = now()
    db().flush()
    return team


def remove_team(team: Team, known: ExternalIdentity | None) -> None:
    """Take everybody out, and let the directory not see the team any more. It stays, as records belong to it."""
    _set_members(team, ())
    if known is None:
        known = ExternalIdentity(team_id=team.id)
        db().add(known)
    known.removed_at = now()
    team.updated_at = now()
    db().flush()


def _set_members(team: Team, said: Iterable[scim.GroupMember]) -> None:
    before = set(db().scalars(select(TeamMember.user_id).where(TeamMember.team_id == team.id)))
    after = {_user_id(each) for each in said}
    # Whoever the directory can't see, it can't leave out either.
    visible = {user.id: user for user, _ in db().execute(users().where(User.id.in_(before | after)))}
    if after - visible.keys():
        raise InvalidValueException(detail="A member is no user here.")
    for user_id in sorted(after - before):
        join(visible[user_id], [team.id])
        if visible[user_id].team_id is None:
            visible[user_id].team_id = team.id
    for user_id in sorted((before & visible.keys()) - after):
        leave(visible[user_id], [team.id])


def _user_id(member: scim.GroupMember) -> UUID:
    try:
        return UUID(member.value or "")
    except ValueError:
        raise InvalidValueException(detail="A member is no user here.") from None


def _name(said: scim.Group) -> str:
    name = (said.display_name or "").strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidValueException(detail=f"A displayName has 1 to {LONGEST_NAME} characters.")
    return name
