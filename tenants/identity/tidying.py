"""What identity and idempotency keep longer than it is good for anything, removed."""

from datetime import timedelta

from sqlalchemy import delete, select, update

from tenants.foundation.clock import now
from tenants.foundation.tables import Purpose
from tenants.http.models import IdempotencyKey
from tenants.identity.models import OneTimeToken
from tenants.identity.oauth.ending import forget_old_tokens
from tenants.identity.signing_in.models import Authenticator, Session
from tenants.isolation.door import db
from tenants.jobs.registry import job

ANSWERS_KEPT = timedelta(hours=48)
SESSIONS_KEPT = timedelta(days=90)
SECRETS_KEPT = timedelta(days=1)


@job("identity.tidy", purpose=Purpose.OPERATION, every="17 3 * * *", always=True)
def tidy_up() -> None:
    """Forget answers of repeated POSTs after two days, and sessions three months after they could last be used.

    Of the session that was seen last, user and times stay: by them is known when anybody used the tenant.

    Secrets that work once go a day after their time, and so do second factors that nobody confirmed.
    """
    db().execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - ANSWERS_KEPT))
    _forget_sessions()
    db().execute(delete(OneTimeToken).where(OneTimeToken.expires_at < now() - SECRETS_KEPT))
    forgotten = (Authenticator.confirmed_at.is_(None), Authenticator.created_at < now() - SECRETS_KEPT)
    db().execute(delete(Authenticator).where(*forgotten))
    forget_old_tokens()


def _forget_sessions() -> None:
    over = Session.expires_at < now() - SESSIONS_KEPT
    seen_last = select(Session.id).order_by(Session.last_seen_at.desc(), Session.id.desc()).limit(1)
    db().execute(delete(Session).where(over, Session.id != seen_last.scalar_subquery()))
    db().execute(update(Session).where(over).values(address=None, device=None))
