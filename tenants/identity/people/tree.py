"""The tree of teams: who moves in it has the turn, so that every team knows the teams above it at any moment."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, or_, select

from tenants.access.policy import find, remove, save
from tenants.foundation.errors import Conflict, Invalid
from tenants.identity.models import RecordShare, Team, TeamMember, TeamRole, User
from tenants.identity.people.membership import must_hold_roles_of
from tenants.identity.rights.reaching_teams import (
    must_reach_as_they_would,
    must_reach_as_those_above_would,
)
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time

#: Teams from the top to the lowest.
DEEPEST = 10
TOO_DEEP = f"Teams go at most {DEEPEST} deep."


def make_team(said: Mapping[str, Any]) -> Team:
    """A new team, at the top or below another. Raises Invalid for a place that isn't there or is too deep."""
    one_at_a_time("teams")
    path = _path_below(said.get("parent_id"))
    if len(path) >= DEEPEST:
        raise Invalid(errors={"parent_id": [TOO_DEEP]})
    return save(Team(**said, path=path))


def change_team(team_id: UUID, said: Mapping[str, Any]) -> Team:
    """Rename a team, give it a manager, or move it with all below it.

    Raises Invalid for a place that isn't there, is within the team itself, or is too deep; NotAllowed when managing
    the team, or being above it, gives more than the caller has.
    """
    one_at_a_time("teams")
    team = find(Team, team_id, lock=True)
    if said.get("manager_id") not in (None, team.manager_id):
        must_hold_roles_of([team.id])
        must_reach_as_they_would(said["manager_id"], [team.id])
    if "parent_id" in said and said["parent_id"] != team.parent_id:
        _move(team, said["parent_id"])
    for name in said.keys() - {"parent_id"}:
        setattr(team, name, said[name])
    db().flush()
    return team


def delete_team(team_id: UUID) -> None:
    """Delete a team that nobody and nothing is in. Raises Conflict for any other."""
    one_at_a_time("teams")
    team = find(Team, team_id, lock=True)
    if db().scalar(select(exists().where(Team.parent_id == team.id))):
        raise Conflict("There are teams below this one: move them first.", code="team_not_empty")
    inside = or_(exists().where(TeamMember.team_id == team.id), exists().where(User.team_id == team.id))
    if db().scalar(select(inside)):
        raise Conflict("There are users in this team: take them out first.", code="team_not_empty")
    db().execute(delete(TeamRole).where(TeamRole.team_id == team.id))
    for share in db().scalars(select(RecordShare).where(RecordShare.team_id == team.id)):
        db().delete(share)
    db().flush()
    remove(team)


def _move(team: Team, parent_id: UUID | None) -> None:
    path = _path_below(parent_id)
    if parent_id == team.id or team.id in path:
        raise Invalid(errors={"parent_id": ["A team can't be below itself."]})
    above = len(team.path)
    # Whose path holds the team is below it, at whatever depth.
    below = list(db().scalars(select(Team).where(Team.path.contains([team.id])).with_for_update()))
    if len(path) + max([len(each.path) for each in below], default=above) - above >= DEEPEST:
        raise Invalid(errors={"parent_id": [TOO_DEEP]})
    must_reach_as_those_above_would([team.id, *(each.id for each in below)], {*path} - {*team.path})
    for each in (team, *below):
        each.path = [*path, *each.path[above:]]
    team.parent_id = parent_id


def _path_below(parent_id: UUID | None) -> list[UUID]:
    """The path of whatever is below a team; of what is at the top when there is none."""
    if parent_id is None:
        return []
    parent = db().get(Team, parent_id, populate_existing=True)
    if parent is None:
        raise Invalid(errors={"parent_id": ["There is no such record."]})
    return [*parent.path, parent.id]
