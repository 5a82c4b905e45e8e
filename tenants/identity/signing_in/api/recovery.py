"""A new password, a verified address, and the workspaces of an address: asked for, and redeemed by links in mails."""

from typing import Any

from flask import Response, current_app

from tenants.access.caller import acting
from tenants.access.permissions import ANYONE, CONFIRMED, IN_PERSON
from tenants.audit.recording import record_event
from tenants.catalog.throttles import spend
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.forgery import refuse_other_sites
from tenants.identity.models import User
from tenants.identity.signing_in import budgets
from tenants.identity.signing_in.cookies import remember_device
from tenants.identity.signing_in.recovery import (
    ask_for_reset,
    mail_verification,
    redeem_reset,
    redeem_verification,
    remind_of_workspaces,
    set_password,
)
from tenants.identity.signing_in.schemas import AddressBody, PasswordBody, RedemptionBody, ResetBody
from tenants.isolation.door import db

password_resets = Blueprint(
    "password-resets", __name__, url_prefix="/password-resets", purpose=Purpose.SECURITY
)
email_verifications = Blueprint(
    "email-verifications", __name__, url_prefix="/email-verifications", purpose=Purpose.ACCOUNT
)
workspace_reminders = Blueprint(
    "workspace-reminders", __name__, url_prefix="/workspace-reminders", purpose=Purpose.ACCOUNT
)
my_password = Blueprint("my-password", __name__, url_prefix="/me/password", purpose=Purpose.SECURITY)
my_address = Blueprint(
    "my-email-verification", __name__, url_prefix="/me/email-verification", purpose=Purpose.ACCOUNT
)


@password_resets.post("", may=ANYONE)
@password_resets.takes(AddressBody())
@password_resets.response(202, description="If the address has an account, a link is on its way.")
def ask_for_password_reset(said: dict[str, Any]) -> Response:
    """Ask for a link to a new password, by mail. The answer is the same whether there is such an account or not."""
    refuse_other_sites()
    ask_for_reset(*_house(), said["email"])
    return Response(status=202)


@password_resets.post("/redemption", may=ANYONE)
@password_resets.takes(ResetBody())
@password_resets.response(204)
def redeem_password_reset(said: dict[str, Any]) -> Response:
    """Set the new password that a link was asked for. Sign in with it next; all other sessions have ended."""
    refuse_other_sites()
    house, wrapper = _house()
    response = Response(status=204)
    remember_device(house, response, redeem_reset(house, wrapper, said["token"], said["password"]))
    return response


@email_verifications.post("/redemption", may=ANYONE)
@email_verifications.takes(RedemptionBody())
@email_verifications.response(204)
def redeem_email_verification(said: dict[str, Any]) -> Response:
    """Show, with the token of a mail, that its address is mine."""
    redeem_verification(*_house(), said["token"])
    return Response(status=204)


@workspace_reminders.post("", may=ANYONE)
@workspace_reminders.takes(AddressBody())
@workspace_reminders.response(202, description="If the address has workspaces, their names are on their way.")
def remind_me_of_workspaces(said: dict[str, Any]) -> Response:
    """Have the names of one's workspaces mailed. The answer is the same whether there are any or not."""
    refuse_other_sites()
    remind_of_workspaces(*_house(), said["email"])
    return Response(status=202)


@my_password.put("", may=CONFIRMED)
@my_password.takes(PasswordBody())
@my_password.response(204)
def change_my_password(said: dict[str, Any]) -> None:
    """A new password for me. My other sessions end."""
    caller = acting().caller
    user = db().get_one(User, caller.user_id)
    set_password(user, said["password"], session_id=caller.credential_id)
    record_event("passwords.changed", "users", user.id, {})


@my_address.put("", may=IN_PERSON)
@my_address.response(202, description="The mail is on its way.")
def verify_my_address() -> Response:
    """Have the mail sent again that verifies my address."""
    house, wrapper = _house()
    user = db().get_one(User, acting().caller.user_id)
    if user.email is None or user.email_verified_at is not None:
        raise Conflict("There is nothing to verify.")
    spend(house.catalog, budgets.counted(wrapper, budgets.VERIFICATION, user.id))
    mail_verification(user)
    return Response(status=202)


def _house() -> tuple[Any, Any]:
    return the_house(), current_app.extensions["nursery"].wrapper
