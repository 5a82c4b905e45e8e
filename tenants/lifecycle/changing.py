"""A tenant goes from one state to another: a row with who, when and why first, then the word in its own schema.

Whoever is killed between the two leaves a row that is not settled, and `settle_all` takes it up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.audit.seals import PATIENCE_SECONDS, copy_heads, seal_events
from tenants.catalog.models import State, StateChange, Tenant
from tenants.catalog.registry import Catalog, Home, home_of
from tenants.catalog.states import WRITABLE, Mover, must_be_a_move
from tenants.foundation.clock import now
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import NotFound, Refusal
from tenants.foundation.tables import Source
from tenants.identity.models import TenantProfile
from tenants.isolation.door import db, inside
from tenants.isolation.freezing import freeze, is_frozen, lift
from tenants.isolation.owner import OwnerError
from tenants.jobs.accepting import announce
from tenants.lifecycle.once import is_on_record
from tenants.lifecycle.telling.waiting import is_told, tell_soon

log = structlog.get_logger(__name__)
#: The states that a tenant's own schema has a word for; in the others it is frozen, or there is none.
SAID_INSIDE = (State.ACTIVE, State.SUSPENDED, State.FROZEN, State.CLOSING)
#: So few events came while those before them were sealed.
FEW_EVENTS = 100
PATIENT = text("set local idle_in_transaction_session_timeout = 0")
Owners = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Decision:
    """Who moves a tenant, and why. `actor_id` is the user, where one of the tenant's admins does."""

    mover: Mover
    reason: str
    actor_id: UUID | None = None


def change(session: Session, tenant_id: UUID, after: State, decision: Decision) -> StateChange:
    """Move a tenant in the catalog's transaction at hand. `settle` has its schema say so.

    Raises NotFound, and Conflict when this mover may not move it this way.
    """
    tenant = session.get(Tenant, tenant_id, with_for_update=True)
    if tenant is None:
        raise NotFound("There is no such tenant.")
    before = State(tenant.state)
    must_be_a_move(before, after, decision.mover)
    tenant.state = after
    made = StateChange(
        tenant_id=tenant_id,
        before=before,
        after=after,
        mover=decision.mover,
        actor_id=decision.actor_id,
        reason=decision.reason,
        untold=is_told(before, after) or None,
    )
    session.add(made)
    session.flush()
    return made


def move(catalog: Catalog, owners: Owners, home: Home, after: State, decision: Decision) -> None:
    """Move a tenant, and have its schema say so before this returns. Raises as `change` and `settle` do."""
    with catalog.transaction() as session:
        change(session, home.id, after, decision)
    catalog.forget(home.id)
    settle(catalog, owners, home.id)


def settle_all(catalog: Catalog, owners: Owners) -> int:
    """Have the schemas say what the catalog says, where somebody was killed before they did; how many there were.

    A tenant of which that can't be said, say because its keys don't open, holds up none of the others.
    """
    waiting = (
        select(StateChange.tenant_id)
        .join(Tenant, Tenant.id == StateChange.tenant_id)
        .where(StateChange.settled_at.is_(None), Tenant.state.in_(SAID_INSIDE))
        .distinct()
        .order_by(StateChange.tenant_id)
    )
    with catalog.transaction() as session:
        found = list(session.scalars(waiting))
    for tenant_id in found:
        try:
            settle(catalog, owners, tenant_id)
        except (Refusal, Unreadable, OwnerError) as error:
            log.warning("state_not_settled", tenant=str(tenant_id), reason=str(error).partition("\n")[0])
    return len(found)


def settle(catalog: Catalog, owners: Owners, tenant_id: UUID) -> None:
    """Have a tenant's schema say what the catalog says, and put each change on record; safe to repeat.

    One at a time: who read a state and was slow to say it would say it over a later one, and nobody would say that again.
    Freezing takes and lifts rights, so it needs the owner's URL: Unavailable without it.
    """
    with catalog.alone(f"says the state of {tenant_id}") as turn:
        turn.execute(PATIENT)  # a freeze waits for whoever writes
        _settle(catalog, owners, tenant_id)


def _settle(catalog: Catalog, owners: Owners, tenant_id: UUID) -> None:
    unsettled = select(StateChange).where(
        StateChange.tenant_id == tenant_id, StateChange.settled_at.is_(None)
    )
    with catalog.transaction() as session:
        changes = session.scalars(unsettled.order_by(StateChange.id)).all()
        home = home_of(session.get_one(Tenant, tenant_id))
    if home.state not in SAID_INSIDE:
        return  # what happens meanwhile is put on record when it is back
    if changes:
        _say(catalog, owners.get(home.cell), home, changes)
    with catalog.transaction() as session:
        done = update(StateChange).where(StateChange.id.in_([each.id for each in changes]))
        session.execute(done.values(settled_at=now()))
        tell_soon(session)
    catalog.forget(tenant_id)
    announce(tenant_id, now())  # what waited for this state may go on


def _say(catalog: Catalog, owner_url: str | None, home: Home, changes: Sequence[StateChange]) -> None:
    freezing = home.state is State.FROZEN
    if freezing and is_frozen(owner_url, home.role):
        return
    if not freezing and any(each.before not in WRITABLE for each in changes):
        lift(owner_url, home.role)
    with inside(home):
        act_as(SYSTEM, request_id="state", source=Source.SYSTEM)
        for each in changes:
            _put_on_record(each)
        if not freezing:
            db().execute(update(TenantProfile).values(state=home.state.value))
    if freezing:
        seal_whole(catalog, home)
        freeze(owner_url, home.role)


def seal_whole(catalog: Catalog, home: Home) -> None:
    """Seal all that happened in a tenant so far, and copy the heads to the catalog.

    What people do while that goes on is sealed too, but for the latest: they might never stop.
    """
    sealed = FEW_EVENTS
    while sealed >= FEW_EVENTS:
        with inside(home, patience_seconds=PATIENCE_SECONDS):
            act_as(SYSTEM, request_id="seal", source=Source.SYSTEM)
            sealed = seal_events()
    copy_heads(catalog, home)


def _put_on_record(each: StateChange) -> None:
    """Once, however often it is tried: the request of the event is the change."""
    request_id = f"state-{each.id}"
    if is_on_record(each.tenant_id, request_id):
        return
    act_as(SYSTEM, request_id=request_id, source=Source.SYSTEM)
    moved = {
        "state": [each.before, each.after],
        "mover": [None, each.mover],
        "changed_at": [None, each.at.isoformat()],
    }
    personal = {"reason": [None, each.reason]}
    if each.actor_id:
        moved["actor_id"] = [None, str(each.actor_id)]
    record_event(f"tenant.{each.after}", "tenant", each.tenant_id, moved, personal)
