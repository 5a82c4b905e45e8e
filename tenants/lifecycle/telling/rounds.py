"""Tells the admins of every tenant what befell it as a whole and they have not heard of: by mail, here and by webhook.

What can't be told now (the tenant stands still, or withholds the key that its mails are sealed with) is told by a later
round, however many processes die meanwhile: the mark goes after the telling, and a telling has its key.
"""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from tenants.catalog.models import State, StateChange, Tenant
from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog, Home, home_of
from tenants.catalog.states import WRITABLE
from tenants.lifecycle.admins import LIFECYCLE, tell_admins_once
from tenants.lifecycle.archives.models import Archive
from tenants.lifecycle.attempts import FORESEEN
from tenants.lifecycle.closing.letters import cancelled
from tenants.lifecycle.closing.models import Closing
from tenants.lifecycle.letters import Letter
from tenants.lifecycle.moves.models import BEFORE_THE_SWITCH, Move, Step
from tenants.lifecycle.telling import letters

log = structlog.get_logger(__name__)
#: Where it lives by the end of a move, and people work there.
ARRIVED = (Step.CONFIRMING, Step.KEPT, Step.DROPPING, Step.CONFIRMED, Step.RETURNED)


def tell_what_waits(catalog: Catalog, regions: Regions, of: UUID | None = None) -> int:
    """Tell all that waits and can be told now, in every tenant or in one; how many tellings there were."""
    mine = (Tenant.state.in_(WRITABLE), *([Tenant.id == of] if of else []))
    with catalog.transaction() as session:
        changes = _waiting(session, StateChange, *mine, StateChange.settled_at.is_not(None))
        exits = _waiting(session, Closing, *mine, ~_unsettled())
        moves = _waiting(session, Move, *mine)
    return sum(
        [_told(catalog, home, change, _of_change(catalog, change)) for home, change in changes]
        + [_told(catalog, home, closing, _of_exit(closing)) for home, closing in exits]
        + [_told(catalog, home, move, _of_move(move, regions)) for home, move in moves]
    )


def _waiting(session: Session, model: Any, *which: ColumnElement[bool]) -> list[tuple[Home, Any]]:
    """What admins have not heard of, the oldest first, each with its tenant."""
    query = select(Tenant, model).join(model, model.tenant_id == Tenant.id).where(model.untold, *which)
    return [(home_of(tenant), found) for tenant, found in session.execute(query.order_by(model.id))]


def _unsettled() -> ColumnElement[bool]:
    """Whether a tenant's own schema is still to hear of a state that it has."""
    return exists().where(StateChange.tenant_id == Tenant.id, StateChange.settled_at.is_(None))


def _told(catalog: Catalog, home: Home, row: Any, said: tuple[str, Letter] | None) -> bool:
    """Tell it, unless there is nothing to tell at this moment; whether it was told."""
    if said is None:
        return False
    what, letter = said
    try:
        tell_admins_once(home, f"told-{what}-{row.id}", f"tenant.told_{what}", LIFECYCLE[what], letter)
    except FORESEEN as problem:
        log.warning("telling_waits", tenant=str(home.id), what=what, reason=type(problem).__name__)
        return False
    _heard(catalog, row)
    return True


def _heard(catalog: Catalog, row: Any) -> None:
    """It was told; unless it went on since it was read, which is to be told as well."""
    model = type(row)
    same = [model.id == row.id, *([model.step == row.step] if isinstance(row, Move) else [])]
    with catalog.transaction() as session:
        session.execute(update(model).where(*same).values(untold=None))


def _of_change(catalog: Catalog, change: StateChange) -> tuple[str, Letter]:
    if change.before == State.THAWING:
        return "thawed", letters.thawed(_archive_before(catalog, change), change)
    if change.after == State.SUSPENDED:
        return "suspended", letters.suspended(change)
    return "resumed", letters.resumed(change)


def _archive_before(catalog: Catalog, change: StateChange) -> Archive:
    """The archive that it came back from."""
    mine = (Archive.tenant_id == change.tenant_id, Archive.asked_at < change.at)
    with catalog.transaction() as session:
        return session.scalars(select(Archive).where(*mine).order_by(Archive.id.desc()).limit(1)).one()


def _of_exit(closing: Closing) -> tuple[str, Letter] | None:
    if closing.cancelled_at is None:
        return None
    return "closing_cancelled", cancelled(closing, closing.cancelled_at)


def _of_move(move: Move, regions: Regions) -> tuple[str, Letter] | None:
    old, new = (_server(each, regions) for each in (move.from_cell, move.to_cell))
    if move.step == Step.GIVEN_UP:
        return "move_given_up", letters.stayed(move, old, new)
    if move.step in ARRIVED:
        return "moved", letters.moved(move, old, new)
    if move.step in BEFORE_THE_SWITCH and move.paused_at is None:
        return "move_begun", letters.begun(move, old, new)
    return None  # it is on its way, and ends soon


def _server(cell: str, regions: Regions) -> str:
    region = regions.of.get(cell)
    return f"{cell} (region {region})" if region else cell
