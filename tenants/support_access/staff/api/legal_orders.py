"""Orders of law, for those of us who deal with them."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from tenants.foundation.errors import NotFound
from tenants.http.course import the_house
from tenants.support_access.legal_orders import approve, make_grant, receive, refuse, tell
from tenants.support_access.staff.blueprint import LEGAL, StaffBlueprint, in_person
from tenants.support_access.staff.models import LegalOrder
from tenants.support_access.staff.pointers import MOST, asker_of, slug_of, tenant_named
from tenants.support_access.staff.recognition import member
from tenants.support_access.staff.schemas import LegalOrderBody, LegalOrderSchema, LegalOrdersSchema

legal_orders = StaffBlueprint("staff-legal-orders", __name__, url_prefix="/legal-orders")


@legal_orders.post("", may=in_person(LEGAL))
@legal_orders.takes(LegalOrderBody())
@legal_orders.response(201, LegalOrderSchema)
def create_legal_order(said: dict[str, Any]) -> dict[str, Any]:
    """Put an order on record: who demands what under which law, and exactly which records."""
    home = tenant_named(the_house().catalog, said.pop("tenant"))
    return _shown(receive(the_house().catalog, home, asker_of(member()), said))


@legal_orders.get("", may=LEGAL)
@legal_orders.response(200, LegalOrdersSchema)
def list_legal_orders() -> dict[str, Any]:
    """The newest orders."""
    query = select(LegalOrder.id).order_by(LegalOrder.id.desc()).limit(MOST)
    with the_house().catalog.transaction() as session:
        every = list(session.scalars(query))
    return {"data": [_shown(each) for each in every]}


@legal_orders.get("/<uuid:order_id>", may=LEGAL)
@legal_orders.response(200, LegalOrderSchema)
def get_legal_order(order_id: UUID) -> dict[str, Any]:
    """One order."""
    return _shown(order_id)


@legal_orders.put("/<uuid:order_id>/approval", may=in_person(LEGAL))
@legal_orders.response(200, LegalOrderSchema)
def approve_legal_order(order_id: UUID) -> dict[str, Any]:
    """Approve; the second person's approval makes it a grant, and tells the tenant unless the order forbids it."""
    catalog = the_house().catalog
    approve(catalog, order_id, asker_of(member()))
    make_grant(catalog, order_id)
    tell(catalog, order_id)
    return _shown(order_id)


@legal_orders.put("/<uuid:order_id>/refusal", may=LEGAL)
@legal_orders.response(200, LegalOrderSchema)
def refuse_legal_order(order_id: UUID) -> dict[str, Any]:
    """Turn an order down: nothing is disclosed under it."""
    refuse(the_house().catalog, order_id)
    return _shown(order_id)


def _shown(order_id: UUID) -> dict[str, Any]:
    with the_house().catalog.transaction() as session:
        order = session.get(LegalOrder, order_id)
        if order is None:
            raise NotFound
        columns = {each.key: getattr(order, each.key) for each in LegalOrder.__table__.columns}
    return columns | {"tenant": slug_of(the_house().catalog, columns["tenant_id"])}
