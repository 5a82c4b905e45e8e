"""The worker: takes what RQ carries and runs it, one job at a time, in one process that a supervisor starts again."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from uuid import UUID

import structlog
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import DeserializationError, StopRequested
from rq.job import Job as Message

from tenants.catalog.registry import Catalog
from tenants.foundation.identifiers import new_id
from tenants.foundation.settings import Settings
from tenants.jobs.attempts import Worksite, attempt_job
from tenants.jobs.carrier import ENTRY, Carrier

log = structlog.get_logger(__name__)
WORKER_TTL_SECONDS = 30
HEARTBEAT_SECONDS = 10
JOBS_UNTIL_RENEWED = 5000
OVERDUE = 75

_sites: list[Worksite] = []


def use_worksite(site: Worksite) -> None:
    """Say once, at start-up, what the jobs of this process work with."""
    _sites[:] = [site]


def run(tenant: str, job: str, attempt: int) -> None:
    """What RQ calls. Running a message twice does the work once: the attempt is a fencing token."""
    attempt_job(_sites[0], UUID(hex=tenant), UUID(hex=job), attempt)


def _attempt_of(message: Message) -> tuple[str, str, int] | None:
    """Tenant, job and attempt; None for a message that no dispatcher wrote, which must not end the worker."""
    try:
        tenant, job, attempt = message.args
        if message.func_name == ENTRY and isinstance(attempt, int):
            return UUID(hex=tenant).hex, UUID(hex=job).hex, attempt
    except (DeserializationError, ValueError, TypeError, AttributeError):
        pass
    log.error("not_a_message_of_ours")
    return None


class Worker(SimpleWorker):
    """RQ's worker without a fork for each job and without its book-keeping: PostgreSQL keeps the books.

    A message is off the queue before its job begins. If this process dies then, the job's lease runs out and the
    sweeper hands it out again.
    """

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._beaten_at = 0.0
        self._busy = False
        super().__init__(
            [carrier.queue],
            name=f"{socket.gethostname()}-{os.getpid()}-{new_id().hex[-6:]}",
            connection=carrier.redis,
            serializer="json",
            worker_ttl=WORKER_TTL_SECONDS,
        )

    def execute_job(self, job: Message, _queue: Queue) -> None:
        self._busy = True
        try:
            self._carrier.take_off(job)
            if attempt := _attempt_of(job):
                run(*attempt)
        finally:
            self._busy = False

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ beats several times for each job; once in a while is enough."""
        if time.monotonic() - self._beaten_at >= HEARTBEAT_SECONDS:
            self._beaten_at = time.monotonic()
            self._carrier.say_present(self.name)
            super().heartbeat(timeout, pipeline)

    def request_stop(self, _signum: int, _frame: FrameType | None) -> None:
        """The first signal lets the job at hand end; idle, it stops at once."""
        self._stop_requested = True
        if not self._busy:
            raise StopRequested

    def register_death(self) -> None:
        try:
            self._carrier.say_gone(self.name)
            super().register_death()  # type: ignore[no-untyped-call]
        except RedisError as error:
            log.warning("left_without_goodbye", error=type(error).__name__)


def work(settings: Settings, catalog: Catalog) -> None:
    """Run jobs until told to stop, or until it is time for a fresh process.

    Doors, keys and whoever knows users must be named before. Raises SystemExit when a job took longer than it may:
    only the end of the process ends a thread that hangs.
    """
    carrier = Carrier(settings.redis_url, timeout=WORKER_TTL_SECONDS)
    worker = Worker(carrier)

    use_worksite(site_of(settings, catalog, carrier, worker.name))
    worker.work(logging_level="WARNING", max_jobs=JOBS_UNTIL_RENEWED)


def site_of(settings: Settings, catalog: Catalog, carrier: Carrier, worker: str) -> Worksite:
    """What jobs work with, in a process of this name."""

    def beat(job_id: UUID) -> None:
        with _logged():
            carrier.say_present(worker)
            carrier.keep_heavy(job_id, settings.job_lease_seconds)

    def end_heavy(job_id: UUID) -> None:
        with _logged():
            carrier.release_heavy(job_id)

    return Worksite(
        catalog,
        settings.job_lease_seconds,
        settings.job_in_flight_cap,
        beat,
        lambda: os._exit(OVERDUE),
        end_heavy,
    )


@contextmanager
def _logged() -> Iterator[None]:
    """Redis shows who is there and how much is going on; a job goes on without it."""
    try:
        yield
    except (RedisError, OSError) as error:
        log.warning("not_shown_in_redis", error=type(error).__name__)
