"""The roles of the tenant."""

from uuid import UUID

from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.identity.rights.permissions import READ_ROLES
from tenants.identity.rights.schemas import ROLES

roles = Blueprint("roles", __name__, url_prefix="/roles", purpose=Purpose.SECURITY)


@roles.page("", ROLES, may=READ_ROLES)
def list_roles() -> Selection:
    """The roles and what they allow."""
    return Selection(ROLES)


@roles.one("/<uuid:role_id>", ROLES, may=READ_ROLES)
def get_role(role_id: UUID) -> Selection:
    """One role."""
    return Selection(ROLES, {"id": role_id}, single=True)
