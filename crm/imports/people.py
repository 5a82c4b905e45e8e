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
from tenants.identity.people.permissions import CREATE_TEAMS, CREATE_USERS, EDIT_TEAMS, EDIT_USERS
from tenants.identity.rights.granting import teams_beyond
from tenants.isolation.door import db


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
                batch.caller.must(CREATE_TEAMS)
                _make_team_of(name)


def _lacking(batch: Batch, place: int, known: Any) -> list[str]:
    name = batch.text(place)
    query = select(func.min(name)).where(batch.rows(), name.is_not(None), func.lower(name).not_in(known))
    return list(db().scalars(query.group_by(func.lower(name)).order_by(func.min(ROWS.c.number))))


def _make_team_of(name: str) -> None:
    manager = db().scalars(select(User).where(func.lower(User.name) == name.lower())).first()
    manager = manager or save(User(name=name, source=Source.IMPORT))
    team = db().scalars(select(Team).where(func.lower(Team.name) == name.lower())).first()
    team = team or save(Team(name=name, source=Source.IMPORT))
    team.manager_id = manager.id
    if manager.team_id is None:
        manager.team_id = team.id
    db().flush()
    db().merge(TeamMember(team_id=team.id, user_id=manager.id))
    db().flush()


def join_teams(batch: Batch) -> None:
    """New users belong to their team."""
    users: Any = User.__table__
    query = select(users.c.team_id, users.c.id).join(ROWS, ROWS.c.record_id == users.c.id)
    query = query.where(batch.rows(Action.CREATE), users.c.team_id.is_not(None))
    db().execute(sa.insert(TeamMember).from_select(["team_id", "user_id"], query))


def no_team_beyond(values: Mapping[str, Any], table: Any) -> Iterator[tuple[ColumnElement[bool], str]]:
    """Nobody puts a user into a team whose roles hold more than they have themselves."""
    if table is None and "team_id" in values and (strong := teams_beyond()):
        yield values["team_id"].in_(strong), "The roles of this team hold more than you have yourself."


def no_manager_beyond(values: Mapping[str, Any], table: Any) -> Iterator[tuple[ColumnElement[bool], str]]:
    """Who manages a team has its roles: nobody gives away more than they have themselves."""
    if table is not None and "manager_id" in values and (strong := teams_beyond()):
        changed = values["manager_id"].is_distinct_from(table.c.manager_id)
        yield (
            sa.and_(table.c.id.in_(strong), changed),
            "The roles of this team hold more than you have yourself.",
        )


importable(
    Importable(
        "users", "user", User, UserRow(), CREATE_USERS, EDIT_USERS,
        lookups={
            "team.name": ("team_id", Lookup(Team, "name", "team", made=True)),
            "team.manager": ("team_id", Lookup(Team, "manager_id", "team managed by", made=True, through=(User, "name"))),
        },
        checks=no_team_beyond,
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
