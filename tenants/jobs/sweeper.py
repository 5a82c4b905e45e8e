"""Walks over all tenants every minute, and finds what was accepted and never announced, and what died under way.

It is what makes Redis expendable: whatever Redis forgets is announced again by the next walk.
"""

import threading
from dataclasses import dataclass
from time import monotonic, time

import structlog

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import WORKING, Catalog, Home
from tenants.isolation.door import inside
from tenants.isolation.walking import walk
from tenants.jobs.carrier import Carrier
from tenants.jobs.dispatcher import AWAY
from tenants.jobs.schedules import declared, plant_declared

log = structlog.get_logger(__name__)
SWEEP_SECONDS = 60

# A job that nobody began again costs it nothing; one whose worker died under it has failed once more.
SWEEP = """
with lost as (
  update jobs set
    failures = failures + case state when 'running' then 1 else 0 end,
    state = case
      when cancel_requested_at is not null then 'cancelled'
      when state = 'running' and failures + 1 >= max_attempts then 'failed'
      else 'ready' end,
    error = case
      when cancel_requested_at is null and state = 'running' and failures + 1 >= max_attempts
      then 'It was begun ' || failures + 1 || ' times, and each time the process that ran it died.' end,
    finished_at = case
      when cancel_requested_at is not null or state = 'running' and failures + 1 >= max_attempts
      then clock_timestamp() end,
    run_at = clock_timestamp(), lease_until = null
  where state in ('dispatched', 'running') and lease_until < clock_timestamp()
  returning 1
)
select (select count(*) from lost),
  extract(epoch from least(
    (select min(run_at) from jobs where state = 'ready'), (select min(next_run_at) from schedules)
  ) - clock_timestamp())::float,
  (select count(*) from schedules where key = any(%(declared)s))
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one walk found."""

    tenants: int
    lost: int
    announced: int


class Sweeper:
    """Sweeps when it is its turn: of several processes one does it each minute."""

    def __init__(self, catalog: Catalog, carrier: Carrier, *, every_seconds: int = SWEEP_SECONDS) -> None:
        self._catalog, self._carrier, self._every = catalog, carrier, every_seconds

    def run(self, stop: threading.Event, emptied: threading.Event) -> None:
        """Sweep every minute until told to stop, and at once when a dispatcher finds that Redis was emptied."""
        pause = 1.0
        while not stop.is_set():
            try:
                at_once = emptied.is_set()
                emptied.clear()
                if at_once or self._carrier.turn_to("sweep", self._every):
                    self.sweep()
                pause = 1.0
                _wait(stop, emptied, self._every)
            except AWAY as error:
                log.warning("sweeper_waits", error=type(error).__name__, seconds=pause)
                stop.wait(pause)
                pause = min(pause * 2, 10.0)

    def sweep(self) -> Swept:
        """One walk over all tenants: take back what is lost, and announce whatever waits, each for its moment."""
        began, lost, count = monotonic(), 0, 0
        wanted = sorted(declared())
        due = {}
        for home, rows in walk(self._catalog.homes(*WORKING), SWEEP, {"declared": wanted}):
            taken_back, wait, planted = rows[0]
            count, lost = count + 1, lost + taken_back
            if planted < len(wanted):
                _plant(home)
            if taken_back or planted < len(wanted):
                wait = 0.0
            if wait is not None:
                due[home.id] = time() + max(0.0, wait)
        if due:
            self._carrier.announce_all(due)
        log.info(
            "swept", tenants=count, lost=lost, announced=len(due), ms=round((monotonic() - began) * 1000)
        )
        return Swept(count, lost, len(due))


def _plant(home: Home) -> None:
    with inside(home):
        act_as(SYSTEM)
        plant_declared()


def _wait(stop: threading.Event, emptied: threading.Event, seconds: float) -> None:
    until = monotonic() + seconds
    while monotonic() < until and not stop.is_set() and not emptied.is_set():
        stop.wait(0.5)
