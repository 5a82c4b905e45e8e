"""Makes, changes and deletes roles of the tenant's own."""

from typing import Any

from sqlalchemy import select

from tenants.access.policy import change, remove, save
from tenants.foundation.errors import Conflict
from tenants.identity.models import Role, Team, TeamRole, User, UserRole
from tenants.identity.rights.contents import merged, must_make_sense, plain
from tenants.identity.rights.granting import must_hold, must_hold_all
from tenants.isolation.door import db

MOST_NAMED = 3


def make_role(said: dict[str, Any]) -> Role:
    """A new role. Raises Invalid for what a role can't say, NotAllowed for more than the caller has."""
    content = _content({}, {}, said)
    must_hold_all(said["name"], **content)
    return save(Role(**{**said, **content}))


def change_role(role: Role, said: dict[str, Any]) -> Role:
    """Change a role that `find` locked; it holds from the next request of everybody who has it.

    Raises as `make_role` does, also when it held more than the caller has; Conflict for a built-in one.
    """
    _must_be_own(role)
    must_hold([role])
    content = _content(role.permissions, role.fields, said)
    must_hold_all(role.name, **content)
    return change(role, {**said, **content})


def delete_role(role: Role) -> None:
    """Delete a role that nobody has. Raises Conflict that names who has it, and for a built-in one."""
    _must_be_own(role)
    must_hold([role])
    holders = _holders(role)
    if holders:
        named = ", ".join(holders[:MOST_NAMED])
        more = f" and {len(holders) - MOST_NAMED} more" if len(holders) > MOST_NAMED else ""
        raise Conflict(f"The role is in use, by {named}{more}. Take it from them first.", code="role_in_use")
    remove(role)


def _content(permissions: Any, fields: Any, said: dict[str, Any]) -> dict[str, Any]:
    """What the role will hold."""
    made = {
        "permissions": plain(merged(permissions, said.get("permissions") or {})),
        "fields": {name: rules for name, rules in merged(fields, said.get("fields") or {}).items() if rules},
    }
    must_make_sense(permissions=made["permissions"], rules=made["fields"])
    return made


def _must_be_own(role: Role) -> None:
    if role.built_in:
        raise Conflict(
            "Built-in roles stay as they are. Make a role of your own that is like it.", code="built_in_role"
        )


def _holders(role: Role) -> list[str]:
    users = select(User.name).join(UserRole, UserRole.user_id == User.id).where(UserRole.role_id == role.id)
    teams = select(Team.name).join(TeamRole, TeamRole.team_id == Team.id).where(TeamRole.role_id == role.id)
    named = [f"the team {name}" for name in db().scalars(teams.order_by(Team.name))]
    return [*db().scalars(users.order_by(User.name)), *named]
