"""Opening and ending visits."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Response, g, request

from tenants.catalog.registry import Home
from tenants.foundation.errors import NotFound
from tenants.foundation.identifiers import new_id
from tenants.http.course import the_house
from tenants.isolation.door import here
from tenants.support_access.memberships import wake
from tenants.support_access.models import Access, AccessVisit
from tenants.support_access.staff.blueprint import ANY_STAFF, StaffBlueprint, in_person
from tenants.support_access.staff.pointers import (
    asker_of,
    at_tenant,
    home_of_grant,
    home_of_visit,
    point_to_visit,
    slug_of,
    visits_of,
)
from tenants.support_access.staff.recognition import member
from tenants.support_access.staff.schemas import (
    NewStaffVisitSchema,
    StaffVisitSchema,
    StaffVisitsSchema,
    VisitBody,
)
from tenants.support_access.visits import end_visit as sign_off
from tenants.support_access.visits import found_visit, open_visit

visits = StaffBlueprint("staff-visits", __name__, url_prefix="/visits")


@visits.post("", may=in_person(ANY_STAFF))
@visits.takes(VisitBody())
@visits.response(202, NewStaffVisitSchema)
def create_visit(said: dict[str, Any]) -> Any:
    """Open a visit under an approved grant. It is open when its `state` says so, within a second or two."""
    catalog, grant_id, visit_id = the_house().catalog, said["grant_id"], new_id()
    home = home_of_grant(catalog, grant_id)
    point_to_visit(catalog, visit_id, grant_id, home, member().id)
    with at_tenant(home, member(), g.request_id, request.remote_addr):
        access = said.get("access", Access.READ.value)
        visit, token = open_visit(visit_id, grant_id, asker_of(member()), access, said.get("intent"))
        here().after_commit.append(wake(catalog))
        return _shown(home, visit) | {"token": token}, {"Location": f"/staff/v1/visits/{visit_id}"}


@visits.get("", may=ANY_STAFF)
@visits.response(200, StaffVisitsSchema)
def list_visits() -> dict[str, Any]:
    """My visits, newest first."""
    found = []
    for tenant_id, visit_id in visits_of(the_house().catalog, member().id):
        if home := the_house().catalog.home(tenant_id):
            # A pointer leads to nothing where a visit was refused.
            with suppress(NotFound), at_tenant(home, member(), g.request_id, request.remote_addr):
                found.append(_shown(home, found_visit(visit_id, asker_of(member()))))
    return {"data": found}


@visits.get("/<uuid:visit_id>", may=ANY_STAFF)
@visits.response(200, StaffVisitSchema)
def get_visit(visit_id: UUID) -> dict[str, Any]:
    """One of my visits."""
    home = home_of_visit(the_house().catalog, visit_id, member().id)
    with at_tenant(home, member(), g.request_id, request.remote_addr):
        return _shown(home, found_visit(visit_id, asker_of(member())))


@visits.delete("/<uuid:visit_id>", may=ANY_STAFF)
@visits.response(204)
def end_visit(visit_id: UUID) -> Response:
    """End one of my visits: its token fails from now on, and the tenant has its receipt."""
    home = home_of_visit(the_house().catalog, visit_id, member().id)
    with at_tenant(home, member(), g.request_id, request.remote_addr):
        sign_off(visit_id, asker_of(member()))
        here().after_commit.append(wake(the_house().catalog))
    return Response(status=204)


def _shown(home: Home, visit: AccessVisit) -> dict[str, Any]:
    state = "ended" if visit.ended_at else "open" if visit.opened_at else "opening"
    columns = {each.key: getattr(visit, each.key) for each in AccessVisit.__table__.columns}
    return columns | {
        "state": state,
        "access": Access(visit.access),
        "tenant": slug_of(the_house().catalog, home.id),
    }
