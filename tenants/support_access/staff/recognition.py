"""Knows our own people by their keys and sessions, which open no tenant's routes, as no tenant's open these."""

from dataclasses import dataclass
from uuid import UUID

from flask import g, request
from sqlalchemy import select

from tenants.access.caller import Caller
from tenants.foundation import clock
from tenants.foundation.errors import NotAllowed, NotSignedIn
from tenants.foundation.identifiers import tenant_of_token, token_hash
from tenants.http.course import the_house
from tenants.http.rate_limits import Allowance
from tenants.support_access.staff.accounts import KEY_PREFIX, SESSION_PREFIX
from tenants.support_access.staff.models import Staff, StaffCredential

PER_ADDRESS = Allowance("staff-address", 600)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """One of our people, known by a credential that is good at this moment."""

    id: UUID
    name: str
    email: str
    role: str
    manager_id: UUID | None
    credential_id: UUID
    kind: str
    """`api_key` or `session`."""

    @property
    def caller(self) -> Caller:
        """Who acts, for the tenant's own record of it. They have no rights there."""
        return Caller(kind="staff", name=self.name, user_id=self.id, credential_id=self.credential_id)

    def must_be(self, *roles: str) -> None:
        """Raises NotAllowed for everybody else."""
        if self.role not in roles:
            raise NotAllowed(f"This is for {' and '.join(roles)}; you are {self.role}.")

    def must_be_in_person(self) -> None:
        """Raises NotAllowed where a key is shown: whoever has it never showed a second factor."""
        if self.kind != "session":
            raise NotAllowed("A key can't do this: sign in with password and code.", code="in_person")


def bearer(*prefixes: str) -> str:
    """The token of the request at hand. Raises NotSignedIn when it shows none of these kinds."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not any(tenant_of_token(token, prefix) for prefix in prefixes):
        raise NotSignedIn
    return token


def recognise() -> StaffMember:
    """Who of our people makes this request. Raises NotSignedIn, TooManyRequests."""
    the_house().limits.hit((PER_ADDRESS, request.remote_addr or ""))
    query = (
        select(
            Staff.id,
            Staff.name,
            Staff.email,
            Staff.role,
            Staff.manager_id,
            StaffCredential.id.label("credential"),
            StaffCredential.kind,
        )
        .join(StaffCredential, StaffCredential.staff_id == Staff.id)
        .where(
            StaffCredential.secret == token_hash(bearer(KEY_PREFIX, SESSION_PREFIX)),
            StaffCredential.kind.in_(("api_key", "session")),
            StaffCredential.ended_at.is_(None),
            StaffCredential.expires_at > clock.now(),
            Staff.state == "active",
        )
    )
    with the_house().catalog.transaction() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        raise NotSignedIn
    return StaffMember(row.id, row.name, row.email, row.role, row.manager_id, row.credential, row.kind)


def member() -> StaffMember:
    """Who of our people makes this request, once `recognise` said so."""
    found: StaffMember = g.staff
    return found
