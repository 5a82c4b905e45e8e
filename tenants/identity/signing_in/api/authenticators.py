"""One's own second factors, passkeys and recovery codes."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, g

from tenants.access.caller import acting
from tenants.access.permissions import CONFIRMED, IN_PERSON
from tenants.audit.recording import record_event
from tenants.catalog.throttles import spend
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.identity.models import User
from tenants.identity.signing_in import budgets
from tenants.identity.signing_in.cookies import signed_in_answer
from tenants.identity.signing_in.enrolling import confirm, mine, rename, set_up, take_away
from tenants.identity.signing_in.factors import methods_of, must_have_shown_theirs
from tenants.identity.signing_in.models import Authenticator
from tenants.identity.signing_in.notes import tell
from tenants.identity.signing_in.passkeys import Site
from tenants.identity.signing_in.recovery_codes import codes_left, replace_codes
from tenants.identity.signing_in.schemas import (
    AuthenticatorBody,
    AuthenticatorPatch,
    AuthenticatorSchema,
    ConfirmedSchema,
    FirstUseBody,
    RecoveryCodesLeftSchema,
    RecoveryCodesSchema,
    SettingUpSchema,
)
from tenants.isolation.door import db

authenticators = Blueprint("authenticators", __name__, url_prefix="/authenticators", purpose=Purpose.SECURITY)


@authenticators.get("", may=IN_PERSON)
@authenticators.response(200, AuthenticatorSchema(many=True))
def list_authenticators() -> list[Authenticator]:
    """My second factors and passkeys."""
    return mine()


@authenticators.post("", may=CONFIRMED)
@authenticators.takes(AuthenticatorBody())
@authenticators.response(201, SettingUpSchema)
def create_authenticator(said: dict[str, Any]) -> dict[str, Any]:
    """Begin to set one up. What its app or browser needs is in this answer and never shown again."""
    made = set_up(_site(), said["kind"], said["name"])
    g.holds_secret = True
    shown = {name: getattr(made.authenticator, name) for name in AuthenticatorSchema().fields}
    return {**shown, "secret": made.secret, "uri": made.uri, "options": made.options}


@authenticators.put("/<uuid:authenticator_id>/confirmation", may=CONFIRMED)
@authenticators.takes(FirstUseBody())
@authenticators.response(200, ConfirmedSchema)
def confirm_authenticator(said: dict[str, Any], authenticator_id: UUID) -> Response:
    """Use it for the first time, which makes it good and this session a strong one, in a new cookie."""
    house, wrapper = the_house(), current_app.extensions["nursery"].wrapper
    spend(house.catalog, budgets.counted(wrapper, budgets.CONFIRMATION, acting().caller.user_id))
    made, token = confirm(_site(), authenticator_id, said)
    return signed_in_answer(house, token, 200, **AuthenticatorSchema().dump(made))


@authenticators.patch("/<uuid:authenticator_id>", may=CONFIRMED)
@authenticators.takes(AuthenticatorPatch())
@authenticators.response(200, AuthenticatorSchema)
def rename_authenticator(said: dict[str, Any], authenticator_id: UUID) -> Authenticator:
    """Call it something else."""
    return rename(authenticator_id, said["name"])


@authenticators.delete("/<uuid:authenticator_id>", may=CONFIRMED)
@authenticators.response(204)
def delete_authenticator(authenticator_id: UUID) -> None:
    """Take it away. The last one takes the recovery codes with it, and stays where one is required."""
    take_away(authenticator_id)


@authenticators.get("/recovery-codes", may=IN_PERSON)
@authenticators.response(200, RecoveryCodesLeftSchema)
def count_recovery_codes() -> dict[str, int]:
    """How many recovery codes I have left."""
    return {"left": codes_left(_me().id)}


@authenticators.put("/recovery-codes", may=CONFIRMED)
@authenticators.response(200, RecoveryCodesSchema)
def replace_recovery_codes() -> dict[str, list[str]]:
    """Ten new recovery codes instead of those of before; shown in this answer alone."""
    must_have_shown_theirs()
    user = _me()
    if not methods_of(user.id):
        raise Conflict("Recovery codes stand in for a second factor: set one up first.")
    codes = replace_codes(user.id)
    record_event("recovery-codes.replaced", "users", user.id, {})
    tell(
        user,
        "New recovery codes",
        "Your account has new recovery codes; those of before open nothing any more.",
    )
    return {"codes": codes}


def _me() -> User:
    return db().get_one(User, acting().caller.user_id)


def _site() -> Site:
    house, nursery = the_house(), current_app.extensions["nursery"]
    return Site.of(house.settings.public_url, nursery.wrapper)
