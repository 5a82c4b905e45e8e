"""Orders of law: two persons of legal approve one; then it is a grant for exactly its records, and for nothing else."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Catalog, Home
from tenants.foundation import clock
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Source
from tenants.isolation.door import inside
from tenants.support_access.asking import Asker
from tenants.support_access.grants import begin, found_grant, put_on_record
from tenants.support_access.models import Access, AccessGrant, GrantKind, GrantState, Reason
from tenants.support_access.notices import DISCLOSED, tell_deciders
from tenants.support_access.scope import LONGEST_HOURS
from tenants.support_access.staff.models import GrantPointer, LegalOrder, Staff
from tenants.support_access.visitable import check_scope

APPROVERS = 2
DISCLOSURE = "Records of your workspace are disclosed under an order of law"
#: The name of the round that tells tenants once a gag is over.
TELL = "staff.tell"


def receive(catalog: Catalog, home: Home, by: Asker, said: Mapping[str, Any]) -> UUID:
    """Put an order on record. Raises Invalid for a gag that is over already, or what no grant can name."""
    check_scope(said["resources"], said.get("only_fields"))
    gag = said.get("gag_until")
    if gag is not None and gag <= clock.now():
        raise Invalid(errors={"gag_until": ["This day has passed."]})
    order = LegalOrder(id=new_id(), tenant_id=home.id, received_by=by.id, created_at=clock.now(), **said)
    with catalog.transaction() as session:
        session.add(order)
        return order.id


def approve(catalog: Catalog, order_id: UUID, by: Asker) -> None:
    """One person's approval; the second one's, of somebody else, makes the order a grant of whoever received it.

    Raises NotFound, Conflict for an order that waits for nobody, or for the same person twice.
    """
    with catalog.transaction() as session:
        order = _waiting(session, order_id)
        if str(by.id) in [each["staff_id"] for each in order.approvals]:
            raise Conflict("You approved this already; a second person has to.", code="same_person")
        step = {"staff_id": str(by.id), "name": by.name, "at": clock.now().isoformat()}
        order.approvals = [*order.approvals, step]
        if len(order.approvals) < APPROVERS:
            return
        order.state, order.grant_id = "approved", order.grant_id or new_id()
        session.add(GrantPointer(id=order.grant_id, tenant_id=order.tenant_id, staff_id=order.received_by))


def refuse(catalog: Catalog, order_id: UUID) -> None:
    """Contest or turn down an order: nothing is disclosed. Raises as `approve` does."""
    with catalog.transaction() as session:
        _waiting(session, order_id).state = "refused"


def make_grant(catalog: Catalog, order_id: UUID) -> None:
    """The grant of an approved order, in the tenant's schema; made once, however often this is called."""
    order = _found(catalog, order_id)
    home = catalog.home(order.tenant_id)
    if order.grant_id is None or home is None:
        return
    with catalog.transaction() as session:
        holder = session.get_one(Staff, order.received_by)
    with inside(home):
        act_as(SYSTEM, request_id=TELL)
        try:
            found_grant(order.grant_id)
        except NotFound:
            begin(_grant(order, holder), lasts=timedelta(hours=LONGEST_HOURS))


def tell_when_due(catalog: Catalog) -> int:
    """Tell the tenants of approved orders whose gag is over, or that have none; how many orders that were.

    What a process that was killed left undone of an approval is done here too.
    """
    query = select(LegalOrder.id).where(LegalOrder.state == "approved", LegalOrder.told_at.is_(None))
    with catalog.transaction() as session:
        approved = list(session.scalars(query))
    for order_id in approved:
        make_grant(catalog, order_id)
    return sum(tell(catalog, order_id) for order_id in approved)


def tell(catalog: Catalog, order_id: UUID) -> bool:
    """Tell the tenant of an order, by mail and in its audit, unless its gag is not over yet."""
    order = _found(catalog, order_id)
    home = catalog.home(order.tenant_id)
    gagged = order.gag_until is not None and order.gag_until > clock.now()
    if gagged or order.told_at is not None or order.grant_id is None or home is None:
        return False
    with inside(home):
        act_as(SYSTEM, request_id=TELL)
        grant = found_grant(order.grant_id)
        # A process that dies before the catalog knows of it tells nobody twice.
        if tell_deciders(DISCLOSED, grant, DISCLOSURE, key=f"order-{order_id}"):
            put_on_record(grant, "told", order.reference)
    with catalog.transaction() as session:
        session.get_one(LegalOrder, order_id).told_at = clock.now()
    return True


def _grant(order: LegalOrder, holder: Staff) -> AccessGrant:
    """In clear, as an order demands what is there; what is sealed stays sealed."""
    return AccessGrant(
        id=order.grant_id,
        kind=GrantKind.LEGAL_ORDER.value,
        state=GrantState.APPROVED.value,
        staff_id=holder.id,
        staff_name=holder.name,
        staff_email=holder.email,
        reason=Reason.LEGAL_ORDER.value,
        explanation=f"{order.authority}, {order.jurisdiction}; document {order.document_sha256}",
        ticket=order.reference,
        resources=list(order.resources),
        record_ids=list(order.record_ids),
        only_fields=order.only_fields,
        access=Access.READ.value,
        masked=False,
        hours=LONGEST_HOURS,
        source=Source.API.value,
        visible_from=order.gag_until or clock.now(),
    )


def _waiting(session: Session, order_id: UUID) -> LegalOrder:
    order = session.scalars(
        select(LegalOrder).where(LegalOrder.id == order_id).with_for_update()
    ).one_or_none()
    if order is None:
        raise NotFound
    if order.state != "received":
        raise Conflict(f"This order was {order.state} already.", code="wrong_state")
    return order


def _found(catalog: Catalog, order_id: UUID) -> LegalOrder:
    with catalog.transaction() as session:
        order = session.get(LegalOrder, order_id)
        if order is None:
            raise NotFound
        return order
