"""The roles of the tenant, who has them, and what a role can allow."""

from typing import Any
from uuid import UUID

from tenants.access.caller import acting
from tenants.access.ownership import reaches_of
from tenants.access.permissions import SIGNED_IN, registered
from tenants.access.policy import find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.representation import ruled_fields
from tenants.http.selection import Selection
from tenants.identity.models import Role, User
from tenants.identity.people.permissions import READ_USERS
from tenants.identity.people.schemas import TEAMS, USERS
from tenants.identity.rights.assigning import give_to_team, give_to_user
from tenants.identity.rights.changing import change_role, delete_role, make_role
from tenants.identity.rights.contents import own_fields
from tenants.identity.rights.explaining import explained, rights_of
from tenants.identity.rights.permissions import (
    ASSIGN_ROLES,
    CREATE_ROLES,
    DELETE_ROLES,
    EDIT_ROLES,
    READ_ROLES,
)
from tenants.identity.rights.schemas import (
    ROLES,
    ExplanationQuery,
    ExplanationSchema,
    RegisterSchema,
    RightsSchema,
    RoleBody,
    RolesBody,
    RolesSchema,
)
from tenants.isolation.door import db

roles = Blueprint("roles", __name__, url_prefix="/roles", purpose=Purpose.SECURITY)
permissions = Blueprint("permissions", __name__, url_prefix="/permissions", purpose=Purpose.SECURITY)
roles_of = Blueprint("roles-of", __name__, url_prefix="", purpose=Purpose.SECURITY)


@permissions.get("", may=READ_ROLES)
@permissions.response(200, RegisterSchema())
def list_permissions() -> dict[str, Any]:
    """Everything that a role can allow, how far, and which fields it can close."""
    known = [
        {
            "name": each.name,
            "text": each.text,
            "reaches": reaches_of(each),
            "people_only": each.people_only,
            "step_up": each.step_up,
        }
        for each in registered().values()
    ]
    closable = {name: [*sorted(each), *own_fields(name)] for name, each in ruled_fields().items()}
    return {"data": known, "closable_fields": closable}


@roles.page("", ROLES, may=READ_ROLES)
def list_roles() -> Selection:
    """The roles and what they allow."""
    return Selection(ROLES)


@roles.one("/<uuid:role_id>", ROLES, may=READ_ROLES)
def get_role(role_id: UUID) -> Selection:
    """One role."""
    return Selection(ROLES, {"id": role_id}, single=True)


@roles.post("", may=CREATE_ROLES)
@roles.takes(RoleBody())
@roles.answers(201, ROLES)
def create_role(said: dict[str, Any]) -> Role:
    """Make a role. It can hold no more than you have yourself."""
    return make_role(said)


@roles.patch("/<uuid:role_id>", may=EDIT_ROLES)
@roles.takes(RoleBody(partial=True))
@roles.answers(200, ROLES)
def update_role(said: dict[str, Any], role_id: UUID) -> Role:
    """Change a role (JSON merge patch, RFC 7396). It holds from everybody's next request on."""
    return change_role(find(Role, role_id, lock=True), said)


@roles.delete("/<uuid:role_id>", may=DELETE_ROLES)
@roles.response(204)
def remove_role(role_id: UUID) -> None:
    """Delete a role that nobody has."""
    delete_role(find(Role, role_id, lock=True))


@roles_of.put("/users/<uuid:user_id>/roles", may=ASSIGN_ROLES)
@roles_of.takes(RolesBody(), of=USERS)
@roles_of.response(200, RolesSchema())
def put_roles_of_user(said: dict[str, Any], user_id: UUID) -> dict[str, Any]:
    """Have a user have exactly these roles, besides those of their teams."""
    return {"data": give_to_user(user_id, said["role_ids"])}


@roles_of.put("/teams/<uuid:team_id>/roles", may=ASSIGN_ROLES)
@roles_of.takes(RolesBody(), of=TEAMS)
@roles_of.response(200, RolesSchema())
def put_roles_of_team(said: dict[str, Any], team_id: UUID) -> dict[str, Any]:
    """Have everybody in a team have exactly these roles, besides their own."""
    return {"data": give_to_team(team_id, said["role_ids"])}


@roles_of.get("/users/<uuid:user_id>/permissions", may=SIGNED_IN)
@roles_of.doc(responses={"403": {}})
@roles_of.response(200, RightsSchema())
def get_permissions_of_user(user_id: UUID) -> dict[str, Any]:
    """Everything that a user may, with the roles that give it: one's own for everybody."""
    return rights_of(_asked_about(user_id))


@roles_of.get("/users/<uuid:user_id>/permissions/explanation", may=SIGNED_IN)
@roles_of.doc(responses={"403": {}})
@roles_of.asked(ExplanationQuery())
@roles_of.response(200, ExplanationSchema())
def explain_permission(asked: dict[str, Any], user_id: UUID) -> dict[str, Any]:
    """Why a user may do something to a record, or may not: the answer of the rule that decides about requests."""
    return explained(_asked_about(user_id), asked["permission"], asked.get("record"), asked.get("resource"))


def _asked_about(user_id: UUID) -> User:
    caller = acting().caller
    if user_id == caller.user_id:
        return db().get_one(User, user_id)
    caller.must(READ_USERS)
    caller.must(READ_ROLES)
    return find(User, user_id)
