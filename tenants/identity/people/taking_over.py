"""Whoever gives a way into an account holds all that it holds: else it would be theirs for more than they have."""

from uuid import UUID

from sqlalchemy import Select, or_, select

from tenants.foundation.errors import Conflict
from tenants.identity.models import Role, Team, TeamMember, TeamRole, User, UserRole
from tenants.identity.one_time import GONE
from tenants.identity.rights.granting import holds, must_hold
from tenants.identity.standings import standing_of
from tenants.isolation.door import db


def must_hold_everything_of(user: User) -> None:
    """Raises NotAllowed when a user's roles hold more than the caller has."""
    must_hold(db().scalars(_roles_of(user.id)))


def must_hold_still(giver_id: UUID | None, user: User) -> None:
    """The same of whoever had a link mailed, when it is followed: with what both have by then.

    Raises Conflict, in the words of a link that was used, also when the giver was deactivated meanwhile. One's own
    link, and the system's, stay good.
    """
    if giver_id is None or giver_id == user.id:
        return
    giver = standing_of(giver_id, "session", None)
    if giver is None or not holds(giver, db().scalars(_roles_of(user.id))):
        raise Conflict(GONE, code="gone")


def _roles_of(user_id: UUID) -> Select[Role]:
    """Their own and those of their teams. Who manages a team counts as being in it."""
    teams = select(Team.id).where(
        or_(
            Team.manager_id == user_id,
            Team.id.in_(select(TeamMember.team_id).where(TeamMember.user_id == user_id)),
        )
    )
    own = select(UserRole.role_id).where(UserRole.user_id == user_id)
    of_teams = select(TeamRole.role_id).where(TeamRole.team_id.in_(teams))
    return select(Role).where(or_(Role.id.in_(own), Role.id.in_(of_teams))).order_by(Role.name)
