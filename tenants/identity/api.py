"""Signing in and out, who I am, and the people, teams, roles and keys of the tenant."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, g, jsonify, make_response, request
from sqlalchemy import select

from tenants.access.caller import acting
from tenants.access.permissions import ANYONE, SIGNED_IN
from tenants.access.policy import find, save
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import Invalid, NotAllowed, NotFound
from tenants.foundation.identifiers import new_token, token_hash
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.identity.models import ApiKey, Session, TenantProfile, User
from tenants.identity.permissions import (
    CREATE_API_KEYS,
    DELETE_API_KEYS,
    READ_API_KEYS,
    READ_ROLES,
    READ_TEAMS,
    READ_USERS,
)
from tenants.identity.recognition import KEY_PREFIX, csrf_token
from tenants.identity.schemas import (
    API_KEYS,
    ROLES,
    TEAMS,
    USERS,
    ApiKeyBody,
    NewApiKeySchema,
    SessionSchema,
    SignedInSchema,
    SignInBody,
)
from tenants.identity.signing_in import set_cookie, sign_in
from tenants.isolation.door import db, here

me = Blueprint("me", __name__, url_prefix="/me", purpose=Purpose.ACCOUNT)
sessions = Blueprint("sessions", __name__, url_prefix="/sessions", purpose=Purpose.SECURITY)
users = Blueprint("users", __name__, url_prefix="/users", purpose=Purpose.ACCOUNT)
teams = Blueprint("teams", __name__, url_prefix="/teams", purpose=Purpose.ACCOUNT)
roles = Blueprint("roles", __name__, url_prefix="/roles", purpose=Purpose.SECURITY)
api_keys = Blueprint("api-keys", __name__, url_prefix="/api-keys", purpose=Purpose.SECURITY)


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


@sessions.delete("/<uuid:session_id>", may=SIGNED_IN)
@sessions.response(204)
def end_session(session_id: UUID) -> None:
    """End one of my sessions; its next request is refused."""
    _by_a_person()
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


@roles.page("", ROLES, may=READ_ROLES)
def list_roles() -> Selection:
    """The roles and what they allow."""
    return Selection(ROLES)


@roles.one("/<uuid:role_id>", ROLES, may=READ_ROLES)
def get_role(role_id: UUID) -> Selection:
    """One role."""
    return Selection(ROLES, {"id": role_id}, single=True)


@api_keys.page("", API_KEYS, may=READ_API_KEYS)
def list_api_keys() -> Selection:
    """The tenant's API keys, without their secrets."""
    return Selection(API_KEYS)


@api_keys.post("", may=CREATE_API_KEYS)
@api_keys.takes(ApiKeyBody())
@api_keys.response(201, NewApiKeySchema)
def create_api_key(said: dict[str, Any]) -> dict[str, Any]:
    """Make a key that acts as me. Its secret is in this answer and never shown again."""
    caller = acting().caller
    _by_a_person()
    if beyond := sorted(set(said.get("scopes") or ()) - caller.rights.keys()):
        raise Invalid(errors={"scopes": [f"You don't have '{name}' yourself." for name in beyond]})
    token = new_token(KEY_PREFIX, here().home.id)
    key = save(ApiKey(**said, user_id=caller.user_id, hash=token_hash(token), hint=token[-4:]))
    g.holds_secret = True
    return {
        **{name: getattr(key, name) for name in NewApiKeySchema().fields if name != "secret"},
        "secret": token,
    }


@api_keys.delete("/<uuid:key_id>", may=DELETE_API_KEYS)
@api_keys.response(204)
def revoke_api_key(key_id: UUID) -> None:
    """Revoke a key; its next request is refused."""
    _by_a_person()
    key = find(ApiKey, key_id)
    key.revoked_at = key.revoked_at or now()


def _by_a_person() -> None:
    """A key that leaked must not be able to make itself a successor."""
    if acting().caller.kind != "session":
        raise NotAllowed(
            "Credentials are managed by people who signed in, not by API keys.", code="needs_session"
        )
