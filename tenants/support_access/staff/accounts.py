"""Accounts of our own people: made and ended by whoever runs the program, never over the network."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pyotp
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tenants.audit.ledger import INSTALLATION, Ending, ledger
from tenants.catalog.registry import Catalog
from tenants.foundation import clock
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.identifiers import new_id, new_token, token_hash
from tenants.identity.signing_in.passwords import hash_of
from tenants.isolation.keys import KeyName, KeyWrapper
from tenants.jobs.platform import ask_for_round
from tenants.support_access.memberships import SETTLE
from tenants.support_access.staff.models import Staff, StaffCredential, StaffRole

KEY_PREFIX = "fst"
SESSION_PREFIX = "fss"
KEY_LASTS = timedelta(days=90)
#: TOTP secrets are wrapped like tenants' keys, under the name of their person.
TOTP_VERSION = 0


@dataclass(frozen=True)
class NewStaff:
    """What is said of somebody new. With a password comes a second factor, always."""

    email: str
    role: str
    name: str
    manager: str | None = None
    password: str | None = None
    api_key: bool = False


@dataclass(frozen=True)
class Made:
    """A new account, and its secrets, which are never shown again."""

    staff: Staff
    api_key: str | None
    totp: str | None


def make_staff(catalog: Catalog, wrapper: KeyWrapper, said: NewStaff) -> Made:
    """Make an account. Raises Conflict for an address that has one, Invalid for a role or manager that isn't there."""
    if said.role not in set(StaffRole):
        raise Invalid(errors={"role": [f"One of {', '.join(StaffRole)}."]})
    with catalog.transaction() as session:
        if _by_email(session, said.email):
            raise Conflict(f"There is an account for {said.email} already.", code="already_exists")
        manager = _by_email(session, said.manager) if said.manager else None
        if said.manager and (manager is None or manager.state != "active"):
            raise Invalid(errors={"manager": [f"{said.manager} is not one of our active staff."]})
        staff = Staff(
            id=new_id(), email=said.email.strip(), name=said.name, role=said.role, state="active",
            manager_id=manager.id if manager else None, created_at=clock.now(),
        )  # fmt: skip
        session.add(staff)
        session.flush()
        totp = _keep_password(session, wrapper, staff, said.password) if said.password else None
        key = new_credential(session, staff.id, "api_key", KEY_LASTS) if said.api_key else None
        return Made(staff, key, totp)


def new_credential(session: Session, staff_id: UUID, kind: str, lasts: timedelta) -> str:
    """A new API key or session of somebody; only its hash is kept."""
    token = new_token(KEY_PREFIX if kind == "api_key" else SESSION_PREFIX, staff_id)
    session.add(
        StaffCredential(
            id=new_id(), staff_id=staff_id, kind=kind, secret=token_hash(token), created_at=clock.now(),
            expires_at=clock.now() + lasts,
        )
    )  # fmt: skip
    return token


def deactivate(catalog: Catalog, email: str) -> Staff:
    """End an account: its credentials fail at once, its visits with their next request; no backup brings it back.

    Raises NotFound. StorageFailed when the ledger could not be told: it is ended all the same, say it again.
    """
    with catalog.transaction() as session:
        staff = _by_email(session, email)
        if staff is None:
            raise NotFound(f"There is no account for {email}.")
        staff.state = "inactive"
        session.execute(
            update(StaffCredential)
            .where(StaffCredential.staff_id == staff.id, StaffCredential.ended_at.is_(None))
            .values(ended_at=clock.now())
        )
        ask_for_round(session, SETTLE)
    ledger().note(Ending.SHUT_OUT, INSTALLATION, "staff", [staff.id])
    return staff


def all_staff(catalog: Catalog) -> list[Staff]:
    """Every account, by address."""
    with catalog.transaction() as session:
        return list(session.scalars(select(Staff).order_by(func.lower(Staff.email))))


def _by_email(session: Session, email: str) -> Staff | None:
    query = select(Staff).where(func.lower(Staff.email) == email.strip().lower())
    return session.scalars(query).one_or_none()


def _keep_password(session: Session, wrapper: KeyWrapper, staff: Staff, password: str) -> str:
    """The URI that an authenticator app reads (its secret is kept wrapped)."""
    secret = pyotp.random_base32()
    kept = {
        "password": hash_of(password).encode(),
        "totp": wrapper.wrap(secret.encode(), KeyName(staff.id, TOTP_VERSION)),
    }
    for kind, value in kept.items():
        session.add(
            StaffCredential(id=new_id(), staff_id=staff.id, kind=kind, secret=value, created_at=clock.now())
        )
    return str(pyotp.TOTP(secret).provisioning_uri(name=staff.email, issuer_name="Freehold staff"))
