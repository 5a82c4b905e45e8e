"""Notices copies that failed or did not come, and tells the admins once for each."""

from datetime import datetime, timedelta

from sqlalchemy import select

from tenants.foundation.clock import now
from tenants.isolation.door import db
from tenants.jobs.models import Job, JobState
from tenants.jobs.schedules import last_moment
from tenants.notices.kinds import notice_kind
from tenants.notices.telling import tell
from tenants.portability.models import ExportSchedule
from tenants.portability.repeating import KIND

TROUBLED = notice_kind("export-schedules.troubled", "A scheduled export failed, or is overdue")
GRACE = timedelta(hours=6)
TEXT = """The scheduled export "{name}" {what}.

The last copy that was made and read back is of {last}. The next one is tried as planned ({cron}, {zone});
/api/v1/export-schedules/{id} shows the schedule, and /api/v1/exports its copies.
"""


def tell_of_trouble() -> int:
    """Write to the admins about every schedule whose last copy failed or is overdue; how many there were."""
    troubled = [
        (each, what)
        for each in db().scalars(select(ExportSchedule).with_for_update())
        if (what := _trouble(each))
    ]
    for schedule, what in troubled:
        last = f"{schedule.last_succeeded_at:%Y-%m-%d %H:%M} UTC" if schedule.last_succeeded_at else "never"
        text = TEXT.format(
            name=schedule.name, what=what, last=last, cron=schedule.cron, zone=schedule.zone, id=schedule.id
        )
        tell(TROUBLED, "A scheduled export needs your attention", text)
        schedule.alerted_at = now()
    db().flush()
    return len(troubled)


def _trouble(schedule: ExportSchedule) -> str | None:
    """What is wrong and has not been told yet, as the end of a sentence."""
    told = schedule.alerted_at
    failed = _last_failure(schedule)
    since = schedule.last_succeeded_at
    if failed and failed.finished_at and (since is None or failed.finished_at > since):
        if told is None or failed.finished_at > told:
            return f"failed: {failed.error}"
        return None
    due = _last_due(schedule)
    planned = schedule.planned_at or schedule.created_at
    heard = max(each for each in (since, told, planned) if each is not None)
    return f"is overdue since {due:%Y-%m-%d %H:%M} UTC" if heard < due else None


def _last_failure(schedule: ExportSchedule) -> Job | None:
    ended = select(Job).where(
        Job.kind == KIND,
        Job.arguments["schedule_id"].astext == str(schedule.id),
        Job.state == JobState.FAILED,
    )
    return db().scalars(ended.order_by(Job.finished_at.desc()).limit(1)).first()


def _last_due(schedule: ExportSchedule) -> datetime:
    """The latest moment that lies further back than a copy takes."""
    return last_moment(schedule.cron, schedule.zone, now() - GRACE)
