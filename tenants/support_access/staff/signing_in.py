"""Password and second factor of one of our people become a session; neither alone does, and a code works once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from tenants.catalog.registry import Catalog
from tenants.catalog.throttles import Counted, Throttle, give_back, spend
from tenants.foundation import clock
from tenants.foundation.errors import NotSignedIn
from tenants.identity.signing_in.budgets import counted
from tenants.identity.signing_in.passwords import fits
from tenants.isolation.keys import KeyName, KeyWrapper
from tenants.support_access.staff.accounts import TOTP_VERSION, new_credential
from tenants.support_access.staff.models import Staff, StaffCredential

SESSION_LASTS = timedelta(hours=12)
STEP_SECONDS = 30
#: A code of the step before or after is taken too: clocks differ (RFC 6238, section 5.2).
NEAR = (0, -1, 1)
#: As for tenants' people: guessing slows down, and whoever guesses from elsewhere keeps nobody out for long.
PAIR = Throttle("staff-sign-in-pair", free=5, forgets=600, longest=900)
ACCOUNT = Throttle("staff-sign-in-account", free=30, forgets=60, longest=60)
ADDRESS = Throttle("staff-sign-in-address", free=100, forgets=2, longest=60)
DECOY = "decoy"
WRONG = "The e-mail address, the password or the code is not right."


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in, from an address of the network."""

    email: str
    password: str
    code: str
    address: str


@dataclass(frozen=True)
class SignedIn:
    token: str
    expires_at: datetime


def sign_in(catalog: Catalog, wrapper: KeyWrapper, attempt: Attempt) -> SignedIn:
    """A new session.

    Raises NotSignedIn in the same words and after the same work, whatever was wrong, and TooManyRequests when this
    was tried too often, known account or not.
    """
    budgets = _counted(wrapper, attempt)
    spend(catalog, *budgets)
    with catalog.transaction() as session:
        kept = _kept(session, attempt.email)
    hashed, totp = kept.get("password"), kept.get("totp")
    right = fits(attempt.password, hashed.secret.decode() if hashed else None)
    opened = totp or kept.get(DECOY)
    secret = wrapper.unwrap(opened.secret, KeyName(opened.staff_id, TOTP_VERSION)).decode() if opened else ""
    if not right or totp is None:
        raise NotSignedIn(WRONG)
    with catalog.transaction() as session:
        if not _used_up(session, totp, secret, attempt.code):
            raise NotSignedIn(WRONG)
        expires_at = clock.now() + SESSION_LASTS
        made = SignedIn(new_credential(session, totp.staff_id, "session", SESSION_LASTS), expires_at)
    give_back(catalog, *budgets[:2], forget=(budgets[2],))
    return made


def _counted(wrapper: KeyWrapper, attempt: Attempt) -> tuple[Counted, Counted, Counted]:
    account = attempt.email.strip().lower()
    return (
        counted(wrapper, ADDRESS, attempt.address),
        counted(wrapper, ACCOUNT, account),
        counted(wrapper, PAIR, account, attempt.address),
    )


def sign_out(catalog: Catalog, credential_id: object) -> None:
    """End a session; its next request is refused."""
    ending = update(StaffCredential).where(StaffCredential.id == credential_id)
    with catalog.transaction() as session:
        session.execute(ending.values(ended_at=clock.now()))


def _kept(session: Session, email: str) -> dict[str, StaffCredential]:
    """Password and second factor of an account; where there is none, somebody's to do the same work with."""
    theirs = func.lower(Staff.email) == email.strip().lower()
    oldest = select(StaffCredential.id).where(
        StaffCredential.kind == "totp", StaffCredential.ended_at.is_(None)
    )
    query = (
        select(StaffCredential, theirs)
        .join(Staff, Staff.id == StaffCredential.staff_id)
        .where(
            or_(theirs, StaffCredential.id == oldest.order_by(StaffCredential.id).limit(1).scalar_subquery()),
            Staff.state == "active",
            StaffCredential.kind.in_(("password", "totp")),
            StaffCredential.ended_at.is_(None),
        )
    )
    found = {each.kind if known else DECOY: each for each, known in session.execute(query)}
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
