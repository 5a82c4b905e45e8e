"""One attempt at one job: claimed with its fencing token, kept by a lease, ended in the transaction of its effects."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from tenants.catalog.registry import Catalog, Home
from tenants.foundation.clock import now
from tenants.foundation.errors import Refusal, Unavailable
from tenants.isolation.away import DATABASE_ERRORS
from tenants.isolation.door import inside
from tenants.jobs.accepting import announce_after_commit
from tenants.jobs.progress import HELD_BACK, HOLD, Cancelled, Fenced, Running, working_on
from tenants.jobs.registry import work_named

log = structlog.get_logger(__name__)
LONGEST_PAUSE_SECONDS = 900
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
UNFORESEEN = (
    "Something went wrong on our side, {failures} times in a row. Our log has the details under job {id}."
)

CLAIM = """
update jobs set state = 'running', started_at = coalesce(started_at, clock_timestamp()), phase = null,
  lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
where id = %(id)s and attempt = %(attempt)s and state = 'dispatched'
returning kind, arguments, heavy, actor_kind, owner_id, credential_id, request_id, failures, max_attempts
"""
END = f"""
update jobs set state = %(state)s, failures = %(failures)s, error = %(error)s, lease_until = null,
  run_at = clock_timestamp() + make_interval(secs => %(pause)s),
  finished_at = case when %(finished)s then clock_timestamp() end
where id = %(id)s and attempt = %(attempt)s and state = 'running'
returning {HELD_BACK}
"""  # noqa: S608 - a constant


class Claimed(NamedTuple):
    """What the row of a claimed job says."""

    kind: str
    arguments: dict[str, Any]
    heavy: bool
    actor_kind: str
    owner_id: UUID | None
    credential_id: UUID | None
    request_id: str
    failures: int
    max_attempts: int


@dataclass(frozen=True, slots=True)
class Worksite:
    """What a worker needs to run jobs. `on_overdue` is called when a job has taken longer than it may."""

    catalog: Catalog
    lease_seconds: int
    cap: int
    on_beat: Callable[[UUID], None]
    on_overdue: Callable[[], None]
    on_heavy_end: Callable[[UUID], None]


def attempt_job(site: Worksite, tenant_id: UUID, job_id: UUID, attempt: int) -> None:
    """Run one attempt, if it is still the current one; safe to call any number of times."""
    with structlog.contextvars.bound_contextvars(tenant=str(tenant_id), job=str(job_id)):
        claimed = _claim_patiently(site, tenant_id, job_id, attempt)
        if claimed is None:
            log.info("job_skipped", attempt=attempt)
            return
        home, row = claimed
        _end_somehow(site, home, job_id, attempt, row)


def _claim_patiently(
    site: Worksite, tenant_id: UUID, job_id: UUID, attempt: int
) -> tuple[Home, Claimed] | None:
    """The job's home and row, or None when this attempt is not the current one.

    A database that is being restarted is waited for. One that stays away is left to the lease and the sweeper.
    """
    for pause in PAUSES:
        try:
            return _claim(site, tenant_id, job_id, attempt)
        except (Unavailable, *DATABASE_ERRORS) as error:
            site.catalog.forget(tenant_id)  # it may have moved
            log.warning("claim_waits", error=type(error).__name__, seconds=pause)
            time.sleep(pause)
    return None


def _claim(site: Worksite, tenant_id: UUID, job_id: UUID, attempt: int) -> tuple[Home, Claimed] | None:
    home = site.catalog.home(tenant_id)
    if home is None or not home.permits.reads:
        return None
    values = {"id": job_id, "attempt": attempt, "lease": site.lease_seconds}
    with inside(home, first=(CLAIM, values)) as tenancy:
        rows = tenancy.first_answer
    return (home, Claimed(*rows[0])) if rows else None


def _end_somehow(site: Worksite, home: Home, job_id: UUID, attempt: int, row: Claimed) -> None:
    started = time.monotonic()
    ending: _Ending | None = None
    try:
        _do(site, home, job_id, attempt, row)
        outcome = "succeeded"
    except Fenced:
        outcome = "fenced"
    except Cancelled:
        ending = _Ending("cancelled", None, row.failures)
    except Unavailable as refusal:
        ending = _after_failure(row, refusal.detail)
        log.warning("job_waits", kind=row.kind, reason=refusal.detail)
    except Refusal as refusal:
        ending = _Ending("failed", _sentence(refusal), row.failures + 1)
    except Exception:
        # Whatever a job raises must end its attempt and not its worker: it is on record here and tried again.
        log.exception("job_broke", kind=row.kind, attempt=attempt)
        ending = _after_failure(row, UNFORESEEN.format(failures=row.failures + 1, id=job_id))
    if ending:
        _record(site, home, job_id, attempt, ending)
        outcome = ending.state
    if row.heavy:
        site.on_heavy_end(job_id)
    log.info(
        "job",
        kind=row.kind,
        attempt=attempt,
        outcome=outcome,
        ms=round((time.monotonic() - started) * 1000, 1),
    )


def _do(site: Worksite, home: Home, job_id: UUID, attempt: int, row: Claimed) -> None:
    work = work_named(row.kind)
    if work is None:
        raise Unavailable(f"This version of the program knows no job '{row.kind}'.")
    actor = (row.actor_kind, row.owner_id, row.credential_id, row.request_id)
    running = Running(home, job_id, attempt, work, *actor, site.lease_seconds, site.cap)
    with working_on(running), _leased(site, running):
        if work.steps:
            result = work.run_stored(row.arguments)
            if not running.concluded:
                with inside(home):
                    running.conclude(result)
        else:
            with inside(home, patience_seconds=work.minutes * 60):
                running.enter()
                running.conclude(work.run_stored(row.arguments))


@dataclass(frozen=True, slots=True)
class _Ending:
    """How an attempt ended that did not succeed."""

    state: str
    error: str | None
    failures: int
    pause: float = 0.0


def _after_failure(row: Claimed, sentence: str) -> _Ending:
    """Ready again after a pause, or failed when it was tried often enough."""
    failures = row.failures + 1
    if failures >= row.max_attempts:
        return _Ending("failed", sentence, failures)
    return _Ending("ready", None, failures, pause_after(failures))


def pause_after(failures: int) -> float:
    """Seconds until the next attempt: 2, 8, 32 … up to a quarter of an hour, spread so that many don't come at once."""
    return float(min(LONGEST_PAUSE_SECONDS, 2 * 4 ** (failures - 1))) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


def _sentence(refusal: Refusal) -> str:
    details = [f"{field}: {' '.join(texts)}" for field, texts in refusal.errors.items()]
    return " ".join([refusal.detail or f"{refusal.title}.", *details])


def _record(site: Worksite, home: Home, job_id: UUID, attempt: int, ending: _Ending) -> None:
    """Write the end of the attempt. Without a database the lease runs out and the sweeper does it."""
    values = {
        "id": job_id, "attempt": attempt, "state": ending.state, "error": ending.error, "failures": ending.failures,
        "pause": ending.pause, "finished": ending.state != "ready", "cap": site.cap,
    }  # fmt: skip
    try:
        with inside(home) as tenancy:
            rows = tenancy.ask(END, values)
            if ending.state == "ready":
                announce_after_commit(now() + timedelta(seconds=ending.pause))
            if rows and rows[0][0]:
                announce_after_commit()
    except Unavailable as error:
        log.warning("end_not_recorded", error=error.detail)


@contextmanager
def _leased(site: Worksite, running: Running) -> Iterator[None]:
    """Renew the lease while the block runs, from a thread with transactions of its own."""
    over = threading.Event()
    thread = threading.Thread(target=_keep, args=(site, running, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _keep(site: Worksite, running: Running, over: threading.Event) -> None:
    latest = time.monotonic() + running.work.minutes * 60
    while not over.wait(site.lease_seconds / 3):
        if time.monotonic() > latest:
            log.error("job_overdue", kind=running.work.name, job=str(running.id))
            site.on_overdue()
            return
        try:
            with inside(running.home) as tenancy:
                tenancy.ask(HOLD, {**running.fence, "lease": site.lease_seconds})
            site.on_beat(running.id)
        except (Unavailable, *DATABASE_ERRORS) as error:
            log.warning("lease_not_renewed", job=str(running.id), error=type(error).__name__)
