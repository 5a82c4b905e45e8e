"""What identity and idempotency keep longer than it is good for anything, removed."""

from datetime import timedelta

from sqlalchemy import delete

from tenants.foundation.clock import now
from tenants.foundation.tables import Purpose
from tenants.http.models import IdempotencyKey
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db
from tenants.jobs.registry import job

ANSWERS_KEPT = timedelta(hours=48)
SESSIONS_KEPT = timedelta(days=30)


@job("identity.tidy", purpose=Purpose.OPERATION, every="17 3 * * *")
def tidy_up() -> None:
    """Forget answers of repeated POSTs after two days, and sessions a month after they could last be used."""
    db().execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - ANSWERS_KEPT))
    db().execute(delete(Session).where(Session.expires_at < now() - SESSIONS_KEPT))
