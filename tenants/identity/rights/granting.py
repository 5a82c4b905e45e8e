"""Nobody gives what they don't have: what a role holds beyond the rights of whoever makes, changes or gives it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from tenants.access.caller import Caller, acting
from tenants.access.ownership import effective
from tenants.access.permissions import Reach, registered
from tenants.foundation.errors import NotAllowed
from tenants.identity.models import Role, Team, TeamMember, TeamRole, UserRole
from tenants.identity.rights.reaching_teams import merged, reaches
from tenants.isolation.door import db

MOST_NAMED = 10


def must_hold(roles: Iterable[Role]) -> None:
    """Raises NotAllowed when one of these roles holds more than the caller has themselves."""
    for role in roles:
        must_hold_all(role.name, role.permissions, role.fields)


def holds(caller: Caller, roles: Iterable[Role]) -> bool:
    """Whether a caller has all that these roles hold."""
    return not any(any(_beyond(caller, role.permissions, role.fields)) for role in roles)


def must_hold_all(name: str, permissions: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """As `must_hold`, for a role that is yet to be like that."""
    beyond = list(_beyond(acting().caller, permissions, fields))
    if beyond:
        more = f" and {len(beyond) - MOST_NAMED} more" if len(beyond) > MOST_NAMED else ""
        listed = ", ".join(beyond[:MOST_NAMED])
        raise NotAllowed(
            f"The role '{name}' holds more than you have yourself: {listed}{more}.", code="beyond_own_rights"
        )


def teams_beyond() -> list[UUID]:
    """The teams whose roles give more than the caller has, or more of the team's records than they reach."""
    caller, found = acting().caller, set()
    for team_id, role in db().execute(select(TeamRole.team_id, Role).join(Role, Role.id == TeamRole.role_id)):
        by_team = (name for name, reach in merged([role]).items() if reach in (Reach.TEAM, Reach.SUBTEAMS))
        if any(_beyond(caller, role.permissions, role.fields)) or not all(
            reaches(caller, name, team_id) for name in by_team
        ):
            found.add(team_id)
    return sorted(found)


def teams_to_manage_beyond() -> list[UUID]:
    """The teams that the caller may put nobody over: whoever it is could reach what the caller doesn't."""
    caller, found = acting().caller, set(teams_beyond())
    by_team = {
        name
        for role in db().scalars(select(Role))
        for name, reach in merged([role]).items()
        if reach in (Reach.TEAM, Reach.SUBTEAMS) and caller.reach(name) is not Reach.ALL
    }
    if by_team:
        teams = db().scalars(select(Team.id))
        found |= {each for each in teams if not all(reaches(caller, name, each) for name in by_team)}
    return sorted(found)


def holding_beyond(user_id: Any) -> ColumnElement[bool]:
    """Whether a user, by roles of their own or of a team they are in or manage, holds more than the caller; in SQL."""
    caller = acting().caller
    strong = [
        role.id for role in db().scalars(select(Role)) if any(_beyond(caller, role.permissions, role.fields))
    ]
    of_teams = select(TeamRole.team_id).where(TeamRole.role_id.in_(strong))
    return or_(
        user_id.in_(select(UserRole.user_id).where(UserRole.role_id.in_(strong))),
        user_id.in_(select(TeamMember.user_id).where(TeamMember.team_id.in_(of_teams))),
        user_id.in_(select(Team.manager_id).where(Team.id.in_(of_teams), Team.manager_id.is_not(None))),
    )


def _beyond(caller: Caller, permissions: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[str]:
    if caller.everything:
        return
    known = registered()
    for name, said in permissions.items():
        # What nobody here knows, as a role from a bundle may have it, gives no right.
        if name not in known or said not in list(Reach):
            continue
        mine = caller.reach(name)
        wanted = effective(known[name], Reach(said))
        if mine is None or effective(known[name], mine) | wanted is not effective(known[name], mine):
            yield f"{name} ({wanted.value})"
    yield from _opened(caller, permissions, fields)


def _opened(caller: Caller, permissions: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[str]:
    """The fields that are closed to the caller and open to whoever has this role."""
    touched = {name.partition(":")[0] for name in permissions}
    for resource in sorted(touched):
        rules = fields.get(resource, {})
        for name in sorted(caller.hidden.get(resource, ())):
            if rules.get(name) != "none":
                yield f"{resource}.{name}"
        for name in sorted(
            caller.fixed.get(resource, frozenset()) - caller.hidden.get(resource, frozenset())
        ):
            if name not in rules:
                yield f"changing {resource}.{name}"
