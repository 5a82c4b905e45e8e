"""To move a tenant to another cell, to go back, and to say that nothing is to be left behind."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, NotFound
from tenants.isolation.aside import aside_name
from tenants.isolation.stepping import drop
from tenants.jobs.platform import ask_for_round
from tenants.lifecycle.attempts import sentence, take_up
from tenants.lifecycle.changing import Owners
from tenants.lifecycle.moves.models import BEFORE_THE_SWITCH, ENDS, WAY_BACK, Move, Step
from tenants.lifecycle.moves.running import Attempt, Works, take
from tenants.lifecycle.moves.steps import MOVABLE, STEPS
from tenants.lifecycle.telling.waiting import tell_soon

ROUND = "moves.go_on"
RESTS = tuple(step.value for step in Step if step.rests)
#: A move that does not come on while nobody can write is given up after so long.
LONGEST_PAUSE = timedelta(minutes=1)
#: Who was put away or ends while it is copied does not go along; it may be asked to move again when it is back.
GOES_ANOTHER_WAY = (
    State.FROZEN,
    State.ARCHIVING,
    State.ARCHIVED,
    State.THAWING,
    State.CLOSING,
    State.DESTROYED,
)


def ask_to_move(works: Works, tenant_id: UUID, cell: str, reason: str) -> UUID:
    """Have a tenant go to another cell; the id of its move, also when somebody asked for the same before.

    Raises NotFound, Invalid for a cell that there is none of, and Conflict when it may not go there.
    """
    with works.catalog.transaction() as session:
        tenant = _tenant(session, tenant_id)
        if (move := _unfinished(session, tenant_id)) is not None:
            if move.to_cell == cell and not Step(move.step).rests:
                return move.id
            raise Conflict(
                f"This tenant went from '{move.from_cell}' to '{move.to_cell}': confirm that, or go back, first.",
                code="move_not_over",
            )
        works.regions.must_stay(tenant.region, cell)
        if tenant.cell == cell:
            raise Conflict(f"This tenant lives in the cell '{cell}' already.", code="lives_there")
        _must_be_movable(tenant)
        tell_soon(session)
        made = Move(tenant_id=tenant_id, from_cell=tenant.cell, to_cell=cell, reason=reason, untold=True)
        return _begun(session, made)


def ask_to_go_back(works: Works, tenant_id: UUID, reason: str) -> UUID:
    """Have a tenant stay where it was, or go there again with all that was written since; the id of that move.

    Raises Conflict when there is nothing to go back on.
    """
    with works.catalog.transaction() as session:
        tenant = _tenant(session, tenant_id)
        move = _unfinished(session, tenant_id)
        if move is None or move.step == Step.DROPPING:
            raise Conflict("This tenant is on no move that could be gone back on.", code="not_moved")
        if move.step in BEFORE_THE_SWITCH:
            move.step, move.error = Step.GIVING_UP, reason
            # Who is working on it is overtaken.
            move.attempt, move.lease_until = move.attempt + 1, None
            return _begun(session, move)
        if move.step in (Step.GIVING_UP, Step.DISCARDING):
            return move.id
        if move.step != Step.KEPT:
            raise Conflict("This tenant is just arriving. Let it, then go back.", code="move_not_over")
        _must_be_movable(tenant)
        works.regions.must_stay(tenant.region, move.from_cell)
        move.step, move.ended_at = Step.RETURNED, now()
        session.flush()
        tell_soon(session)
        where = {"from_cell": move.to_cell, "to_cell": move.from_cell}
        return _begun(session, Move(tenant_id=tenant_id, **where, reason=reason, untold=True))


def ask_to_confirm(works: Works, tenant_id: UUID) -> UUID:
    """Have what a move left behind dropped; its id. Raises Conflict when there is nothing."""
    with works.catalog.transaction() as session:
        _tenant(session, tenant_id)
        move = _unfinished(session, tenant_id)
        if move is None or move.step not in (Step.KEPT, Step.DROPPING):
            raise Conflict("There is no move of this tenant that waits to be confirmed.", code="not_moved")
        move.step = Step.DROPPING
        return _begun(session, move)


def drop_copies(catalog: Catalog, owners: Owners, tenant_id: UUID) -> None:
    """Drop what moves left of a tenant that is no more. Safe to repeat; raises OwnerError, and Unavailable."""
    with catalog.transaction() as session:
        if (move := _unfinished(session, tenant_id)) is None:
            return
        for cell in (move.from_cell, move.to_cell):
            drop(owners.get(cell), aside_name(tenant_id))
        move.step, move.ended_at = Step.CONFIRMED, now()


def go_on(works: Works, move_id: UUID) -> None:
    """Take a move through its steps until it rests. Raises what went wrong, which is on record in its row too."""
    attempt = take(works, move_id)
    try:
        attempt.go_through(STEPS)
    except Exception as problem:
        _give_up_in_vain(attempt, sentence(problem))
        raise


def go_on_everywhere(works: Works) -> int:
    """Take up every move that is on its way and that nobody works on, or whose way back is over; how many there were."""
    over = update(Move).where(Move.step == Step.KEPT, Move.resumed_at < now() - WAY_BACK)
    with works.catalog.transaction() as session:
        session.execute(over.values(step=Step.DROPPING))
    return take_up(works.catalog, Move, RESTS, partial(go_on, works))


def _give_up_in_vain(attempt: Attempt, error: str) -> None:
    """What takes too long, or will not be: a copy that waits is one of which nothing is erased."""
    with attempt.catalog.transaction() as session:
        tenant = session.get_one(Tenant, attempt.move.tenant_id, with_for_update=True)
        move = session.get_one(Move, attempt.move.id, with_for_update=True)
        if move.paused_at is None:
            in_vain = State(tenant.state) in GOES_ANOTHER_WAY
        else:
            in_vain = now() - move.paused_at > LONGEST_PAUSE
        if in_vain and move.step in BEFORE_THE_SWITCH and move.attempt == attempt.move.attempt:
            move.step, move.error = Step.GIVING_UP, error
            ask_for_round(session, ROUND)


def _must_be_movable(tenant: Tenant) -> None:
    if State(tenant.state) not in MOVABLE:
        raise Conflict(
            f"A tenant that is {tenant.state} does not move. It has to be active or suspended.",
            code="state_conflict",
        )


def _begun(session: Session, move: Move) -> UUID:
    session.add(move)
    session.flush()
    ask_for_round(session, ROUND)
    return move.id


def _tenant(session: Session, tenant_id: UUID) -> Tenant:
    found = session.get(Tenant, tenant_id, with_for_update=True)
    if found is None:
        raise NotFound("There is no such tenant.")
    return found


def _unfinished(session: Session, tenant_id: UUID) -> Move | None:
    mine = select(Move).where(Move.tenant_id == tenant_id, Move.step.not_in(ENDS))
    return session.scalars(mine.with_for_update()).one_or_none()
