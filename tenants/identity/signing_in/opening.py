"""Sessions as rows: begun, renewed under another secret when they get stronger, and ended."""

from datetime import timedelta
from uuid import UUID

from flask import g, request
from sqlalchemy import update

from tenants.access.caller import Caller, act_as, acting
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import NotSignedIn
from tenants.foundation.identifiers import new_token, token_hash
from tenants.foundation.settings import Settings
from tenants.identity.models import User
from tenants.identity.recognition import SESSION_PREFIX
from tenants.identity.signing_in.devices import LONGEST
from tenants.identity.signing_in.models import Session
from tenants.identity.single_sign_on.exclusive import may_sign_in_here
from tenants.isolation.door import db, here

#: How a session began that a provider of the tenant vouches for.
ELSEWHERE = "sso"


def begin_session(settings: Settings, user: User, *, method: str, strong: bool = False) -> str:
    """A new session of an active user of the tenant at hand, who acts from here on; its secret for the cookie.

    Never an old secret: one that was slipped to the browser beforehand stays nobody's (session fixation). Every way in
    ends here, so here NotSignedIn is raised where a tenant signs in elsewhere only.
    """
    if method != ELSEWHERE and not may_sign_in_here(user.id):
        raise NotSignedIn("Your workspace signs in elsewhere only.", code="sso_only")
    token = new_token(SESSION_PREFIX, here().home.id)
    act_as_user(user)
    made = Session(
        user_id=user.id,
        hash=token_hash(token),
        method=method,
        strong=strong,
        expires_at=now() + timedelta(days=settings.session_days),
        address=request.remote_addr,
        device=(request.user_agent.string or "")[:LONGEST],
    )
    db().add(made)
    db().flush()
    record_event("sessions.created", "sessions", made.id, {"method": method, "strong": strong})
    return token


def act_as_user(user: User) -> None:
    """Let what happens before there is a session be on record as done by this user."""
    home = here().home
    caller = Caller(kind="user", name=user.name, tenant_id=home.id, user_id=user.id)
    act_as(caller, address=request.remote_addr, request_id=g.request_id)


def renew_session(*, strong: bool | None = None) -> str:
    """Whoever acts in person has just shown who they are: their session goes on under a new secret (ASVS 7.2.4).

    The old one opens nothing from the end of this transaction on.
    """
    session = db().get_one(Session, acting().caller.credential_id, with_for_update=True)
    token = new_token(SESSION_PREFIX, here().home.id)
    session.hash, session.confirmed_at = token_hash(token), now()
    session.strong = session.strong if strong is None else strong
    db().flush()
    return token


def end_sessions(user_id: UUID, *, but: UUID | None = None) -> int:
    """End every session of a user, or all but one; how many there were. Their next requests are refused."""
    open_ones = update(Session).where(Session.user_id == user_id, Session.ended_at.is_(None))
    if but is not None:
        open_ones = open_ones.where(Session.id != but)
    ended = db().scalars(open_ones.values(ended_at=now()).returning(Session.id)).all()
    for each in ended:
        record_event("sessions.ended", "sessions", each, {})
    return len(ended)
