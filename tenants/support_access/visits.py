"""Opening a visit under a grant, and ending it. What opens it for real is the platform's round (`memberships`)."""

from uuid import UUID

from sqlalchemy import select

from tenants.foundation import clock
from tenants.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from tenants.foundation.identifiers import new_token, token_hash
from tenants.isolation.door import db, here
from tenants.support_access.asking import ASKING, Asker
from tenants.support_access.grants import found_grant, must_be, put_on_record, take_step
from tenants.support_access.models import Access, AccessGrant, AccessVisit, GrantKind, GrantState
from tenants.support_access.receipts import sign_off
from tenants.support_access.rules import access_rules

VISIT = "fsv"


def open_visit(
    visit_id: UUID, grant_id: UUID, asker: Asker, access: str, intent: str | None
) -> tuple[AccessVisit, str]:
    """A visit in the tenant at hand, and the token for it. A visit that changes things says beforehand what for.

    Raises NotFound for a grant of somebody else, Conflict for one that opens nothing now, Invalid or NotAllowed for
    more than it gives.
    """
    grant = found_grant(grant_id)
    _take_up(grant, asker)
    if grant.staff_id != asker.id:
        raise NotFound
    must_be(grant, GrantState.APPROVED)
    if grant.kind != GrantKind.LEGAL_ORDER:
        access_rules().must_admit(asker.email)
    if access == Access.WRITE and grant.access != Access.WRITE:
        raise NotAllowed("This grant is for reading.", code="read_only")
    if access == Access.WRITE and not intent:
        raise Invalid(errors={"intent": ["Say what you are going to change."]})
    token = new_token(VISIT, here().home.id)
    visit = AccessVisit(
        id=visit_id, grant_id=grant.id, staff_id=asker.id, staff_name=asker.name, access=access, intent=intent,
        hash=token_hash(token), created_at=clock.now(), expires_at=grant.ends_at, visible_from=grant.visible_from,
    )  # fmt: skip
    db().add(visit)
    db().flush()
    if grant.visible_from <= clock.now():
        put_on_record(grant, f"{access}_visit_opened", intent)
    return visit, token


def end_visit(visit_id: UUID, asker: Asker) -> AccessVisit:
    """Sign a visit off. Raises NotFound for one of somebody else, Conflict for one that is over."""
    visit = found_visit(visit_id, asker)
    if visit.ended_at is not None:
        raise Conflict("This visit is over.", code="wrong_state")
    sign_off(visit, found_grant(visit.grant_id, lock=False), "ended")
    return visit


def found_visit(visit_id: UUID, asker: Asker) -> AccessVisit:
    """One's own visit in the tenant at hand. Raises NotFound."""
    query = select(AccessVisit).where(AccessVisit.id == visit_id, AccessVisit.staff_id == asker.id)
    visit = db().scalars(query).one_or_none()
    if visit is None:
        raise NotFound
    return visit


def _take_up(grant: AccessGrant, asker: Asker) -> None:
    """An invitation is nobody's until the first of those it is for comes."""
    if grant.kind != GrantKind.INVITATION or grant.staff_id is not None:
        return
    named = grant.staff_email
    if asker.role not in ASKING or (named and named.lower() != asker.email.lower()):
        raise NotFound
    must_be(grant, GrantState.APPROVED)
    grant.staff_id, grant.staff_name, grant.staff_email = asker.id, asker.name, asker.email
    take_step(grant, "taken_up", None)
