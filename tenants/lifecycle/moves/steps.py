"""The steps by which a tenant goes from one cell to another: alive in one of them at every instant, and never in two.

Alive is the one that the catalog names. What bears the tenant's name elsewhere is frozen and equal, for the instants
around the switch; what does not bear it lets nobody in. Each step is done again from its beginning when it was cut short.
"""

from collections.abc import Callable
from time import monotonic

from tenants.catalog.models import State, Tenant
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.isolation.aside import confirm_references, is_there, ready_to_fill, set_aside, take_name
from tenants.isolation.beside import Beside
from tenants.isolation.door import inside
from tenants.isolation.freezing import is_frozen
from tenants.isolation.horizons import horizon_here, knowing, outlive_a_crash
from tenants.isolation.stepping import drop
from tenants.lifecycle.changing import SAID_INSIDE, change, seal_whole, settle
from tenants.lifecycle.moves.catching_up import level
from tenants.lifecycle.moves.checking import must_be_same, open_all
from tenants.lifecycle.moves.giving_up import discard, give_up
from tenants.lifecycle.moves.hashes import as_json, differing, from_json, read_here
from tenants.lifecycle.moves.models import Step
from tenants.lifecycle.moves.running import Attempt, both, read_only
from tenants.lifecycle.moves.watermarks import Watermark
from tenants.lifecycle.telling.waiting import tell_soon
from tenants.portability.contents import tables

#: Looking for what changed meanwhile is worth it again while it takes longer than this.
SHORT_SECONDS = 2.0
MOST_ROUNDS = 5
MOVABLE = (State.ACTIVE, State.SUSPENDED)


def copy(attempt: Attempt) -> None:
    """A copy where it goes, while people work where it is: all of it, then again what they changed meanwhile."""
    attempt.must_live(attempt.old, *MOVABLE)
    attempt.must_be_of_this_program()
    with attempt.catalog.transaction() as session:
        attempt.hold(session)
        ready_to_fill(attempt.owner_of(attempt.new), attempt.copy, attempt.works.head)
    mark: Watermark | None = None
    for _ in range(MOST_ROUNDS):
        began, first = monotonic(), mark is None
        mark = _round(attempt, mark)
        if first:
            open_all(attempt.copy)
        if monotonic() - began < SHORT_SECONDS:
            break
    attempt.advance(Step.FREEZING, watermark=mark.as_json() if mark else None)


def _round(attempt: Attempt, since: Watermark | None) -> Watermark:
    """The copy is made the tenant as it is at one moment, and then read; in the first round all of both is.

    Raises Conflict when it is not the same: then all of it begins again.
    """
    with both(attempt) as tenant:
        made, _ = level(tenant, attempt.tell("copying"), since)
        moment = tenant.do(horizon_here)
    with read_only(attempt.copy):
        found = read_here(made.since.copy if made.since else None, attempt.tell("checking"))
        copied = knowing(horizon_here(), [each.table for each in tables(whole=True)])
    for each in (attempt.old, attempt.copy):
        with inside(each):
            outlive_a_crash()
    must_be_same(made.expected, found)
    return Watermark(moment, copied, attempt.works.head, made.sums)


def freeze(attempt: Attempt) -> None:
    """From the end of this step on nothing is written where it is."""
    tenant_id = attempt.move.tenant_id
    if attempt.move.paused_at is None:
        attempt.must_live(attempt.old, *MOVABLE)
        attempt.must_be_of_this_program()
        seal_whole(attempt.catalog, attempt.old)  # what takes long is done before anybody waits
        with attempt.catalog.transaction() as session:
            made = change(session, tenant_id, State.FROZEN, attempt.decision)
            attempt.go_to(session, Step.FREEZING, paused_at=now(), state_before=made.before)
        attempt.catalog.forget(tenant_id)
    settle(attempt.catalog, attempt.works.owners, tenant_id)
    with attempt.catalog.transaction() as session:
        change(session, tenant_id, State.MOVING, attempt.decision)
        attempt.go_to(session, Step.LEVELLING)
    attempt.catalog.forget(tenant_id)


def make_equal(attempt: Attempt) -> None:
    """What was written since the latest copy goes over; from here on both are the same."""
    attempt.must_be_of_this_program()
    with attempt.catalog.transaction() as session:
        with both(attempt) as tenant:
            made, _ = level(tenant, attempt.tell("levelling"), attempt.watermark)
            attempt.hold(session)
        since = made.since.as_json() if made.since else None
        attempt.go_to(session, Step.CHECKING, content=as_json(made.sums), watermark=since)


def check(attempt: Attempt) -> None:
    """Both are read again when that is committed: every key, and every row written since all was read and was the same.

    All of both is read where that can't be built upon. What is sealed is compared as it lies.
    """
    with Beside(read_only(attempt.old)) as tenant, read_only(attempt.copy):
        since = attempt.watermark
        known = since is not None and since.holds(tenant)
        beside = tenant.begin(read_here, since.tenant if since and known else None)
        found = read_here(since.copy if since and known else None, attempt.tell("checking"))
        expected = beside.result()
    if differing(expected, found):
        attempt.advance(Step.LEVELLING, content=None, watermark=None)
    must_be_same(expected, found)
    attempt.advance(Step.ARRIVING)


def arrive(attempt: Attempt) -> None:
    """The copy gets the tenant's name and its references. It can be read there, and not written."""
    with attempt.catalog.transaction() as session:
        attempt.hold(session)
        take_name(attempt.owner_of(attempt.new), attempt.copy)
        attempt.go_to(session, Step.SWITCHING)


def switch(attempt: Attempt) -> None:
    """The catalog's word: it lives in the new cell. Before this commit it lives in the old one, and after it here."""
    if not all(is_frozen(attempt.owner_of(each), each.role) for each in (attempt.old, attempt.new)):
        attempt.advance(Step.GIVING_UP)
        raise Conflict("Something could be written in the middle of the move. Nothing was switched.")
    with attempt.catalog.transaction() as session:
        tenant = session.get_one(Tenant, attempt.move.tenant_id, with_for_update=True)
        attempt.works.regions.must_stay(tenant.region, attempt.move.to_cell)
        tenant.cell = attempt.move.to_cell
        attempt.go_to(session, Step.LEAVING, switched_at=now())
    attempt.catalog.forget(attempt.move.tenant_id)


def leave(attempt: Attempt) -> None:
    """What is left behind loses the name: who still goes there is told by the database that it is elsewhere."""
    with attempt.catalog.transaction() as session:
        attempt.hold(session)
        set_aside(attempt.owner_of(attempt.old), attempt.old)
        attempt.go_to(session, Step.OPENING)


def open_again(attempt: Attempt) -> None:
    """It is what it was before."""
    with attempt.catalog.transaction() as session:
        change(session, attempt.move.tenant_id, attempt.state_before, attempt.decision)
        attempt.go_to(session, Step.SETTLING)


def settled(attempt: Attempt) -> None:
    """The schema says so itself, and has its rights: people write there from now on, and waiting work goes on."""
    settle(attempt.catalog, attempt.works.owners, attempt.move.tenant_id)
    with attempt.catalog.transaction() as session:
        attempt.go_to(session, Step.CONFIRMING, resumed_at=now(), phase=None, done=None, untold=True)
        tell_soon(session)


def confirm(attempt: Attempt) -> None:
    """While people work, the database looks at the references that came with the rows.

    What was left behind is read whole, where it was not while it was frozen, and has to be what went along.
    """
    confirm_references(attempt.owner_of(attempt.new), attempt.new.role)
    if attempt.watermark is not None:
        with read_only(attempt.left_behind):
            must_be_same(from_json(attempt.move.content or {}), read_here(None))
    attempt.advance(Step.KEPT, watermark=None)


def drop_what_was_left(attempt: Attempt) -> None:
    """There is no copy any more. Not while a server that should have the tenant is away, or has it no more.

    Raises OwnerError and Conflict then: what was left behind may be all that is left.
    """
    has_tables = State(attempt.tenant().state) in SAID_INSIDE
    if has_tables and not is_there(attempt.owner_of(attempt.new), attempt.new.role):
        raise Conflict(f"The tenant is not in the cell '{attempt.new.cell}': what it left behind stays.")
    with attempt.catalog.transaction() as session:
        attempt.hold(session)
        drop(attempt.owner_of(attempt.old), attempt.left_behind.role)
        attempt.go_to(session, Step.CONFIRMED, ended_at=now())


STEPS: dict[Step, Callable[[Attempt], None]] = {
    Step.COPYING: copy,
    Step.FREEZING: freeze,
    Step.LEVELLING: make_equal,
    Step.CHECKING: check,
    Step.ARRIVING: arrive,
    Step.SWITCHING: switch,
    Step.LEAVING: leave,
    Step.OPENING: open_again,
    Step.SETTLING: settled,
    Step.CONFIRMING: confirm,
    Step.DROPPING: drop_what_was_left,
    Step.GIVING_UP: give_up,
    Step.DISCARDING: discard,
}
