"""What the answers about exports and schedules show beyond their own columns, as SQL over the resource's table."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, func

from tenants.jobs.models import Job, JobState, Schedule
from tenants.portability.models import Approval

SCHEDULE = "export-schedule:"


def status(table: Any) -> ColumnElement[Any]:
    """The word for where an export stands: of the job while there is one to tell, and of the file from then on."""
    ready = (table.c.finished_at.is_not(None), "succeeded")
    gone = (
        table.c.finished_at.is_not(None) & (table.c.file.is_(None) | (table.c.expires_at <= func.now())),
        "expired",
    )
    waiting = {JobState.READY: "queued", JobState.DISPATCHED: "queued"}
    of_job = _of_job(lambda job: sa.case(waiting, value=job.state, else_=job.state), table)
    waits = table.c.approval == Approval.WAITING
    unheard = (waits & (table.c.approve_by <= func.now()), "expired")
    said = ((table.c.approval == Approval.REFUSED, "refused"), (waits, "waiting"))
    return sa.case(unheard, *said, gone, ready, else_=func.coalesce(of_job, "failed"))


def progress(table: Any) -> Any:
    """How many rows of how many the job has done, and which table it is at."""
    return _of_job(
        lambda job: func.json_build_object("done", job.done, "total", job.total, "phase", job.phase), table
    )


def error(table: Any) -> Any:
    """Why the job failed."""
    return _of_job(lambda job: job.error, table)


def next_run(table: Any) -> Any:
    """When a copy of a schedule is due."""
    when: Any = Schedule.__table__.alias("due")
    key = func.concat(SCHEDULE, sa.cast(table.c.id, sa.Text))
    return sa.select(when.c.next_run_at).where(when.c.key == key).scalar_subquery()


def key_of(schedule_id: UUID) -> str:
    """The key of the row of `schedules` that says when."""
    return f"{SCHEDULE}{schedule_id}"


def _of_job(shown: Any, table: Any) -> Any:
    job: Any = Job.__table__.alias("job")
    return sa.select(shown(job.c)).where(job.c.id == table.c.job_id).scalar_subquery()
