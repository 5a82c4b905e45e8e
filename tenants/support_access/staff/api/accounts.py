"""Signing in and out, oneself, and which tenants there are."""

from typing import Any

from flask import current_app, request
from sqlalchemy import select

from tenants.catalog.models import Tenant
from tenants.http.course import the_house
from tenants.support_access.staff.blueprint import ANY_STAFF, NOBODY_YET, StaffBlueprint
from tenants.support_access.staff.recognition import StaffMember, member
from tenants.support_access.staff.schemas import (
    StaffSchema,
    StaffSessionSchema,
    StaffSignInBody,
    TenantsSchema,
)
from tenants.support_access.staff.signing_in import Attempt, SignedIn, sign_in, sign_out

sessions = StaffBlueprint("staff-sessions", __name__, url_prefix="/sessions")
me = StaffBlueprint("staff-me", __name__, url_prefix="/me")
tenants = StaffBlueprint("staff-tenants", __name__, url_prefix="/tenants")


@sessions.post("", may=NOBODY_YET)
@sessions.takes(StaffSignInBody())
@sessions.doc(responses={"401": {}})
@sessions.response(201, StaffSessionSchema)
def create_session(said: dict[str, Any]) -> SignedIn:
    """Sign in with password and second factor."""
    wrapper = current_app.extensions["nursery"].wrapper
    return sign_in(the_house().catalog, wrapper, Attempt(**said, address=request.remote_addr or ""))


@sessions.delete("/current", may=ANY_STAFF)
@sessions.response(204)
def end_session() -> None:
    """End the session or key that this request shows."""
    sign_out(the_house().catalog, member().credential_id)


@me.get("", may=ANY_STAFF)
@me.response(200, StaffSchema)
def get_me() -> StaffMember:
    """Who I am."""
    return member()


@tenants.get("", may=ANY_STAFF)
@tenants.response(200, TenantsSchema)
def list_tenants() -> dict[str, Any]:
    """Which tenants there are: slug, name, state and cell, and nothing of what is in them."""
    query = select(Tenant.slug, Tenant.name, Tenant.state, Tenant.cell).where(Tenant.slug.is_not(None))
    with the_house().catalog.transaction() as session:
        return {"data": [dict(row) for row in session.execute(query.order_by(Tenant.slug)).mappings()]}
