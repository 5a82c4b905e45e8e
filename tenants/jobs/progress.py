"""What a job can do while it runs: take steps of its own, show how far it is, and stop when it should."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

import orjson

from tenants.access.caller import SYSTEM, Acting, Caller, act_as
from tenants.catalog.registry import Home
from tenants.foundation.errors import NotAllowed
from tenants.isolation.door import Tenancy, here, inside
from tenants.jobs.accepting import announce_after_commit
from tenants.jobs.registry import Work, standing_of

SHOWN_EVERY_SECONDS = 0.25

HOLD = """
update jobs set lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
where id = %(id)s and attempt = %(attempt)s and state = 'running'
returning cancel_requested_at is not null
"""
SHOW = """
update jobs set done = coalesce(%(done)s::int, done), total = coalesce(%(total)s::int, total),
  phase = coalesce(%(phase)s::text, phase),
  lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
where id = %(id)s and attempt = %(attempt)s and state = 'running'
returning cancel_requested_at is not null
"""
# Whether the tenant has work that its cap held back; what it did not hold back has its turn anyway.
HELD_BACK = """
exists (select 1 from jobs other where other.state = 'ready' and other.run_at <= clock_timestamp())
and (jobs.heavy or %(cap)s <= (
  select count(*) from jobs other where other.state in ('dispatched', 'running') and not other.heavy
))
"""
SUCCEED = f"""
update jobs set state = 'succeeded', result = %(result)s::jsonb, done = coalesce(total, done), error = null,
  lease_until = null, finished_at = clock_timestamp()
where id = %(id)s and attempt = %(attempt)s and state = 'running'
returning {HELD_BACK}
"""  # noqa: S608 - a constant


class Fenced(Exception):
    """The job was given to somebody else meanwhile: whatever this attempt did in its transaction is rolled back."""


class Cancelled(Exception):
    """Whoever may has asked for the job to stop."""


@dataclass
class Running:
    """The attempt that this thread is working on."""

    home: Home
    id: UUID
    attempt: int
    work: Work[Any]
    actor_kind: str
    owner_id: UUID | None
    credential_id: UUID | None
    request_id: str
    lease_seconds: int
    cap: int
    concluded: bool = False
    shown_at: float = 0.0
    shown_phase: str | None = None

    @property
    def fence(self) -> dict[str, Any]:
        return {"id": self.id, "attempt": self.attempt}

    def enter(self) -> Acting:
        """Act in the transaction at hand as whoever asked, with the rights they have at this moment."""
        return act_as(self._caller(), request_id=self.request_id)

    def hold(self, statement: str = HOLD, **values: Any) -> None:
        """Raises Fenced when this attempt is no longer the current one, Cancelled when it should stop."""
        rows = here().ask(statement, {**self.fence, "lease": self.lease_seconds, **values})
        if not rows:
            raise Fenced
        if rows[0][0]:
            raise Cancelled

    def conclude(self, result: Mapping[str, Any] | None) -> None:
        """Write that it succeeded, in the transaction at hand."""
        stored = None if result is None else orjson.dumps(result).decode()
        rows = here().ask(SUCCEED, {**self.fence, "result": stored, "cap": self.cap})
        if not rows:
            raise Fenced
        self.concluded = True
        if rows[0][0]:
            announce_after_commit()

    def _caller(self) -> Caller:
        if self.owner_id is None and self.actor_kind == SYSTEM.kind:
            return SYSTEM
        found = self.owner_id and standing_of(self.owner_id, self.actor_kind, self.credential_id)
        if not found:
            raise NotAllowed("Whoever asked for this may no longer sign in.", code="actor_gone")
        return found


_running: ContextVar[Running | None] = ContextVar("job", default=None)


@contextmanager
def working_on(running: Running) -> Iterator[None]:
    """Make an attempt the one that `step`, `progress` and `conclude` speak of."""
    token = _running.set(running)
    try:
        yield
    finally:
        _running.reset(token)


def current_job() -> Running:
    """The attempt at hand; a RuntimeError outside of a job."""
    found = _running.get()
    if found is None:
        message = "This runs inside a job only."
        raise RuntimeError(message)
    return found


@contextmanager
def step(*, isolation: str = "") -> Iterator[Tenancy]:
    """One transaction of a job that takes several, as whoever asked; it commits only if this attempt still counts.

    `isolation` is for snapshots, for instance `isolation level repeatable read read only`. Raises Fenced and
    Cancelled, which a job lets through.
    """
    running = current_job()
    with inside(running.home, patience_seconds=running.work.minutes * 60, isolation=isolation) as tenancy:
        running.enter()
        yield tenancy
        tenancy.session.flush()
        # A snapshot would meet the lease that was renewed after it began; it has no effects to fence anyway.
        if not isolation and not running.concluded:
            running.hold()


def conclude(result: Mapping[str, Any] | None = None) -> None:
    """End the job as succeeded in the step at hand, so that its last effects and its end are one transaction."""
    current_job().conclude(result)


def progress(done: int | None = None, total: int | None = None, phase: str | None = None) -> None:
    """Show how far the job is, in a transaction of its own, a few times a second at most; outside a job nobody asks.

    Raises Cancelled when somebody asked for the job to stop, Fenced when another attempt has taken over.
    """
    running = _running.get()
    if running is None:
        return
    if phase in (None, running.shown_phase) and monotonic() - running.shown_at < SHOWN_EVERY_SECONDS:
        return
    running.shown_at, running.shown_phase = monotonic(), phase or running.shown_phase
    # An empty context has no tenancy: the door opens a second connection beside the transaction at hand.
    Context().run(_show, running, {"done": done, "total": total, "phase": phase})


def _show(running: Running, values: dict[str, Any]) -> None:
    with inside(running.home):
        running.hold(SHOW, **values)
