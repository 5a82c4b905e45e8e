"""Teams over HTTP: a tree with managers and members."""

from typing import Any
from uuid import UUID

from tenants.access.policy import find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.identity.models import Team, User
from tenants.identity.people.membership import join, leave
from tenants.identity.people.permissions import CREATE_TEAMS, DELETE_TEAMS, EDIT_TEAMS, READ_TEAMS
from tenants.identity.people.schemas import TEAMS, TeamBody
from tenants.identity.people.tree import change_team, delete_team, make_team

teams = Blueprint("teams", __name__, url_prefix="/teams", purpose=Purpose.ACCOUNT)


@teams.page("", TEAMS, may=READ_TEAMS)
def list_teams() -> Selection:
    """The teams."""
    return Selection(TEAMS)


@teams.one("/<uuid:team_id>", TEAMS, may=READ_TEAMS)
def get_team(team_id: UUID) -> Selection:
    """One team."""
    return Selection(TEAMS, {"id": team_id}, single=True)


@teams.post("", may=CREATE_TEAMS)
@teams.takes(TeamBody())
@teams.answers(201, TEAMS)
def create_team(said: dict[str, Any]) -> Team:
    """Add a team, at the top or below another."""
    return make_team(said)


@teams.patch("/<uuid:team_id>", may=EDIT_TEAMS)
@teams.takes(TeamBody(partial=True))
@teams.answers(200, TEAMS)
def update_team(said: dict[str, Any], team_id: UUID) -> Team:
    """Rename a team, give it a manager, or move it with all below it (JSON merge patch, RFC 7396)."""
    return change_team(team_id, said)


@teams.delete("/<uuid:team_id>", may=DELETE_TEAMS)
@teams.response(204)
def remove_team(team_id: UUID) -> None:
    """Delete a team that nobody and nothing is in."""
    delete_team(team_id)


@teams.put("/<uuid:team_id>/members/<uuid:user_id>", may=EDIT_TEAMS)
@teams.response(204)
def put_member(team_id: UUID, user_id: UUID) -> None:
    """Put a user into a team."""
    team = find(Team, team_id)
    join(find(User, user_id, lock=True), [team.id])


@teams.delete("/<uuid:team_id>/members/<uuid:user_id>", may=EDIT_TEAMS)
@teams.response(204)
def remove_member(team_id: UUID, user_id: UUID) -> None:
    """Take a user out of a team."""
    team = find(Team, team_id)
    leave(find(User, user_id, lock=True), [team.id])
