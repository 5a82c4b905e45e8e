"""Who I am, and what I say of myself."""

from typing import Any

from flask import request
from sqlalchemy import select

from tenants.access.caller import acting
from tenants.access.permissions import CONFIRMED, IN_PERSON, SIGNED_IN
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.identity.models import TenantProfile, User
from tenants.identity.people.addresses import ask_for_change
from tenants.identity.people.schemas import USERS, NewAddressBody, ProfileBody, SignedInSchema
from tenants.identity.recognition import csrf_token
from tenants.isolation.door import db

me = Blueprint("me", __name__, url_prefix="/me", purpose=Purpose.ACCOUNT)


@me.get("", may=SIGNED_IN)
@me.response(200, SignedInSchema)
def get_me() -> dict[str, Any]:
    """Who I am, in which tenant, and what I may do."""
    return _myself()


@me.patch("", may=IN_PERSON)
@me.takes(ProfileBody(partial=True), of=USERS)
@me.response(200, SignedInSchema)
def change_me(said: dict[str, Any]) -> dict[str, Any]:
    """Change what I say of myself (JSON merge patch, RFC 7396)."""
    user = db().get_one(User, acting().caller.user_id, with_for_update=True)
    for name, value in said.items():
        setattr(user, name, value)
    db().flush()
    return _myself()


@me.put("/email", may=CONFIRMED)
@me.takes(NewAddressBody(), of=USERS)
@me.response(202, description="A link was mailed to the new address; until it is followed, nothing changes.")
def change_my_email(said: dict[str, Any]) -> None:
    """Sign in with another address, once I have followed the link that is mailed there."""
    ask_for_change(db().get_one(User, acting().caller.user_id), said["email"])


def _myself() -> dict[str, Any]:
    house, caller = the_house(), acting().caller
    user = db().get_one(User, caller.user_id)
    cookie = request.cookies.get(house.guard.cookie, "")
    return {
        "tenant": db().scalars(select(TenantProfile)).one(),
        "user": user,
        "permissions": caller.rights,
        "csrf_token": csrf_token(cookie) if caller.kind == "session" else None,
    }
