"""Gives each tenant its turn: takes the first that is due, claims a few of its jobs in its door, hands them to RQ.

Any number of dispatchers may run; none leads. A tenant is leased while it has its turn, and a lock inside its own
transaction keeps two dispatchers from counting at the same time.
"""

import threading
from dataclasses import dataclass
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog, Home
from tenants.catalog.states import STATE_HERE
from tenants.foundation.errors import Unavailable
from tenants.isolation.away import DATABASE_ERRORS, Elsewhere
from tenants.isolation.door import inside
from tenants.jobs.carrier import Carrier, Taken
from tenants.jobs.registry import works_always
from tenants.jobs.schedules import ask_for_what_is_due

log = structlog.get_logger(__name__)
TURN = 2
#: A tenant that can't be worked in for a while, as the door says it.
STANDS_STILL = (f"tenant_{State.FROZEN.value}", Elsewhere.code)
HEAVY_CAP = 1
IDLE_SECONDS = 1.0
TURN_LEASE_SECONDS = 15
AWAY = (RedisError, Unavailable, *DATABASE_ERRORS, OSError)

ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended('jobs of ' || current_user, 0))"
#: Work waits while the tenant's state does not permit it: of a suspended or closing one, all but what goes on always.
PERMITTED = (
    f"(({STATE_HERE}) = 'active'"
    f" or ({STATE_HERE}) in ('suspended', 'closing') and kind = any(%(always)s::text[]))"
)
# Claims what the tenant's turn, the room in the queue and its caps allow; says when it is due again.
VISIT = f"""
with flying as (
  select count(*) filter (where not heavy) as light, count(*) filter (where heavy) as heavy
  from jobs where state in ('dispatched', 'running')
), light as (
  select id from jobs where state = 'ready' and run_at <= clock_timestamp() and not heavy and {PERMITTED}
  order by run_at, id
  limit (select greatest(0, least(%(turn)s, %(room)s, %(cap)s - flying.light)) from flying)
  for update skip locked
), heavy as (
  select id from jobs where state = 'ready' and run_at <= clock_timestamp() and heavy and {PERMITTED}
  order by run_at, id
  limit (select greatest(0, least(%(room)s, %(heavy_room)s, %(heavy_cap)s - flying.heavy)) from flying)
  for update skip locked
), chosen as (
  select id from light union all select id from heavy
), claimed as (
  update jobs set state = 'dispatched', attempt = attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
  where id in (select id from chosen)
  returning id, attempt, heavy
)
select (select json_agg(json_build_array(id, attempt, heavy)) from claimed),
  extract(epoch from least(
    (select min(run_at) from jobs where state = 'ready' and id not in (select id from chosen) and {PERMITTED}),
    (select min(next_run_at) from schedules where {PERMITTED})
  ) - clock_timestamp())::float,
  exists (select 1 from schedules where next_run_at <= clock_timestamp() and {PERMITTED})
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a visit to a tenant gave: the attempts to hand out, and in how many seconds it is due again."""

    attempts: list[tuple[UUID, int, bool]]
    next_in: float | None


class Dispatcher:
    """One dispatcher. `cap` bounds the ordinary jobs of one tenant that are in flight."""

    def __init__(self, catalog: Catalog, carrier: Carrier, *, lease_seconds: int, cap: int) -> None:
        self._catalog, self._carrier = catalog, carrier
        self._lease, self._cap = lease_seconds, cap
        self.emptied = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Give turns until told to stop; while database or Redis is away, try again ever later."""
        pause = 0.1
        while not stop.is_set():
            try:
                self._rest(self.give_turn())
                pause = 0.1
            except AWAY as error:
                log.warning("dispatcher_waits", error=type(error).__name__, seconds=pause)
                stop.wait(pause)
                pause = min(pause * 2, 5.0)

    def give_turn(self) -> Taken:
        """Take the first due tenant, if there is one and there is room, and hand out what it may run."""
        taken = self._carrier.take(TURN_LEASE_SECONDS)
        if taken.emptied:
            self.emptied.set()
        if taken.tenant_id is None:
            return taken
        home = self._catalog.home(taken.tenant_id)
        if home is None or not home.permits.reads:  # the sweeper finds its jobs again later
            self._carrier.settle(taken, None)
            return taken
        claimed = self._claimed(home, taken)
        for job_id, attempt, heavy in claimed.attempts:
            if heavy:
                self._carrier.hold_heavy(job_id, self._lease)
            self._carrier.enqueue(home.id, job_id, attempt)
        self._carrier.settle(taken, claimed.next_in)
        return taken

    def _claimed(self, home: Home, taken: Taken) -> Claimed:
        """What a visit gave; nothing where one is in vain, which is that tenant's and not the others' to wait for."""
        try:
            return self.visit(home, taken.room, taken.heavy_room)
        except Unavailable as refusal:
            if refusal.stable_code not in STANDS_STILL:
                raise
            if refusal.stable_code == Elsewhere.code:
                self._catalog.forget(home.id)
                return Claimed([], IDLE_SECONDS)  # its next turn is where it is now
        except AWAY:
            raise
        except Exception:
            log.exception("tenant_left_out", tenant=str(home.id))
        return Claimed([], None)  # the sweeper comes back to it

    def visit(self, home: Home, room: int, heavy_room: int) -> Claimed:
        """Claim at most a turn's worth of jobs, in one transaction of the tenant."""
        limits = {
            "turn": TURN,
            "room": room,
            "cap": self._cap,
            "heavy_room": heavy_room,
            "heavy_cap": HEAVY_CAP,
            "always": works_always(),
        }
        with inside(home, first=(ONE_AT_A_TIME, {})) as tenancy:
            ((rows, wait, schedules_due),) = tenancy.ask(VISIT, {**limits, "lease": self._lease})
            if schedules_due:
                ask_for_what_is_due()
        attempts = [(UUID(job_id), attempt, heavy) for job_id, attempt, heavy in rows or ()]
        return Claimed(attempts, _next_in(wait, found=bool(attempts or schedules_due)))

    def _rest(self, taken: Taken) -> None:
        if taken.tenant_id is None:
            self._carrier.wait(IDLE_SECONDS if taken.full else min(taken.wait_seconds, IDLE_SECONDS))


def _next_in(wait: float | None, *, found: bool) -> float | None:
    """To the back of the row while turns bring something; a tenant at its cap is looked at again soon."""
    if wait is None:
        return None
    return max(wait, 0.0 if found else IDLE_SECONDS)
