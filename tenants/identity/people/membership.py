"""Who is in which team. Being in one gives its roles and its reach, so nobody puts in more than they hold."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, select

from tenants.audit.recording import record_event
from tenants.foundation.errors import Invalid
from tenants.identity.holding import ADMIN
from tenants.identity.models import Role, Team, TeamMember, TeamRole, User
from tenants.identity.rights.assigning import must_leave_an_admin
from tenants.identity.rights.granting import must_hold
from tenants.identity.rights.reaching_teams import must_reach_as_they_would
from tenants.identity.single_sign_on.exclusive import must_leave_a_way_in
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time


def teams_named(team_ids: Sequence[UUID], field: str = "team_ids") -> list[Team]:
    """These teams, kept from being deleted meanwhile. Raises Invalid when one isn't there."""
    found = list(
        db().scalars(
            select(Team).where(Team.id.in_(team_ids)).order_by(Team.id).with_for_update(key_share=True)
        )
    )
    if missing := sorted(map(str, set(team_ids) - {each.id for each in found})):
        raise Invalid(errors={field: [f"There is no team {each}." for each in missing]})
    return found


def must_hold_roles_of(teams: Iterable[UUID]) -> None:
    """Raises NotAllowed when being in one of these teams gives more than the caller has."""
    of_teams = select(TeamRole.role_id).where(TeamRole.team_id.in_(list(teams)))
    must_hold(db().scalars(select(Role).where(Role.id.in_(of_teams)).order_by(Role.name)))


def join(user: User, team_ids: Sequence[UUID], field: str = "team_ids") -> None:
    """Put a user into teams they are not in yet. Raises Invalid, and NotAllowed for a team that gives too much."""
    known = teams_of(user.id)
    new = [each for each in teams_named(team_ids, field) if each.id not in known]
    must_hold_roles_of(each.id for each in new)
    must_reach_as_they_would(user.id, [each.id for each in new])
    for team in new:
        db().add(TeamMember(team_id=team.id, user_id=user.id))
        record_event("teams.member_added", "teams", team.id, {"user_id": [None, str(user.id)]})
    db().flush()


def leave(user: User, team_ids: Iterable[UUID]) -> None:
    """Take a user out of teams; their main team is none of these afterwards.

    Raises Conflict when nobody would be left who can do everything.
    """
    gone = sorted(teams_of(user.id) & set(team_ids))
    db().execute(delete(TeamMember).where(TeamMember.user_id == user.id, TeamMember.team_id.in_(gone)))
    for team_id in gone:
        record_event("teams.member_removed", "teams", team_id, {"user_id": [str(user.id), None]})
    if user.team_id in gone:
        user.team_id = None
    db().flush()
    if _give_everything(gone):
        one_at_a_time("roles")
        must_leave_an_admin()
        must_leave_a_way_in(user.id)


def set_teams(user: User, team_ids: Sequence[UUID], main: UUID | None) -> None:
    """Have a user be in exactly these teams; `main` is the one their new records belong to.

    Raises as `join` and `leave` do.
    """
    if main is not None and main not in team_ids:
        raise Invalid(errors={"team_id": ["The main team is one of 'team_ids'."]})
    join(user, team_ids)
    leave(user, teams_of(user.id) - set(team_ids))
    user.team_id = main
    db().flush()


def teams_of(user_id: UUID) -> set[UUID]:
    return set(db().scalars(select(TeamMember.team_id).where(TeamMember.user_id == user_id)))


def _give_everything(team_ids: Sequence[UUID]) -> bool:
    """Whether being in one of these teams makes an admin."""
    admin = select(TeamRole.team_id).join(Role, Role.id == TeamRole.role_id)
    these = (Role.name == ADMIN, Role.built_in, TeamRole.team_id.in_(team_ids))
    return db().scalar(admin.where(*these).limit(1)) is not None
