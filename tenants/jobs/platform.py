"""Work without a tenant, which has to be declared: rounds that the platform makes, each with a row in the catalog.

Rounds take no arguments, and two requests for one may become a single one. They are made in the scheduler's
process, the only one beside `migrate` that holds the owner's login.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.meanwhile import meanwhile
from tenants.foundation.tables import Purpose
from tenants.jobs.looking import keep_looking
from tenants.jobs.models import PlatformRound

log = structlog.get_logger(__name__)
#: A round of which nothing was heard for so long was cut short: its process died, or its database went away.
LEASE = timedelta(seconds=30)


@dataclass(frozen=True)
class PlatformJob:
    """A declared round: what it does, why, and how often. One that takes longer than `minutes` is begun again."""

    name: str
    function: Callable[[], object]
    purpose: Purpose
    every_seconds: int
    minutes: int = 10


class Rounds:
    """Makes the rounds that are due; of several processes, one makes each.

    Raises ValueError for two of one name.
    """

    def __init__(self, catalog: Catalog, jobs: Sequence[PlatformJob]) -> None:
        self._catalog = catalog
        self._jobs = {job.name: job for job in jobs}
        self._planted = False
        if len(self._jobs) < len(jobs):
            raise ValueError("Two platform jobs have one name.")

    def run(self, stop: threading.Event) -> None:
        """Make rounds until told to stop; without the catalog, try again a little later."""
        keep_looking(self.make_due, stop, told="rounds_wait")

    def make_due(self) -> int:
        """Make every round that is due now; how many there were."""
        if not self._planted:
            self._plant()
        made = 0
        while (taken := self._take()) is not None:
            self._make(*taken)
            made += 1
        return made

    def _plant(self) -> None:
        with self._catalog.transaction() as session:
            for name in self._jobs:
                wanted = insert(PlatformRound).values(name=name, next_run_at=func.clock_timestamp())
                session.execute(wanted.on_conflict_do_nothing())
        self._planted = True

    def _take(self) -> tuple[PlatformJob, int] | None:
        """A due round, leased, with the number of this attempt: whoever comes later can't end it in our name."""
        clock = func.clock_timestamp()
        due = (
            select(PlatformRound)
            .where(PlatformRound.name.in_(self._jobs), PlatformRound.next_run_at <= clock)
            .where(or_(PlatformRound.lease_until.is_(None), PlatformRound.lease_until < clock))
            .order_by(PlatformRound.next_run_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._catalog.transaction() as session:
            found = session.scalars(due).one_or_none()
            if found is None:
                return None
            job = self._jobs[found.name]
            found.attempt += 1
            found.started_at = now()
            found.lease_until = now() + LEASE
            return job, found.attempt

    def _make(self, job: PlatformJob, attempt: int) -> None:
        error = None
        try:
            with self._kept(job, attempt):
                job.function()
        except Exception as problem:
            # A round that breaks must not end the others; it is on record here and comes again.
            log.exception("round_broke", round=job.name)
            error = type(problem).__name__
        with self._catalog.transaction() as session:
            session.execute(
                update(PlatformRound)
                .where(PlatformRound.name == job.name, PlatformRound.attempt == attempt)
                .values(
                    lease_until=None,
                    finished_at=func.clock_timestamp(),
                    error=error,
                    next_run_at=_next(job),
                )
            )

    @contextmanager
    def _kept(self, job: PlatformJob, attempt: int) -> Iterator[None]:
        """Keep the lease while the block lasts, for as long as it may; it ends soon after this process does."""
        mine = (PlatformRound.name == job.name, PlatformRound.attempt == attempt)

        def keep() -> None:
            try:
                with self._catalog.transaction() as session:
                    until = func.clock_timestamp() + LEASE
                    session.execute(update(PlatformRound).where(*mine).values(lease_until=until))
            except SQLAlchemyError as error:
                log.warning("lease_not_kept", round=job.name, error=type(error).__name__)

        with meanwhile(keep, every_seconds=LEASE.total_seconds() / 4, for_seconds=job.minutes * 60):
            yield


def _next(job: PlatformJob) -> ColumnElement[datetime]:
    """When it is due again: at once if somebody asked for it while it was under way."""
    usual = func.clock_timestamp() + timedelta(seconds=job.every_seconds)
    return case((PlatformRound.asked_at > PlatformRound.started_at, func.clock_timestamp()), else_=usual)


def ask_for_round(session: Session, name: str) -> None:
    """Have a round made within a second or so after the catalog's transaction at hand, besides its usual times."""
    session.execute(
        update(PlatformRound)
        .where(PlatformRound.name == name)
        .values(asked_at=func.clock_timestamp(), next_run_at=func.clock_timestamp())
    )
