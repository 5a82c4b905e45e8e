"""Codes from an authenticator app (RFC 6238): thirty seconds, one step of drift either way, none twice."""

import time
from hmac import compare_digest
from uuid import UUID

import pyotp
from sqlalchemy import or_, select, update

from tenants.foundation.clock import now
from tenants.identity.signing_in.models import Authenticator
from tenants.isolation.door import db
from tenants.isolation.sealing import opened

STEP_SECONDS = 30
DRIFT = (0, -1, 1)
ISSUER = "Freehold"


def new_secret() -> str:
    """160 random bits in base 32."""
    return pyotp.random_base32()


def uri_of(secret: str, account: str) -> str:
    """What apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def step_of(secret: str, code: str) -> int | None:
    """The time step that this code belongs to, if that is now or next to it."""
    current = int(time.time()) // STEP_SECONDS
    app = pyotp.TOTP(secret)
    steps = [current + drift for drift in DRIFT]
    return next(
        (step for step in steps if compare_digest(app.generate_otp(step).encode(), code.encode())), None
    )


def use_code(user_id: UUID, code: str) -> bool:
    """Whether one of the user's apps shows this code and it was not used before: of many at once, one gets True."""
    mine = select(Authenticator).where(
        Authenticator.user_id == user_id,
        Authenticator.kind == "totp",
        Authenticator.confirmed_at.is_not(None),
    )
    return any(_used(each, code) for each in db().scalars(mine))


def use_first_code(authenticator: Authenticator, code: str) -> bool:
    """The same for an app that is being set up."""
    return _used(authenticator, code)


def _used(authenticator: Authenticator, code: str) -> bool:
    step = step_of(opened(authenticator, "secret") or "", code.strip().replace(" ", ""))
    if step is None:
        return False
    # The row's lock lets one of many through; the others find the step taken.
    fresh = update(Authenticator).where(
        Authenticator.id == authenticator.id,
        or_(Authenticator.last_step.is_(None), Authenticator.last_step < step),
    )
    taken = db().execute(fresh.values(last_step=step, last_used_at=now()).returning(Authenticator.id))
    return taken.first() is not None
