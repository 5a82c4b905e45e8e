"""Invitations over HTTP: sent, sent again, withdrawn, and accepted by whoever got the mail."""

from typing import Any
from uuid import UUID

from flask import request

from tenants.access.caller import acting
from tenants.access.permissions import ANYONE
from tenants.access.policy import find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.rate_limits import Allowance
from tenants.http.selection import Selection
from tenants.identity.people.inviting import accept, invite, send_again, withdraw_invitation
from tenants.identity.people.links import PER_ADDRESS, following
from tenants.identity.people.models import Invitation
from tenants.identity.people.permissions import CREATE_INVITATIONS, DELETE_INVITATIONS, READ_INVITATIONS
from tenants.identity.people.schemas import (
    INVITATIONS,
    USERS,
    AcceptanceBody,
    AddressOwnerSchema,
    InvitationBody,
)

invitations = Blueprint("invitations", __name__, url_prefix="/invitations", purpose=Purpose.ACCOUNT)
#: Mails cost their readers time: nobody makes us send more than this.
MAILS = Allowance("invitations", 1000, 3600)


@invitations.page("", INVITATIONS, may=READ_INVITATIONS)
def list_invitations() -> Selection:
    """Who was invited, by whom, and what became of it."""
    return Selection(INVITATIONS)


@invitations.one("/<uuid:invitation_id>", INVITATIONS, may=READ_INVITATIONS)
def get_invitation(invitation_id: UUID) -> Selection:
    """One invitation."""
    return Selection(INVITATIONS, {"id": invitation_id}, single=True)


@invitations.post("", may=CREATE_INVITATIONS)
@invitations.takes(InvitationBody(), of=USERS)
@invitations.answers(201, INVITATIONS)
def create_invitation(said: dict[str, Any]) -> Invitation:
    """Invite somebody by e-mail, with roles and teams. No role can hold more than you have yourself."""
    _count_mail()
    return invite(said)


@invitations.post("/<uuid:invitation_id>/mail", may=CREATE_INVITATIONS)
@invitations.answers(200, INVITATIONS)
def send_invitation_again(invitation_id: UUID) -> Invitation:
    """Send the mail again, with a fresh link; the link before opens nothing any more."""
    _count_mail()
    return send_again(find(Invitation, invitation_id, lock=True))


@invitations.delete("/<uuid:invitation_id>", may=DELETE_INVITATIONS)
@invitations.response(204)
def delete_invitation(invitation_id: UUID) -> None:
    """Withdraw an invitation that nobody has accepted; its link opens nothing any more."""
    withdraw_invitation(find(Invitation, invitation_id, lock=True))


@invitations.post("/acceptance", may=ANYONE)
@invitations.takes(AcceptanceBody())
@invitations.response(200, AddressOwnerSchema)
def accept_invitation(said: dict[str, Any]) -> dict[str, Any]:
    """Accept an invitation with a password of one's own; signing in is the next step."""
    house = the_house()
    house.limits.hit((PER_ADDRESS, request.remote_addr or ""))
    with following(house, said["token"]) as tenant:
        user = accept(said["token"], said["password"], said.get("name"))
        return {"email": user.email, "tenant": tenant()}


def _count_mail() -> None:
    tenant_id = acting().caller.tenant_id
    if tenant_id is not None:
        the_house().limits.hit((MAILS, tenant_id.hex))
