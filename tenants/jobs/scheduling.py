"""The scheduler's process: gives tenants their turns, sweeps every minute, makes the platform's rounds, runs errands.

Any number of them may run. None of them holds anything that is not in PostgreSQL.
"""

import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.jobs.carrier import Carrier
from tenants.jobs.dispatcher import Dispatcher
from tenants.jobs.errands import Errands
from tenants.jobs.platform import PlatformJob, Rounds
from tenants.jobs.sweeper import SWEEP_SECONDS, Sweeper

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS = 10
PATIENCE_SECONDS = 10


def schedule(
    settings: Settings,
    catalog: Catalog,
    rounds: Sequence[PlatformJob] = (),
    *,
    long_rounds: Sequence[PlatformJob] = (),
    errands: Errands | None = None,
    sweep_seconds: int = SWEEP_SECONDS,
) -> None:
    """Run until SIGTERM or SIGINT. Doors must be open; rounds are made only in a process that declares some.

    `long_rounds` may take hours, so that each has a thread of its own: the others don't wait for it.

    `errands` are what strangers asked for; they wait for nothing else either.

    Raises SystemExit when one of its parts ended by itself, so that a supervisor starts all of them afresh.
    """
    carrier = Carrier(settings.redis_url, timeout=TIMEOUT_SECONDS)
    dispatcher = Dispatcher(
        catalog, carrier, lease_seconds=settings.job_lease_seconds, cap=settings.job_in_flight_cap
    )
    sweeper = Sweeper(catalog, carrier, every_seconds=sweep_seconds)
    stop = threading.Event()
    parts: list[Callable[[], None]] = [
        lambda: dispatcher.run(stop),
        lambda: sweeper.run(stop, dispatcher.emptied),
    ]
    threads_of_rounds = (rounds, *([each] for each in long_rounds))
    parts.extend(partial(Rounds(catalog, some).run, stop) for some in threads_of_rounds if some)
    if errands is not None:
        parts.append(partial(errands.run, stop))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = [threading.Thread(target=part, daemon=True) for part in parts]
    for thread in threads:
        thread.start()
    while not stop.wait(0.5):
        if not all(thread.is_alive() for thread in threads):
            log.error("scheduler_broke")
            raise SystemExit(1)
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
