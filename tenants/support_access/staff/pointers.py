"""From what the catalog knows of grants and visits to the tenants that hold them."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased

from tenants.access.caller import act_as
from tenants.catalog.models import Tenant
from tenants.catalog.registry import Catalog, Home
from tenants.foundation.errors import NotFound
from tenants.isolation.door import inside
from tenants.support_access.asking import Asker
from tenants.support_access.staff.models import GrantPointer, Staff, StaffRole, VisitPointer
from tenants.support_access.staff.recognition import StaffMember

MOST = 100


def asker_of(member: StaffMember) -> Asker:
    return Asker(member.id, member.name, member.email, member.role, member.manager_id)


def tenant_named(catalog: Catalog, slug: str) -> Home:
    """Raises NotFound."""
    home = catalog.by_slug(slug)
    if home is None:
        raise NotFound(f"There is no tenant '{slug}'.")
    return home


def slug_of(catalog: Catalog, tenant_id: UUID) -> str:
    with catalog.transaction() as session:
        return session.scalar(select(Tenant.slug).where(Tenant.id == tenant_id)) or ""


def point_to_grant(catalog: Catalog, grant_id: UUID, home: Home, staff_id: UUID | None) -> None:
    """Before the grant itself: a pointer to nothing is harmless, a grant that nobody finds is not."""
    with catalog.transaction() as session:
        session.add(GrantPointer(id=grant_id, tenant_id=home.id, staff_id=staff_id))


def point_to_visit(catalog: Catalog, visit_id: UUID, grant_id: UUID, home: Home, staff_id: UUID) -> None:
    """Before the visit itself, likewise: the platform's round looks where the pointers lead."""
    with catalog.transaction() as session:
        session.add(VisitPointer(id=visit_id, tenant_id=home.id, grant_id=grant_id, staff_id=staff_id))


def home_of_grant(catalog: Catalog, grant_id: UUID) -> Home:
    """Raises NotFound."""
    with catalog.transaction() as session:
        tenant_id = session.scalar(select(GrantPointer.tenant_id).where(GrantPointer.id == grant_id))
    return _home(catalog, tenant_id)


def home_of_visit(catalog: Catalog, visit_id: UUID, staff_id: UUID) -> Home:
    """Where one's own visit is. Raises NotFound."""
    query = select(VisitPointer.tenant_id).where(
        VisitPointer.id == visit_id, VisitPointer.staff_id == staff_id
    )
    with catalog.transaction() as session:
        tenant_id = session.scalar(query)
    return _home(catalog, tenant_id)


def grants_for(catalog: Catalog, member: StaffMember) -> list[tuple[UUID, UUID]]:
    """Tenant and grant of the newest asks that are somebody's affair: their own, those they answer, and invitations."""
    asker = aliased(Staff)
    query = (
        select(GrantPointer.tenant_id, GrantPointer.id)
        .outerjoin(asker, asker.id == GrantPointer.staff_id)
        .where(_concerns(member, asker))
        .order_by(GrantPointer.id.desc())
        .limit(MOST)
    )
    with catalog.transaction() as session:
        return [(row[0], row[1]) for row in session.execute(query)]


def _concerns(member: StaffMember, asker: type[Staff]) -> ColumnElement[bool]:
    ways = [asker.id == member.id, asker.manager_id == member.id]
    if member.role == StaffRole.PLATFORM:
        ways.append(and_(asker.id.is_not(None), asker.manager_id.is_(None)))
    if member.role == StaffRole.SECURITY:
        ways.append(asker.role == StaffRole.SECURITY)
    if member.role != StaffRole.LEGAL:
        ways.append(asker.id.is_(None))
    return or_(*ways)


def visits_of(catalog: Catalog, staff_id: UUID) -> list[tuple[UUID, UUID]]:
    """Tenant and visit of somebody's newest visits."""
    query = select(VisitPointer.tenant_id, VisitPointer.id).where(VisitPointer.staff_id == staff_id)
    with catalog.transaction() as session:
        rows = session.execute(query.order_by(VisitPointer.id.desc()).limit(MOST)).all()
    return [(row[0], row[1]) for row in rows]


def person(catalog: Catalog, staff_id: UUID | None) -> Asker:
    """Whoever asked, as they are now. Raises NotFound."""
    with catalog.transaction() as session:
        found = session.get(Staff, staff_id) if staff_id else None
        if found is None:
            raise NotFound
        return Asker(found.id, found.name, found.email, found.role, found.manager_id)


def is_active(catalog: Catalog, staff_id: UUID) -> bool:
    """Whether somebody works here at this moment."""
    with catalog.transaction() as session:
        return session.scalar(select(Staff.state).where(Staff.id == staff_id)) == "active"


@contextmanager
def at_tenant(home: Home, member: StaffMember, request_id: str, address: str | None) -> Iterator[None]:
    """A transaction for a grant or visit of the tenant's, on behalf of one of us; it reads nothing else."""
    with inside(home):
        act_as(member.caller, request_id=request_id, address=address)
        yield


def _home(catalog: Catalog, tenant_id: UUID | None) -> Home:
    home = catalog.home(tenant_id) if tenant_id else None
    if home is None:
        raise NotFound
    return home
