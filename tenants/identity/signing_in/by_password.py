"""A password becomes a session, slowly enough for guessers and the same for everybody."""

from datetime import timedelta

from flask import Response, request
from sqlalchemy import ColumnElement, func, select

from tenants.access.caller import SYSTEM, Caller, act_as
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, NotSignedIn
from tenants.foundation.identifiers import new_token, token_hash
from tenants.http.course import House
from tenants.http.rate_limits import Allowance
from tenants.identity.models import User
from tenants.identity.recognition import SESSION_PREFIX
from tenants.identity.signing_in.models import Password, Session
from tenants.identity.signing_in.passwords import fits
from tenants.isolation.door import db, inside

PER_ADDRESS = Allowance("sign-in-address", 60)
PER_ACCOUNT = Allowance("sign-in-account", 10)
MOST_TENANTS = 20
WRONG = "The e-mail address or the password is not right."


def sign_in(
    house: House, hashed_email: bytes, email: str, password: str, slug: str | None
) -> tuple[Home, str]:
    """A session's token in the one tenant where this address and password are right.

    Raises NotSignedIn with the same words and after the same work whatever was wrong, Conflict when several tenants
    fit and `slug` names none, TooManyRequests after ten tries for an address in a minute.
    """
    house.limits.hit((PER_ADDRESS, request.remote_addr or ""), (PER_ACCOUNT, hashed_email.hex()[:32]))
    homes = house.catalog.by_hash("email", hashed_email)
    if slug is not None:
        named = house.catalog.by_slug(slug)
        homes = [home for home in homes if named is not None and home.id == named.id]
    # Anybody may sign up with an address that isn't theirs: its owner gets past any number of those with a slug.
    fitting = [home for home in homes[:MOST_TENANTS] if _fits(home, email, password)]
    if not homes:
        fits(password, None)
    if len(fitting) > 1:
        raise Conflict("This address opens several workspaces: name one in 'tenant'.", code="several_tenants")
    if not fitting:
        raise NotSignedIn(WRONG)
    return fitting[0], open_session(house, fitting[0], email)


def open_session(house: House, home: Home, email: str) -> str:
    """A new session for the active user with this address, in a transaction of its own; its token."""
    token = new_token(SESSION_PREFIX, home.id)
    with inside(home):
        user = db().scalars(select(User).where(_is(email), User.state == "active")).one()
        act_as(
            Caller(kind="user", name=user.name, tenant_id=home.id, user_id=user.id),
            address=request.remote_addr,
        )
        expires = now() + timedelta(days=house.settings.session_days)
        device = (request.user_agent.string or "")[:200]
        session = Session(
            user_id=user.id,
            hash=token_hash(token),
            expires_at=expires,
            address=request.remote_addr,
            device=device,
        )
        db().add(session)
        record_event("sessions.created", "sessions", session.id, {})
    return token


def set_cookie(house: House, response: Response, token: str | None) -> None:
    """Give the browser its session, or take it away."""
    name, secure = house.guard.cookie, house.settings.secure_cookies
    age = house.settings.session_days * 86400
    if token is None:
        response.delete_cookie(name, secure=secure, httponly=True, samesite="Lax", path="/")
    else:
        response.set_cookie(name, token, max_age=age, secure=secure, httponly=True, samesite="Lax", path="/")


def _fits(home: Home, email: str, password: str) -> bool:
    with inside(home):
        act_as(SYSTEM, address=request.remote_addr)
        query = (
            select(Password.hash)
            .join(User, User.id == Password.user_id)
            .where(_is(email), User.state == "active")
        )
        hashed = db().scalars(query).one_or_none()
    return fits(password, hashed)


def _is(email: str) -> ColumnElement[bool]:
    return func.lower(User.email) == email.strip().lower()
