"""People of their own for tests of rights, so that what happens to them disturbs nobody."""

import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.tables import Source
from tenants.identity.founding import new_api_key
from tenants.identity.models import Role, TeamMember, User, UserRole
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tests.workspace import Client, Workspace, signed_in

Person = Client


def person(
    workspace: Workspace, name: str, *roles: str, team_id: UUID | None = None, confirmed: bool = True
) -> Person:
    """A user with these built-in roles, by key and in person."""
    with inside(workspace.home):
        act_as(SYSTEM)
        user = User(name=name, team_id=team_id, source="system")
        db().add(user)
        db().flush()
        if team_id:
            db().add(TeamMember(team_id=team_id, user_id=user.id))
        db().add_all([UserRole(user_id=user.id, role_id=_role(each)) for each in roles])
        session = signed_in(workspace.home, user.id)
        if not confirmed:
            db().flush()
            early = {"confirmed_at": now() - timedelta(hours=1)}
            db().execute(update(Session).where(Session.user_id == user.id).values(early))
        key = new_api_key(workspace.home, user, "Test key")
        return Client(workspace.admin.flask, key, user.id, team_id, session)


def somebody_who_may(
    workspace: Workspace, permissions: dict[str, str], rules: dict[str, dict[str, str]] | None = None
) -> Client:
    """A user of a role of their own, with rules for fields where some are closed, signed in."""
    with inside(workspace.home):
        act_as(SYSTEM)
        user = User(name="Petra Partial", source=Source.SYSTEM)
        name = f"Partial {secrets.token_hex(4)}"
        made = Role(name=name, permissions=permissions, fields=rules or {}, source=Source.SYSTEM)
        db().add_all([user, made])
        db().flush()
        db().add(UserRole(user_id=user.id, role_id=made.id))
        return Client(workspace.admin.flask, "", user.id, session=signed_in(workspace.home, user.id))


def role_id(workspace: Workspace, name: str) -> str:
    """The id of a built-in role."""
    with inside(workspace.home):
        act_as(SYSTEM)
        return str(_role(name))


def _role(name: str) -> UUID:
    return db().scalars(select(Role.id).where(Role.name == name)).one()
