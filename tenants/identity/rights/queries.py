"""Where the rights of a user come from: their roles and those of their teams, and what was shared with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select

from tenants.access.caller import Caller
from tenants.identity.models import RecordShare, Role, Team, TeamRole, UserRole
from tenants.isolation.door import db


@dataclass(frozen=True, slots=True)
class Source:
    """A role that a user has: their own, or one of a team of theirs."""

    role: Role
    team: Team | None


def sources_of(user_id: UUID, teams: Sequence[UUID]) -> list[Source]:
    """Every role of a user in these teams, and how they come to have it."""
    own = select(Role).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == user_id)
    theirs = (
        select(Role, Team).join(TeamRole, TeamRole.role_id == Role.id).join(Team, Team.id == TeamRole.team_id)
    )
    through = db().execute(theirs.where(Team.id.in_(teams)).order_by(Role.name, Team.name))
    return [
        *(Source(role, None) for role in db().scalars(own.order_by(Role.name))),
        *(Source(role, team) for role, team in through),
    ]


def shares_with(caller: Caller, resource: str, record_id: UUID) -> list[RecordShare]:
    """The shares of one record that a user has, by themselves or through a team."""
    mine = or_(RecordShare.user_id == caller.user_id, RecordShare.team_id.in_(caller.teams))
    lasts = or_(RecordShare.expires_at.is_(None), RecordShare.expires_at > func.now())
    about = (RecordShare.resource == resource, RecordShare.record_id == record_id)
    return list(db().scalars(select(RecordShare).where(*about, mine, lasts).order_by(RecordShare.id)))


def teams_by_id(ids: Iterable[UUID]) -> dict[UUID, Team]:
    return {each.id: each for each in db().scalars(select(Team).where(Team.id.in_(list(ids))))}
