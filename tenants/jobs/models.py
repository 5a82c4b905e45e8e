"""Work that was accepted: jobs, the schedules that ask for them again and again, and the platform's own rounds."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.catalog.models import CatalogBase
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import AtRest, Base, DataClass, Identified, Owned, Purpose, column, one_of


class JobState(StrEnum):
    """Where a job stands; the last three are ends.

    A job that was unfinished when its tenant was copied is `held` in the copy: whoever has the original does the work.
    """

    HELD = "held"

    READY = "ready"
    DISPATCHED = "dispatched"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


HELD_IN_COPIES = AtRest(
    frozenset({JobState.READY, JobState.DISPATCHED, JobState.RUNNING}), JobState.HELD, "held_state"
)
UNFINISHED = text("state in ('ready', 'dispatched', 'running')")


class Job(Identified, Owned, Base):
    """One piece of work. It belongs to whoever asked for it; the system's own have no owner.

    `attempt` is the fencing token: it grows each time the job is handed out, and only who holds the current one may
    write. `failures` counts the attempts that began and came to nothing.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", JobState),
        CheckConstraint(
            "(state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)", name="end_dated"
        ),
        Index("jobs_ready_idx", "run_at", "id", postgresql_where=text("state = 'ready'")),
        Index(
            "jobs_in_flight_idx", "lease_until", postgresql_where=text("state in ('dispatched', 'running')")
        ),
        Index("jobs_unique_key_idx", "unique_key", unique=True, postgresql_where=UNFINISHED),
        Index("jobs_created_at_idx", "created_at", "id"),
    )
    __purpose__ = Purpose.OPERATION

    kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    arguments: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.TECHNICAL, default=dict)
    state: Mapped[str] = column(
        data=DataClass.TECHNICAL, default=JobState.READY, info={"at_rest": HELD_IN_COPIES}
    )
    held_state: Mapped[str | None] = column(
        data=DataClass.TECHNICAL, info={"stays": "The state itself has it: a copy of a copy is held again."}
    )
    attempt: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    failures: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    max_attempts: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=5)
    heavy: Mapped[bool] = column(Boolean, data=DataClass.TECHNICAL, default=False)
    unique_key: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    run_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    lease_until: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    done: Mapped[int | None] = column(Integer, data=DataClass.TECHNICAL)
    total: Mapped[int | None] = column(Integer, data=DataClass.TECHNICAL)
    phase: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    result: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.BUSINESS)
    error: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    actor_kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    credential_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    request_id: Mapped[str] = column(data=DataClass.TECHNICAL, default="")
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    started_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    finished_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    cancel_requested_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)

    @property
    def progress(self) -> Mapping[str, Any]:
        """How far it is, as the API shows it."""
        return {"done": self.done, "total": self.total, "phase": self.phase}

    def cancel(self) -> None:
        """Cancel it at once if nobody works on it, else ask the worker to stop at its next step.

        Raises Conflict when it has ended already.
        """
        if JobState(self.state).finished:
            raise Conflict("This job has ended already.", code="job_ended")
        self.cancel_requested_at = self.cancel_requested_at or now()
        if self.state != JobState.RUNNING:
            self.state, self.lease_until, self.finished_at = JobState.CANCELLED, None, now()
            self.held_state = None

    def release(self) -> None:
        """Have a held job done here. Raises Conflict for any other."""
        if self.state != JobState.HELD:
            raise Conflict("Only a job that is held can be released.", code="job_not_held")
        self.state, self.held_state, self.run_at = JobState.READY, None, now()


class Schedule(Identified, Base):
    """A job that comes back, by the clocks of a zone. Declared ones have their job's name as key."""

    __tablename__ = "schedules"
    __table_args__ = (Index("schedules_next_run_at_idx", "next_run_at"),)
    __purpose__ = Purpose.OPERATION

    key: Mapped[str] = column(data=DataClass.TECHNICAL, unique=True)
    kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    arguments: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.TECHNICAL, default=dict)
    cron: Mapped[str] = column(data=DataClass.TECHNICAL)
    zone: Mapped[str] = column(data=DataClass.TECHNICAL, default="UTC")
    next_run_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    owner_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class PlatformRound(CatalogBase):
    """When a piece of the platform's own recurring work is due, and how it went last."""

    __tablename__ = "platform_rounds"
    __purpose__ = Purpose.OPERATION

    name: Mapped[str] = column(data=DataClass.TECHNICAL, primary_key=True)
    next_run_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    attempt: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    lease_until: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    asked_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    started_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    finished_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    error: Mapped[str | None] = column(data=DataClass.TECHNICAL)


class Errand(Identified, CatalogBase):
    """What is to be done because somebody asked about an address: as many for nobody's as for somebody's. Soon deleted.

    Addresses stand here sealed: the catalog knows none.
    """

    __tablename__ = "errands"
    __purpose__ = Purpose.ACCOUNT

    kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    sealed: Mapped[bytes] = column(LargeBinary, data=DataClass.CONTACT)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    due_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now, index=True)
