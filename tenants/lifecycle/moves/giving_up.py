"""A move that is given up before the switch: the tenant stays where it is, and the copy goes."""

import structlog

from tenants.catalog.models import State, Tenant
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Unavailable
from tenants.isolation.owner import OwnerError
from tenants.isolation.stepping import drop
from tenants.lifecycle.changing import change, settle
from tenants.lifecycle.moves.models import Step
from tenants.lifecycle.moves.running import Attempt
from tenants.lifecycle.telling.waiting import tell_soon

log = structlog.get_logger(__name__)


def give_up(attempt: Attempt) -> None:
    """It stays where it is, and goes on there. A cell that can't be reached holds that up for nobody."""
    try:
        _discard(attempt)
    except (OwnerError, Unavailable) as error:
        log.warning("copy_left", cell=attempt.new.cell, reason=str(error).partition("\n")[0])
    with attempt.catalog.transaction() as session:
        held = attempt.hold(session)
        tenant = session.get_one(Tenant, held.tenant_id, with_for_update=True)
        if held.paused_at is not None and State(tenant.state) in (State.FROZEN, State.MOVING):
            change(session, held.tenant_id, attempt.state_before, attempt.decision)
        attempt.go_to(session, Step.DISCARDING, error=attempt.move.error)
    attempt.catalog.forget(attempt.move.tenant_id)


def discard(attempt: Attempt) -> None:
    """It goes on by its own word, and the copy is gone."""
    settle(attempt.catalog, attempt.works.owners, attempt.move.tenant_id)
    if attempt.move.paused_at is not None and attempt.move.resumed_at is None:
        attempt.advance(Step.DISCARDING, resumed_at=now(), error=attempt.move.error)
    _discard(attempt)
    with attempt.catalog.transaction() as session:
        over = {"ended_at": now(), "phase": None, "done": None, "watermark": None}
        attempt.go_to(session, Step.GIVEN_UP, **over, error=attempt.move.error, untold=True)
        tell_soon(session)


def _discard(attempt: Attempt) -> None:
    with attempt.catalog.transaction() as session:
        attempt.hold(session)
        tenant = session.get_one(Tenant, attempt.move.tenant_id, with_for_update=True)
        if tenant.cell != attempt.move.from_cell:
            raise Conflict("This tenant has moved: what is there is not dropped.")
        for each in (attempt.copy, attempt.new):
            drop(attempt.owner_of(attempt.new), each.role)
