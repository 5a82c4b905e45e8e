"""The users of a tenant over HTTP."""

from typing import Any
from uuid import UUID

from flask import request

from tenants.access.caller import acting
from tenants.access.permissions import ANYONE
from tenants.access.policy import change, find
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.selection import Selection
from tenants.identity.models import User
from tenants.identity.people.addresses import ask_for_change, change_address
from tenants.identity.people.deactivating import deactivate, reactivate
from tenants.identity.people.inviting import invite_known
from tenants.identity.people.links import PER_ADDRESS, following
from tenants.identity.people.membership import join, set_teams
from tenants.identity.people.models import Invitation
from tenants.identity.people.permissions import (
    CREATE_INVITATIONS,
    DEACTIVATE_USERS,
    EDIT_TEAMS,
    EDIT_USERS,
    READ_USERS,
    READDRESS_USERS,
)
from tenants.identity.people.schemas import (
    INVITATIONS,
    USERS,
    AddressOwnerSchema,
    DeactivationBody,
    DeactivationSchema,
    LinkBody,
    NewAddressBody,
    TeamsBody,
    UserBody,
    UserInvitationBody,
)
from tenants.identity.people.taking_over import must_hold_everything_of

users = Blueprint("users", __name__, url_prefix="/users", purpose=Purpose.ACCOUNT)
email_changes = Blueprint("email-changes", __name__, url_prefix="/email-changes", purpose=Purpose.ACCOUNT)


@users.page("", USERS, may=READ_USERS)
def list_users() -> Selection:
    """Who works here, and who was invited or has left."""
    return Selection(USERS)


@users.one("/<uuid:user_id>", USERS, may=READ_USERS)
def get_user(user_id: UUID) -> Selection:
    """One user."""
    return Selection(USERS, {"id": user_id}, single=True)


@users.patch("/<uuid:user_id>", may=EDIT_USERS)
@users.takes(UserBody(partial=True))
@users.answers(200, USERS)
def change_user(said: dict[str, Any], user_id: UUID) -> User:
    """Change what is said of a user (JSON merge patch, RFC 7396)."""
    user = find(User, user_id, lock=True)
    if said.get("team_id") not in (None, user.team_id):
        acting().caller.must(EDIT_TEAMS)
        join(user, [said["team_id"]], field="team_id")
    return change(user, said)


@users.put("/<uuid:user_id>/email", may=READDRESS_USERS)
@users.takes(NewAddressBody(), of=USERS)
@users.response(
    202, description="A link was mailed to the new address; until it is followed, nothing changes."
)
def change_email_of_user(said: dict[str, Any], user_id: UUID) -> None:
    """Have a user sign in with another address, once somebody has followed the link that is mailed there."""
    user = find(User, user_id, lock=True)
    if user.state != "active":
        raise Conflict("Only an active user gets another address; invite the others.", code="not_active")
    must_hold_everything_of(user)
    ask_for_change(user, said["email"])


@users.put("/<uuid:user_id>/teams", may=EDIT_TEAMS)
@users.takes(TeamsBody())
@users.answers(200, USERS)
def put_teams_of_user(said: dict[str, Any], user_id: UUID) -> User:
    """Have a user be in exactly these teams."""
    user = find(User, user_id, lock=True)
    set_teams(user, said["team_ids"], said.get("team_id"))
    return user


@users.put("/<uuid:user_id>/deactivation", may=DEACTIVATE_USERS)
@users.takes(DeactivationBody(), of=USERS)
@users.response(200, DeactivationSchema)
def deactivate_user(said: dict[str, Any], user_id: UUID) -> dict[str, Any]:
    """Let a user do nothing any more, from their next request on, and hand over what they own."""
    made = deactivate(user_id, said.get("hand_over_to"))
    return {
        "user_id": made.user.id,
        "state": made.user.state,
        "records": made.records,
        "job_id": made.job_id,
    }


@users.delete("/<uuid:user_id>/deactivation", may=DEACTIVATE_USERS)
@users.answers(200, USERS)
def reactivate_user(user_id: UUID) -> User:
    """Let a user in again, with the roles they had."""
    return reactivate(user_id)


@users.post("/<uuid:user_id>/invitation", may=CREATE_INVITATIONS)
@users.takes(UserInvitationBody(), of=USERS)
@users.answers(201, INVITATIONS)
def invite_user(said: dict[str, Any], user_id: UUID) -> Invitation:
    """Invite somebody who is here and can't sign in yet, such as a user that an import brought."""
    return invite_known(find(User, user_id, lock=True), said.get("email"))


@email_changes.post("", may=ANYONE)
@email_changes.takes(LinkBody())
@email_changes.response(200, AddressOwnerSchema)
def confirm_email_change(said: dict[str, Any]) -> dict[str, Any]:
    """Follow the link of a mail to a new address: from now on its user signs in with it."""
    house = the_house()
    house.limits.hit((PER_ADDRESS, request.remote_addr or ""))
    with following(house, said["token"]) as tenant:
        user = change_address(said["token"])
        return {"email": user.email, "tenant": tenant()}
