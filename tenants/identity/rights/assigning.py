"""Gives roles to users and teams, and takes them away."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select

from tenants.access.policy import find
from tenants.audit.recording import record_event
from tenants.foundation.errors import Conflict, Invalid
from tenants.identity.holding import ADMIN, holds_everything, teams_of
from tenants.identity.models import Role, Team, TeamRole, User, UserRole
from tenants.identity.rights.granting import must_hold
from tenants.identity.rights.reaching_teams import must_reach_by
from tenants.identity.single_sign_on.exclusive import must_leave_a_way_in
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time


def give_to_user(user_id: UUID, role_ids: Sequence[UUID]) -> list[Role]:
    """Have a user have exactly these roles, besides those of their teams; the roles, by name.

    Raises NotFound, Invalid for a role that isn't there, NotAllowed when one that is given or taken holds more than
    the caller has, Conflict when nobody would be left who can do everything.
    """
    user = find(User, user_id, lock=True)
    theirs = teams_of(user.id)
    return _give(UserRole, UserRole.user_id == user.id, {"user_id": user.id}, "users", role_ids, theirs)


def give_to_team(team_id: UUID, role_ids: Sequence[UUID]) -> list[Role]:
    """Have everybody in a team have exactly these roles besides their own. Raises as `give_to_user` does."""
    team = find(Team, team_id, lock=True)
    itself = select(Team.id).where(Team.id == team.id)
    return _give(TeamRole, TeamRole.team_id == team.id, {"team_id": team.id}, "teams", role_ids, itself)


def _give(
    link: Any,
    whose: ColumnElement[bool],
    keys: dict[str, UUID],
    resource: str,
    role_ids: Sequence[UUID],
    teams: Select[UUID],
) -> list[Role]:
    one_at_a_time("roles")
    before = _roles(select(link.role_id).where(whose))
    after = _roles(role_ids)
    if missing := set(role_ids) - {each.id for each in after}:
        raise Invalid(
            errors={"role_ids": [f"There is no role {each}." for each in sorted(map(str, missing))]}
        )
    given, taken = _less(after, before), _less(before, after)
    must_hold([*given, *taken])
    must_reach_by(given, db().scalars(teams).all())
    db().execute(delete(link).where(whose, link.role_id.in_([each.id for each in taken])))
    db().add_all([link(**keys, role_id=each.id) for each in given])
    db().flush()
    if any(each.name == ADMIN for each in taken):
        must_leave_an_admin()
        must_leave_a_way_in(keys.get("user_id"))
    if given or taken:
        names = [[each.name for each in roles] for roles in (before, after)]
        record_event(f"{resource}.roles_changed", resource, next(iter(keys.values())), {"roles": names})
    return after


def must_leave_an_admin() -> None:
    """Raises Conflict when no active user has the role that holds everything any more."""
    left = select(func.count()).select_from(User).where(User.state == "active", holds_everything())
    if not db().scalar(left):
        raise Conflict("Nobody would be left who can do everything: give the role to somebody else first.",
                       code="last_admin")  # fmt: skip


def _roles(ids: Any) -> list[Role]:
    """The roles with these ids, kept from being changed meanwhile."""
    query = select(Role).where(Role.id.in_(ids)).order_by(Role.name).with_for_update(read=True, of=Role)
    return list(db().scalars(query))


def _less(roles: Iterable[Role], others: Iterable[Role]) -> list[Role]:
    known = {each.id for each in others}
    return [each for each in roles if each.id not in known]
