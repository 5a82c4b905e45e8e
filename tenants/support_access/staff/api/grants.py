"""Asking a tenant for access, and answering what others of us ask."""

from typing import Any
from uuid import UUID

from flask import g, request
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from tenants.catalog.registry import Home
from tenants.foundation.errors import NotFound
from tenants.foundation.identifiers import new_id
from tenants.http.course import the_house
from tenants.isolation.door import db
from tenants.support_access.asking import (
    approve_as_staff,
    ask,
    refuse_as_staff,
    review,
    review_is_overdue,
)
from tenants.support_access.grants import found_grant, state_of
from tenants.support_access.models import Access, AccessGrant, GrantKind, Reason
from tenants.support_access.schemas import WhyBody
from tenants.support_access.staff.blueprint import ANY_STAFF, SECURITY, SUPPORTING, StaffBlueprint, in_person
from tenants.support_access.staff.models import StaffRole
from tenants.support_access.staff.pointers import (
    asker_of,
    at_tenant,
    grants_for,
    home_of_grant,
    person,
    point_to_grant,
    slug_of,
    tenant_named,
)
from tenants.support_access.staff.recognition import member
from tenants.support_access.staff.schemas import (
    AskBody,
    ReviewBody,
    StaffGrantSchema,
    StaffGrantsSchema,
)

access_grants = StaffBlueprint("staff-access-grants", __name__, url_prefix="/access-grants")


@access_grants.post("", may=SUPPORTING)
@access_grants.takes(AskBody())
@access_grants.response(201, StaffGrantSchema)
def create_access_grant(said: dict[str, Any]) -> dict[str, Any]:
    """Ask a tenant for access. It opens nothing until my manager and the tenant approved it."""
    if said.get("kind") == GrantKind.BREAK_GLASS:
        member().must_be_in_person()
    home = tenant_named(the_house().catalog, said.pop("tenant"))
    grant_id = new_id()
    point_to_grant(the_house().catalog, grant_id, home, member().id)
    with at_tenant(home, member(), g.request_id, request.remote_addr):
        ask(asker_of(member()), said, grant_id)
        return _shown(home, grant_id)


@access_grants.get("", may=ANY_STAFF)
@access_grants.response(200, StaffGrantsSchema)
def list_access_grants() -> dict[str, Any]:
    """What I asked for, what I may answer, and invitations that I may take up; newest first."""
    found = []
    for tenant_id, grant_id in grants_for(the_house().catalog, member()):
        home = the_house().catalog.home(tenant_id)
        if home is None:
            continue
        with at_tenant(home, member(), g.request_id, request.remote_addr):
            grant = _found(grant_id)
            if grant is not None and _is_for(grant):
                found.append(_shown(home, grant_id))
    return {"data": found}


@access_grants.get("/<uuid:grant_id>", may=ANY_STAFF)
@access_grants.response(200, StaffGrantSchema)
def get_access_grant(grant_id: UUID) -> dict[str, Any]:
    """One of them."""
    home = _mine(grant_id)
    with at_tenant(home, member(), g.request_id, request.remote_addr):
        grant = _found(grant_id)
        if grant is None or not _is_for(grant):
            raise NotFound
        return _shown(home, grant_id)


@access_grants.put("/<uuid:grant_id>/approval", may=in_person(ANY_STAFF))
@access_grants.takes(WhyBody())
@access_grants.response(200, StaffGrantSchema)
def approve_access_grant(said: dict[str, Any], grant_id: UUID) -> dict[str, Any]:
    """Approve as the asker's manager, or a break-glass as the second person of security."""
    return _answer(grant_id, approve_as_staff, said.get("why"))


@access_grants.put("/<uuid:grant_id>/refusal", may=ANY_STAFF)
@access_grants.takes(WhyBody())
@access_grants.response(200, StaffGrantSchema)
def refuse_access_grant(said: dict[str, Any], grant_id: UUID) -> dict[str, Any]:
    """Say no, or take my own ask back."""
    return _answer(grant_id, refuse_as_staff, said.get("why"))


@access_grants.put("/<uuid:grant_id>/review", may=in_person(SECURITY))
@access_grants.takes(ReviewBody())
@access_grants.response(200, StaffGrantSchema)
def review_access_grant(said: dict[str, Any], grant_id: UUID) -> dict[str, Any]:
    """What I found about somebody else's break-glass."""
    home = _mine(grant_id)
    with at_tenant(home, member(), g.request_id, request.remote_addr):
        review(found_grant(grant_id), said["finding"])
        return _shown(home, grant_id)


def _answer(grant_id: UUID, answer: Any, why: str | None) -> dict[str, Any]:
    home = _mine(grant_id)
    with at_tenant(home, member(), g.request_id, request.remote_addr):
        grant = found_grant(grant_id)
        answer(grant, person(the_house().catalog, grant.staff_id), asker_of(member()), why)
        return _shown(home, grant_id)


def _mine(grant_id: UUID) -> Home:
    """The tenant of a grant that is my affair. Raises NotFound for all others."""
    if grant_id not in {each for _, each in grants_for(the_house().catalog, member())}:
        raise NotFound
    return home_of_grant(the_house().catalog, grant_id)


def _found(grant_id: UUID) -> AccessGrant | None:
    return db().scalar(
        select(AccessGrant).where(AccessGrant.id == grant_id).options(selectinload(AccessGrant.steps))
    )


def _is_for(grant: AccessGrant) -> bool:
    """An invitation that nobody took up is for the one it names; a legal order's grant is for its lawyers."""
    me = member()
    if grant.kind == GrantKind.LEGAL_ORDER:
        return me.role == StaffRole.LEGAL
    named = grant.staff_email
    return grant.staff_id is not None or not named or named.lower() == me.email.lower()


def _shown(home: Home, grant_id: UUID) -> dict[str, Any]:
    db().flush()
    db().expire_all()
    grant = _found(grant_id)
    if grant is None:
        raise NotFound
    columns = {each.key: getattr(grant, each.key) for each in AccessGrant.__table__.columns}
    return columns | {
        "steps": grant.steps,
        "state": state_of(grant),
        "kind": GrantKind(grant.kind),
        "reason": Reason(grant.reason),
        "access": Access(grant.access),
        "tenant": slug_of(the_house().catalog, home.id),
        "review_overdue": review_is_overdue(grant),
    }
