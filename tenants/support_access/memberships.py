"""The platform's round that lets the staff's login into tenants with an open visit, and out of all others.

The tenants' own rows say which visits are open; the catalog's pointers only say where to look. A round that is
killed at any point is made again from the start, so nothing stays open that should not.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Catalog, Home, role_of
from tenants.foundation import clock
from tenants.foundation.errors import Unavailable
from tenants.isolation.door import db, inside
from tenants.isolation.memberships import settle
from tenants.isolation.owner import OwnerError
from tenants.jobs.platform import ask_for_round
from tenants.support_access.grants import state_of
from tenants.support_access.models import AccessGrant, AccessVisit, GrantState
from tenants.support_access.receipts import sign_off
from tenants.support_access.staff.models import Staff, VisitPointer

log = structlog.get_logger(__name__)
#: The name of the round.
SETTLE = "staff.settle"
#: Pointers are there before their visits: what has none by then was refused.
MADE_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True)
class _Found:
    """A pointer, and whether its visit is open; None while nobody knows. Without a `home` there is nothing to take."""

    pointer: VisitPointer
    home: Home | None
    live: bool | None


def settle_visits(catalog: Catalog, owner_urls: Mapping[str, str | None]) -> int:
    """Sign off visits that are over, and give or take the tenants' roles; how many visits are open now.

    Raises Unavailable after all others are done when a cell could not be reached.
    """
    by_cell: dict[str, list[_Found]] = defaultdict(list)
    for pointer, active in _pointers(catalog):
        found = _look(catalog, pointer, active=active)
        if found.home is not None:
            by_cell[found.home.cell].append(found)
        elif found.live is False:
            _note(catalog, found)
    lost = [
        cell for cell, url in owner_urls.items() if url and not _settle(catalog, cell, url, by_cell[cell])
    ]
    if lost:
        raise Unavailable(f"Visits could not be settled in {', '.join(lost)}.")
    return sum(each.live is True for every in by_cell.values() for each in every)


def _settle(catalog: Catalog, cell: str, owner_url: str, every: list[_Found]) -> bool:
    wanted = {each.home.role for each in every if each.live and each.home}
    try:
        done = settle(owner_url, wanted, over=any(not each.live for each in every))
    except (OwnerError, Unavailable) as error:
        log.warning("staff_unsettled", cell=cell, error=type(error).__name__)
        return False
    if done.given or done.taken:
        log.info("staff_settled", cell=cell, given=len(done.given), taken=len(done.taken))
    for each in every:
        if each.live is not None:
            _note(catalog, each)
    return True


def wake(catalog: Catalog) -> Callable[[], None]:
    """Have the round made at once, after the transaction at hand; without it, it comes within seconds anyway."""

    def ask() -> None:
        with catalog.transaction() as session:
            ask_for_round(session, SETTLE)

    return ask


def _pointers(catalog: Catalog) -> list[tuple[VisitPointer, bool]]:
    query = select(VisitPointer, Staff.state).join(Staff, Staff.id == VisitPointer.staff_id)
    with catalog.transaction() as session:
        rows = session.execute(query.where(VisitPointer.ended_at.is_(None)).order_by(VisitPointer.id)).all()
        return [(pointer, state == "active") for pointer, state in rows]


def _look(catalog: Catalog, pointer: VisitPointer, *, active: bool) -> _Found:
    """Whether a visit is open by the tenant's own word; one that is over is signed off."""
    home = catalog.home(pointer.tenant_id)
    if home is None:
        return _Found(pointer, None, live=False)
    try:
        with inside(home):
            act_as(SYSTEM, request_id=SETTLE)
            live = _is_open(pointer, active=active)
    except Unavailable:
        # Not knowing is not leave: the role is taken until the tenant can be asked again.
        log.warning("staff_visit_unknown", tenant=str(home.id))
        return _Found(pointer, home, live=None)
    if live is None:
        # Nobody came in by it, so nobody else's connection is ended for it.
        refused = pointer.created_at + MADE_WITHIN < clock.now()
        return _Found(pointer, None, live=False if refused else None)
    return _Found(pointer, home, live=live)


def _is_open(pointer: VisitPointer, *, active: bool) -> bool | None:
    """None when there is no such visit: not yet, or it was refused."""
    query = select(AccessVisit, AccessGrant).join(AccessGrant, AccessGrant.id == AccessVisit.grant_id)
    row = db().execute(query.where(AccessVisit.id == pointer.id)).one_or_none()
    if row is None:
        return None
    visit, grant = row
    if visit.ended_at is not None:
        return False
    state = state_of(grant)
    if active and state is GrantState.APPROVED and visit.expires_at > clock.now():
        return True
    sign_off(visit, grant, "expired" if active and state is GrantState.ENDED else "taken_back")
    return False


def _note(catalog: Catalog, found: _Found) -> None:
    moment = clock.now()
    if found.live and found.pointer.opened_at is None and found.home is not None:
        with inside(found.home):
            act_as(SYSTEM, request_id=SETTLE)
            visit = db().get_one(AccessVisit, found.pointer.id)
            visit.opened_at = visit.opened_at or moment
    ended = {} if found.live else {"ended_at": moment}
    if ended or found.pointer.opened_at is None:
        _write(catalog, found.pointer, {"opened_at": found.pointer.opened_at or moment} | ended)


def _write(catalog: Catalog, pointer: VisitPointer, values: Mapping[str, object]) -> None:
    with catalog.transaction() as session:
        session.execute(update(VisitPointer).where(VisitPointer.id == pointer.id).values(values))


def open_roles(catalog: Catalog) -> set[str]:
    """The roles that the staff's login may hold, as the catalog has it; for whoever examines the installation."""
    query = select(VisitPointer.tenant_id).where(VisitPointer.ended_at.is_(None))
    with catalog.transaction() as session:
        return {role_of(tenant_id) for tenant_id in session.scalars(query)}
