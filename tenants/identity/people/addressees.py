"""Whom to write to about a matter of the tenant: those who may decide it."""

from sqlalchemy import or_, select

from tenants.access.permissions import Permission
from tenants.identity.models import Role, TeamMember, TeamRole, User, UserRole
from tenants.isolation.door import db


def addresses_of_those_who_may(permission: Permission) -> list[str]:
    """The addresses of active users whose roles, their own or their teams', give a permission."""
    giving = select(Role.id).where(Role.permissions.has_key(permission.name))
    theirs = select(UserRole.user_id).where(UserRole.role_id.in_(giving))
    teams = (
        select(TeamMember.user_id)
        .join(TeamRole, TeamRole.team_id == TeamMember.team_id)
        .where(TeamRole.role_id.in_(giving))
    )
    query = select(User.email).where(User.state == "active", or_(User.id.in_(theirs), User.id.in_(teams)))
    return [address for address in db().scalars(query.order_by(User.email)) if address]
