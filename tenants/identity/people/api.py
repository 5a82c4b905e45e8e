"""Who I am, and the people and teams of the tenant."""

from typing import Any
from uuid import UUID

from flask import current_app, request
from sqlalchemy import select

from tenants.access.caller import acting
from tenants.access.permissions import SIGNED_IN
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.identity.models import TenantProfile, User
from tenants.identity.people.permissions import READ_TEAMS, READ_USERS
from tenants.identity.people.schemas import TEAMS, USERS, SignedInSchema
from tenants.identity.recognition import csrf_token
from tenants.isolation.door import db

me = Blueprint("me", __name__, url_prefix="/me", purpose=Purpose.ACCOUNT)
users = Blueprint("users", __name__, url_prefix="/users", purpose=Purpose.ACCOUNT)
teams = Blueprint("teams", __name__, url_prefix="/teams", purpose=Purpose.ACCOUNT)


@me.get("", may=SIGNED_IN)
@me.response(200, SignedInSchema)
def get_me() -> dict[str, Any]:
    """Who I am, in which tenant, and what I may do."""
    house, caller = current_app.extensions["house"], acting().caller
    user = db().get_one(User, caller.user_id)
    cookie = request.cookies.get(house.guard.cookie, "")
    return {
        "tenant": db().scalars(select(TenantProfile)).one(),
        "user": user,
        "permissions": caller.rights,
        "csrf_token": csrf_token(cookie) if caller.kind == "session" else None,
    }


@users.page("", USERS, may=READ_USERS)
def list_users() -> Selection:
    """Who works here."""
    return Selection(USERS)


@users.one("/<uuid:user_id>", USERS, may=READ_USERS)
def get_user(user_id: UUID) -> Selection:
    """One user."""
    return Selection(USERS, {"id": user_id}, single=True)


@teams.page("", TEAMS, may=READ_TEAMS)
def list_teams() -> Selection:
    """The teams."""
    return Selection(TEAMS)


@teams.one("/<uuid:team_id>", TEAMS, may=READ_TEAMS)
def get_team(team_id: UUID) -> Selection:
    """One team."""
    return Selection(TEAMS, {"id": team_id}, single=True)
