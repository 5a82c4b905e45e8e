"""Importing users and teams: a user needs a name only, and teams that are named and lacking are made."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate
from sqlalchemy import ColumnElement, func, select

from crm.imports.batches import ROWS, Batch
from crm.imports.importable import Importable, Lookup, importable
from crm.imports.models import Action
from crm.records.fields import no_nul, text
from tenants.access.policy import save
from tenants.foundation.tables import Source
from tenants.http.representation import BodySchema
from tenants.identity.models import Team, TeamMember, User
from tenants.identity.people.addresses import can_sign_in
from tenants.identity.people.permissions import CREATE_TEAMS, CREATE_USERS, EDIT_TEAMS, EDIT_USERS
from tenants.identity.rights.granting import holding_beyond, teams_beyond, teams_to_manage_beyond
from tenants.isolation.door import db

TEAM_BEYOND = "The roles of this team hold more than you have yourself."
USER_BEYOND = "The roles of this user hold more than you have yourself."
OWN_ADDRESS = (
    "This user can sign in: an import leaves their address alone. It is changed by a link to the new address."
)


class UserRow(BodySchema):
    """What a file may say of a user. Nobody can sign in by being imported."""

    name = text(200, required=True)
    email = fields.Email(validate=[validate.Length(max=254), no_nul])
    office = text(100)


class TeamRow(BodySchema):
    """What a file may say of a team."""

    name = text(100, required=True)


def make_teams(batch: Batch) -> None:
    """Make the teams that rows name and that aren't there; a team that is named by its manager is made with them.

    A team found by its manager is called after them, and they belong to it.
    """
    for place, each in enumerate(batch.plan.columns):
        if each.target.name == "team.name":
            for name in _lacking(batch, place, select(func.lower(Team.name))):
                batch.caller.must(CREATE_TEAMS)
                save(Team(name=name, source=Source.IMPORT))
        elif each.target.name == "team.manager":
            for name in _lacking(
                batch, place, select(func.lower(User.name)).join(Team, Team.manager_id == User.id)
            ):
                _make_team_of(batch, place, name)


def _lacking(batch: Batch, place: int, known: Any) -> list[str]:
    name = batch.text(place)
    query = select(func.min(name)).where(batch.rows(), name.is_not(None), func.lower(name).not_in(known))
    return list(db().scalars(query.group_by(func.lower(name)).order_by(func.min(ROWS.c.number))))


def _make_team_of(batch: Batch, place: int, name: str) -> None:
    """Make the team that a manager's name stands for; one that is called so already gets them as its manager."""
    team = db().scalars(select(Team).where(func.lower(Team.name) == name.lower())).first()
    if team is not None and (why := _kept_from(batch, team)):
        named = batch.plan.columns[place].column
        same = func.lower(batch.text(place)) == name.lower()
        batch.reject(select(ROWS.c.number).where(batch.rows(), same), f"{named}: {why}")
        return
    if team is None:
        batch.caller.must(CREATE_TEAMS)
        team = save(Team(name=name, source=Source.IMPORT))
    manager = db().scalars(select(User).where(func.lower(User.name) == name.lower())).first()
    manager = manager or save(User(name=name, source=Source.IMPORT))
    team.manager_id = manager.id
    if manager.team_id is None:
        manager.team_id = team.id
    db().flush()
    db().merge(TeamMember(team_id=team.id, user_id=manager.id))
    db().flush()


def _kept_from(batch: Batch, team: Team) -> str | None:
    """Why the caller may not put somebody over a team that is there."""
    if batch.caller.reach(EDIT_TEAMS.name) is None:
        return "You may not change this team."
    return TEAM_BEYOND if team.id in teams_to_manage_beyond() else None


def join_teams(batch: Batch) -> None:
    """New users belong to their team."""
    users: Any = User.__table__
    query = select(users.c.team_id, users.c.id).join(ROWS, ROWS.c.record_id == users.c.id)
    query = query.where(batch.rows(Action.CREATE), users.c.team_id.is_not(None))
    db().execute(sa.insert(TeamMember).from_select(["team_id", "user_id"], query))


def nobody_beyond(values: Mapping[str, Any], table: Any) -> Iterator[tuple[ColumnElement[bool], str]]:
    """Nobody gets rights by a file: by a team that gives more than whoever brings it has, or by an address.

    An address is where links to a new password go, and by which single sign-on finds somebody.
    """
    if table is None and "team_id" in values and (strong := teams_beyond()):
        yield values["team_id"].in_(strong), TEAM_BEYOND
    if table is not None and "email" in values:
        changed = values["email"].is_distinct_from(table.c.email)
        yield sa.and_(changed, can_sign_in(table.c)), OWN_ADDRESS
        yield sa.and_(changed, holding_beyond(table.c.id)), USER_BEYOND


def no_manager_beyond(values: Mapping[str, Any], table: Any) -> Iterator[tuple[ColumnElement[bool], str]]:
    """Who manages a team has its roles: nobody gives away more than they have themselves."""
    if table is not None and "manager_id" in values and (strong := teams_to_manage_beyond()):
        changed = values["manager_id"].is_distinct_from(table.c.manager_id)
        yield sa.and_(table.c.id.in_(strong), changed), TEAM_BEYOND


importable(
    Importable(
        "users", "user", User, UserRow(), CREATE_USERS, EDIT_USERS,
        lookups={
            "team.name": ("team_id", Lookup(Team, "name", "team", made=True)),
            "team.manager": ("team_id", Lookup(Team, "manager_id", "team managed by", made=True, through=(User, "name"))),
        },
        checks=nobody_beyond,
        first=make_teams,
        follow=join_teams,
        once=frozenset({"team_id"}),
    )
)  # fmt: skip
importable(
    Importable(
        "teams", "team", Team, TeamRow(), CREATE_TEAMS, EDIT_TEAMS,
        lookups={"manager.name": ("manager_id", Lookup(User, "name", "user"))},
        checks=no_manager_beyond,
    )
)  # fmt: skip
