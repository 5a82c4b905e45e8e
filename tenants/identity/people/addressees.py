"""Whom to write to about a matter of the tenant: those who may decide it."""

from sqlalchemy import select

from tenants.access.permissions import Permission
from tenants.identity.holding import has_role
from tenants.identity.models import Role, User
from tenants.isolation.door import db


def addresses_of_those_who_may(permission: Permission) -> list[str]:
    """The addresses of active users who have a role that gives a permission."""
    giving = has_role(Role.permissions.has_key(permission.name))
    query = select(User.email).where(User.state == "active", giving)
    return [address for address in db().scalars(query.order_by(User.email)) if address]
