"""Password and second factor of one of our people become a session; neither alone does, and a code works once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from tenants.catalog.registry import Catalog
from tenants.foundation import clock
from tenants.foundation.errors import NotSignedIn
from tenants.identity.signing_in.passwords import fits
from tenants.isolation.keys import KeyName, KeyWrapper
from tenants.support_access.staff.accounts import TOTP_VERSION, new_credential
from tenants.support_access.staff.models import Staff, StaffCredential

SESSION_LASTS = timedelta(hours=12)
STEP_SECONDS = 30
#: A code of the step before or after is taken too: clocks differ (RFC 6238, section 5.2).
NEAR = (0, -1, 1)
WRONG = "The e-mail address, the password or the code is not right."


@dataclass(frozen=True)
class SignedIn:
    token: str
    expires_at: datetime


def sign_in(catalog: Catalog, wrapper: KeyWrapper, email: str, password: str, code: str) -> SignedIn:
    """A new session. Raises NotSignedIn in the same words and after the same work, whatever was wrong."""
    with catalog.transaction() as session:
        kept = _kept(session, email)
    hashed = kept.get("password")
    right = fits(password, hashed.secret.decode() if hashed else None)
    totp = kept.get("totp")
    if not right or totp is None:
        raise NotSignedIn(WRONG)
    secret = wrapper.unwrap(totp.secret, KeyName(totp.staff_id, TOTP_VERSION)).decode()
    with catalog.transaction() as session:
        if not _used_up(session, totp, secret, code):
            raise NotSignedIn(WRONG)
        expires_at = clock.now() + SESSION_LASTS
        return SignedIn(new_credential(session, totp.staff_id, "session", SESSION_LASTS), expires_at)


def sign_out(catalog: Catalog, credential_id: object) -> None:
    """End a session; its next request is refused."""
    ending = update(StaffCredential).where(StaffCredential.id == credential_id)
    with catalog.transaction() as session:
        session.execute(ending.values(ended_at=clock.now()))


def _kept(session: Session, email: str) -> dict[str, StaffCredential]:
    query = (
        select(StaffCredential)
        .join(Staff, Staff.id == StaffCredential.staff_id)
        .where(
            func.lower(Staff.email) == email.strip().lower(),
            Staff.state == "active",
            StaffCredential.kind.in_(("password", "totp")),
            StaffCredential.ended_at.is_(None),
        )
    )
    found = {each.kind: each for each in session.scalars(query)}
    session.expunge_all()
    return found


def _used_up(session: Session, totp: StaffCredential, secret: str, code: str) -> bool:
    """Whether the code is of now and was never used: of any number who show it at once, the row lets one."""
    present = int(clock.now().timestamp()) // STEP_SECONDS
    shown = pyotp.TOTP(secret)
    matching = [
        present + step
        for step in NEAR
        if pyotp.utils.strings_equal(code, shown.at((present + step) * STEP_SECONDS))
    ]
    if not matching:
        return False
    later = or_(StaffCredential.last_step.is_(None), StaffCredential.last_step < matching[0])
    using = update(StaffCredential).where(StaffCredential.id == totp.id, later).values(last_step=matching[0])
    return session.execute(using.returning(StaffCredential.id)).one_or_none() is not None
