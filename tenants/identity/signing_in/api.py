"""Signing in and out, and one's own sessions."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, jsonify, make_response
from sqlalchemy import select

from tenants.access.caller import acting
from tenants.access.permissions import ANYONE, IN_PERSON, SIGNED_IN
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import NotFound
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.identity.recognition import csrf_token
from tenants.identity.signing_in.by_password import set_cookie, sign_in
from tenants.identity.signing_in.models import Session
from tenants.identity.signing_in.schemas import SessionSchema, SignInBody
from tenants.isolation.door import db

sessions = Blueprint("sessions", __name__, url_prefix="/sessions", purpose=Purpose.SECURITY)


@sessions.post("", may=ANYONE)
@sessions.takes(SignInBody())
@sessions.response(201, description="Signed in; the session is in a cookie.")
def create_session(said: dict[str, Any]) -> Response:
    """Sign in with an e-mail address and a password."""
    house, nursery = current_app.extensions["house"], current_app.extensions["nursery"]
    hashed = nursery.hash_of_email(said["email"])
    _, token = sign_in(house, hashed, said["email"], said["password"], said.get("tenant"))
    response = make_response(jsonify(csrf_token=csrf_token(token)), 201)
    set_cookie(house, response, token)
    return response


@sessions.get("", may=SIGNED_IN)
@sessions.response(200, SessionSchema(many=True))
def list_sessions() -> list[Session]:
    """My sessions that have not ended."""
    mine = select(Session).where(Session.user_id == acting().caller.user_id, Session.ended_at.is_(None))
    return list(db().scalars(mine.where(Session.expires_at > now()).order_by(Session.created_at.desc())))


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
    set_cookie(current_app.extensions["house"], response, None)
    return response
