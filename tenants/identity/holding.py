"""Whose a role is: those who were given it, and whoever is in a team that has it, or manages one."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select

from tenants.identity.models import Role, Team, TeamMember, TeamRole, User, UserRole

#: The built-in role that holds everything.
ADMIN = "admin"


def holds_everything() -> ColumnElement[bool]:
    """A condition over `User`: they have the built-in role that holds everything."""
    return has_role(Role.name == ADMIN, Role.built_in.is_(True))


def has_role(*like: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition over `User`: they have a role like this, as the statement of their standing would say."""
    roles = select(Role.id).where(*like)
    own = select(UserRole.role_id).where(UserRole.user_id == User.id, UserRole.role_id.in_(roles))
    of_teams = (
        select(TeamRole.role_id)
        .join(Team, Team.id == TeamRole.team_id)
        .outerjoin(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamRole.role_id.in_(roles), or_(TeamMember.user_id == User.id, Team.manager_id == User.id))
    )
    return or_(own.exists(), of_teams.exists())


def roles_of(user_id: UUID) -> Select[Role]:
    """The same from the other side: the roles of one user, by name."""
    own = select(UserRole.role_id).where(UserRole.user_id == user_id)
    of_teams = select(TeamRole.role_id).where(TeamRole.team_id.in_(teams_of(user_id)))
    return select(Role).where(or_(Role.id.in_(own), Role.id.in_(of_teams))).order_by(Role.name)


def teams_of(user_id: UUID) -> Select[UUID]:
    """The teams that a user is in or manages."""
    member = select(TeamMember.team_id).where(TeamMember.user_id == user_id)
    return select(Team.id).where(or_(Team.manager_id == user_id, Team.id.in_(member)))
