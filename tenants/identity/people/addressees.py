"""Whom to write to about a matter of the tenant: its admins or those who may decide it, and its security contact."""

from uuid import UUID

from sqlalchemy import select

from tenants.access.permissions import Permission
from tenants.identity.holding import has_role
from tenants.identity.models import Role, TenantProfile, User
from tenants.identity.people.overview import IS_ADMIN
from tenants.isolation.door import db


def admin_addresses(but: UUID | None = None) -> list[str]:
    """The addresses of all active admins: of everybody who can let themselves do everything, whatever the role's name."""
    return _addresses(None, but)


def addresses_told(to: Permission | None, but: UUID | None) -> list[str]:
    """Who is told of a notice by mail: all active admins, or else who has a role that gives this permission.

    The security contact of the tenant is told besides, if it named one; the user `but` is left out.
    """
    contact = db().scalars(select(TenantProfile.security_contact)).one()
    return [*_addresses(to, but), *([contact] if contact else [])]


def _addresses(to: Permission | None, but: UUID | None) -> list[str]:
    holds = IS_ADMIN if to is None else has_role(Role.permissions.has_key(to.name))
    query = select(User.email).where(User.state == "active", holds, User.id.is_distinct_from(but))
    return [address for address in db().scalars(query.order_by(User.email)) if address]
