"""Signing in and out, and one's own sessions."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, g, jsonify, make_response
from sqlalchemy import select

from tenants.access.caller import Caller, acting
from tenants.access.permissions import ANYONE, IN_PERSON, SIGNED_IN
from tenants.audit.recording import record_event
from tenants.catalog.throttles import give_back, spend
from tenants.foundation.clock import now
from tenants.foundation.errors import NotAllowed, NotFound
from tenants.foundation.geography import place_of
from tenants.foundation.settings import Settings
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.forgery import refuse_other_sites
from tenants.identity.models import User
from tenants.identity.signing_in import budgets
from tenants.identity.signing_in.by_password import Attempt, HalfDone, SignedIn, sign_in
from tenants.identity.signing_in.cookies import (
    remember_device,
    set_cookie,
    signed_in_answer,
)
from tenants.identity.signing_in.devices import described
from tenants.identity.signing_in.factors import FACTORS, identity_shown
from tenants.identity.signing_in.models import Session
from tenants.identity.signing_in.notes import note_later
from tenants.identity.signing_in.opening import end_sessions, renew_session
from tenants.identity.signing_in.passkeys import Site, sign_in_options
from tenants.identity.signing_in.schemas import (
    ConfirmationBody,
    HalfDoneSchema,
    OptionsSchema,
    PasskeyBody,
    SecondFactorBody,
    SessionSchema,
    SignedInAnswer,
    SignInBody,
)
from tenants.identity.signing_in.second_factor import finish_sign_in, sign_in_by_passkey
from tenants.isolation.door import db, here

sessions = Blueprint("sessions", __name__, url_prefix="/sessions", purpose=Purpose.SECURITY)


@sessions.post("", may=ANYONE)
@sessions.takes(SignInBody())
@sessions.doc(responses={"401": {}})
@sessions.response(201, SignedInAnswer)
@sessions.alt_response(202, schema=HalfDoneSchema)
def create_session(said: dict[str, Any]) -> Response:
    """Sign in with an e-mail address and a password; 202 asks for a second factor."""
    refuse_other_sites()
    house, wrapper = the_house(), current_app.extensions["nursery"].wrapper
    made = sign_in(Attempt(house, wrapper, said["email"], said["password"], said.get("tenant")))
    if isinstance(made, HalfDone):
        return make_response(jsonify(ticket=made.ticket, methods=made.methods, passkey=made.passkey), 202)
    return _signed_in(made)


@sessions.post("/second-factor", may=ANYONE)
@sessions.takes(SecondFactorBody())
@sessions.doc(responses={"401": {}})
@sessions.response(201, SignedInAnswer)
def add_second_factor(said: dict[str, Any]) -> Response:
    """Finish a sign-in that was answered with 202."""
    refuse_other_sites()
    house, wrapper = the_house(), current_app.extensions["nursery"].wrapper
    return _signed_in(finish_sign_in(house, wrapper, said["ticket"], said))


@sessions.post("/passkey-options", may=ANYONE)
@sessions.response(200, OptionsSchema)
def get_passkey_options() -> dict[str, Any]:
    """What the browser needs to ask for a passkey, to sign in with it or to confirm who one is."""
    house, wrapper = the_house(), current_app.extensions["nursery"].wrapper
    return {"options": sign_in_options(Site.of(house.settings.public_url, wrapper))}


@sessions.post("/passkey", may=ANYONE)
@sessions.takes(PasskeyBody())
@sessions.doc(responses={"401": {}})
@sessions.response(201, SignedInAnswer)
def create_session_by_passkey(said: dict[str, Any]) -> Response:
    """Sign in with a passkey alone: it is two factors in one."""
    refuse_other_sites()
    house, wrapper = the_house(), current_app.extensions["nursery"].wrapper
    return _signed_in(sign_in_by_passkey(house, wrapper, said["passkey"]))


@sessions.get("", may=SIGNED_IN)
@sessions.response(200, SessionSchema(many=True))
def list_sessions() -> list[dict[str, Any]]:
    """My sessions that have not ended, the newest first."""
    caller, house = acting().caller, the_house()
    query = select(Session).where(
        Session.user_id == caller.user_id,
        Session.ended_at.is_(None),
        Session.expires_at > now(),
        Session.last_seen_at > now() - house.guard.idle,
    )
    found = db().scalars(query.order_by(Session.created_at.desc()))
    return [_shown(each, caller, house.settings) for each in found]


@sessions.delete("", may=IN_PERSON)
@sessions.response(204)
def end_other_sessions() -> None:
    """End all of my sessions but this one."""
    caller = acting().caller
    assert caller.user_id is not None  # noqa: S101 - people only
    end_sessions(caller.user_id, but=caller.credential_id)


@sessions.delete("/<uuid:session_id>", may=IN_PERSON)
@sessions.response(204)
def end_session(session_id: UUID) -> None:
    """End one of my sessions; its next request is refused."""
    session = db().get(Session, session_id)
    if session is None or session.user_id != acting().caller.user_id:
        raise NotFound
    if session.ended_at is None:
        session.ended_at = now()
        record_event("sessions.ended", "sessions", session.id, {})


@sessions.delete("/current", may=SIGNED_IN)
@sessions.response(204)
def sign_out() -> Response:
    """End this session and forget its cookie."""
    at_work = acting()
    if at_work.caller.kind == "session":
        db().get_one(Session, at_work.caller.credential_id).ended_at = now()
        record_event("sessions.ended", "sessions", at_work.caller.credential_id, {})
    response = Response(status=204)
    set_cookie(the_house(), response, None)
    return response


@sessions.post("/current/confirmation", may=IN_PERSON)
@sessions.takes(ConfirmationBody())
@sessions.response(200, SignedInAnswer)
def confirm_session(said: dict[str, Any]) -> Response:
    """Confirm who I am before something dangerous: good for ten minutes. My session goes on in a new cookie.

    It is a strong one after a second factor.
    """
    house, wrapper = the_house(), current_app.extensions["nursery"].wrapper
    caller = acting().caller
    counted = budgets.counted(wrapper, budgets.CONFIRMATION, caller.user_id)
    spend(house.catalog, counted)
    user = db().get_one(User, caller.user_id)
    shown = identity_shown(Site.of(house.settings.public_url, wrapper), user, said)
    if shown is None:
        note_later(here().home, "sessions.not_confirmed", user.id, "wrong")
        raise NotAllowed("This is not right, or it was used before.", code="not_confirmed")
    here().after_commit.append(lambda: give_back(house.catalog, forget=(counted,)))
    record_event("sessions.confirmed", "sessions", caller.credential_id, {"by": shown})
    g.holds_secret = True
    token = renew_session(strong=True if shown in FACTORS else None)
    return signed_in_answer(house, token, 200)


def _shown(session: Session, caller: Caller, settings: Settings) -> dict[str, Any]:
    said = {
        "current": session.id == caller.credential_id,
        "device": described(session.device),
        "place": place_of(settings.places, session.address),
    }
    return {name: getattr(session, name) for name in SessionSchema().fields if name not in said} | said


def _signed_in(made: SignedIn) -> Response:
    house = the_house()
    response = signed_in_answer(house, made.token, 201, email_verified=made.email_verified)
    remember_device(house, response, made.device)
    return response
