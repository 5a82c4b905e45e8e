"""The steps of a grant: who may take them in which state, and what is put on record with each."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import acting
from tenants.audit.recording import record_event
from tenants.foundation import clock
from tenants.foundation.errors import Conflict, NotFound
from tenants.foundation.tables import Source
from tenants.isolation.door import db
from tenants.support_access.models import AccessGrant, AccessStep, AccessVisit, GrantKind, GrantState
from tenants.support_access.scope import PARTS, Scope

ANSWER_WITHIN = timedelta(hours=12)
#: How a grant stands, and who acts next, for whoever wants something of it that doesn't go now.
STANDS = {
    GrantState.ASKED: "This access waits for the asker's manager, or for platform where there is none.",
    GrantState.MANAGER_APPROVED: "This access waits for an admin of the workspace.",
    GrantState.APPROVED: "This access was approved already.",
    GrantState.REFUSED: "This access was refused. It takes a new ask.",
    GrantState.EXPIRED: "Nobody answered this ask in time. It takes a new one.",
    GrantState.REVOKED: "The workspace took this access back. It takes a new ask.",
    GrantState.ENDED: "The time of this access is over. It takes a new ask.",
}
WAITS_FOR_SECURITY = "This access waits for a second person of security."


def state_of(grant: AccessGrant) -> GrantState:
    """Where a grant stands at this moment: time alone ends an ask and a leave."""
    state = GrantState(grant.state)
    if grant.ends_at > clock.now():
        return state
    if state.waiting:
        return GrantState.EXPIRED
    return GrantState.ENDED if state is GrantState.APPROVED else state


def found_grant(grant_id: UUID, *, lock: bool = True) -> AccessGrant:
    """The grant of the tenant at hand with this id, kept from others until the transaction ends. Raises NotFound."""
    query = select(AccessGrant).where(AccessGrant.id == grant_id)
    grant = db().scalars(query.with_for_update() if lock else query).one_or_none()
    if grant is None:
        raise NotFound
    return grant


def shown_to_tenant(grant_id: UUID) -> AccessGrant:
    """As `found_grant`, for the tenant's own people: what is under a gag does not exist for them yet."""
    grant = found_grant(grant_id)
    if grant.visible_from > clock.now():
        raise NotFound
    return grant


def must_be(grant: AccessGrant, *states: GrantState) -> None:
    """Raises Conflict when the grant is not in one of these states."""
    state = state_of(grant)
    if state not in states:
        in_an_incident = state is GrantState.ASKED and grant.kind == GrantKind.BREAK_GLASS
        raise Conflict(WAITS_FOR_SECURITY if in_an_incident else STANDS[state], code="wrong_state")


def begin(grant: AccessGrant, *, lasts: timedelta = ANSWER_WITHIN, why: str | None = None) -> AccessGrant:
    """Put a new grant and its first step on record."""
    grant.ends_at = clock.now() + lasts
    grant.source = grant.source or Source.SYSTEM.value
    db().add(grant)
    db().flush()
    take_step(grant, grant.state, why)
    return grant


def approve(grant: AccessGrant, why: str | None) -> None:
    """From now on, and for its hours, the grant opens what it says."""
    grant.ends_at = clock.now() + timedelta(hours=grant.hours)
    close(grant, GrantState.APPROVED, why)


def close(grant: AccessGrant, state: GrantState, why: str | None) -> None:
    """Bring a grant into a state, and put that on record."""
    grant.state = state.value
    take_step(grant, state.value, why)


def take_step(grant: AccessGrant, step: str, why: str | None) -> None:
    """Put a step on record, in the tenant's audit too unless a gag of law keeps it from the tenant."""
    caller = acting().caller
    kind = caller.kind if caller.kind in ("staff", "system") else "user"
    db().add(
        AccessStep(
            grant_id=grant.id, at=clock.now(), step=step, by_kind=kind, by_id=caller.user_id, by_name=caller.name,
            why=why,
        )
    )  # fmt: skip
    db().flush()
    if grant.visible_from <= clock.now():
        put_on_record(grant, step, why)


def put_on_record(grant: AccessGrant, step: str, why: str | None) -> None:
    """An event of the tenant's audit; who of our people it was can be erased like any name."""
    said = {"state": [None, grant.state], "resources": [None, list(grant.resources)], "why": [None, why]}
    record_event(
        f"access-grants.{step}", "access-grants", grant.id, said, {"staff_name": [None, grant.staff_name]}
    )


def narrow(grant: AccessGrant, scope: Scope) -> None:
    """Leave less of a grant than was asked."""
    if Scope.of(grant) == scope:
        return
    for name in PARTS:
        setattr(grant, name, getattr(scope, name))
    grant.narrowed = True
    db().flush()


def takers_of(grant: AccessGrant, step: str) -> list[UUID]:
    """Who took a step of this grant."""
    query = select(AccessStep.by_id).where(AccessStep.grant_id == grant.id, AccessStep.step == step)
    return [each for each in db().scalars(query) if each is not None]


def open_visits(grant: AccessGrant) -> list[AccessVisit]:
    """The visits under a grant that were not signed off yet."""
    query = select(AccessVisit).where(AccessVisit.grant_id == grant.id, AccessVisit.ended_at.is_(None))
    return list(db().scalars(query.order_by(AccessVisit.id)))
