"""Recurring work is rows: each says when it is due next, and asking for it moves that on in the same transaction."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from croniter import croniter
from sqlalchemy import ColumnElement, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert

from tenants.catalog.states import STATE_HERE
from tenants.foundation.clock import now
from tenants.isolation.door import db
from tenants.jobs.accepting import Order, accept
from tenants.jobs.models import Schedule
from tenants.jobs.registry import work_named, works, works_always

USUAL_ATTEMPTS = 5
ASIDE = timedelta(days=1)
#: Where a cron line has its hours.
HOURS = 1
log = structlog.get_logger(__name__)
#: Whether all work goes on in the tenant at hand.
WORKS: ColumnElement[bool] = literal_column(f"(({STATE_HERE}) = 'active')")


def next_moment(cron: str, zone: str, after: datetime) -> datetime:
    """The first moment after another one that a cron line names, by the clocks of a zone.

    Where clocks change it goes by cron(8): what is planned for an hour that comes twice runs in the first, what is
    planned for one that is left out runs once that day. A line that names every hour runs in each that passes.
    """
    return next(_moments(cron, zone, after, croniter.all_next))


def last_moment(cron: str, zone: str, before: datetime) -> datetime:
    """The last moment before another one that it names, likewise."""
    return next(_moments(cron, zone, before, croniter.all_prev))


def _moments(
    cron: str, zone: str, at: datetime, way: Callable[..., Iterator[datetime]]
) -> Iterator[datetime]:
    clocks, every_hour = ZoneInfo(zone), croniter.expand(cron)[0][HOURS] == ["*"]
    for found in way(croniter(cron, at.astimezone(clocks)), datetime):
        moment = found.astimezone(at.tzinfo)
        if every_hour or not moment.astimezone(clocks).fold:
            yield moment


def ask_for_what_is_due() -> int:
    """Accept a job for each schedule of the tenant at hand that is due; what was missed meanwhile runs once."""
    due = (
        select(Schedule)
        .where(Schedule.next_run_at <= func.clock_timestamp(), or_(WORKS, Schedule.kind.in_(works_always())))
        .with_for_update(skip_locked=True)
    )
    found = db().scalars(due).all()
    for schedule in found:
        work = work_named(schedule.kind)
        accept(
            Order(
                kind=schedule.kind,
                arguments=schedule.arguments,
                heavy=bool(work and work.heavy),
                max_attempts=work.attempts if work else USUAL_ATTEMPTS,
                actor_kind="schedule" if schedule.owner_id else "system",
                owner_id=schedule.owner_id,
                unique_key=f"{schedule.id}:{schedule.next_run_at.isoformat()}",
                request_id=f"schedule-{schedule.key}",
            )
        )
        schedule.next_run_at = _next_of(schedule)
    db().flush()
    return len(found)


def _next_of(schedule: Schedule) -> datetime:
    """Its next moment. One that names none, as a bundle may bring it, stands aside for a day: the others go on."""
    try:
        return next_moment(schedule.cron, schedule.zone, now())
    except (ValueError, LookupError, OSError) as error:
        log.warning("schedule_names_no_moment", key=schedule.key, reason=str(error))
        return now() + ASIDE


def declared() -> dict[str, str]:
    """The jobs that every tenant has a schedule for, with their cron lines."""
    return {name: work.every for name, work in works().items() if work.every}


def plant_declared() -> None:
    """Give the tenant at hand a schedule for each job that is declared to recur."""
    for name, cron in declared().items():
        wanted = insert(Schedule).values(
            key=name,
            kind=name,
            arguments={},
            cron=cron,
            zone="UTC",
            next_run_at=next_moment(cron, "UTC", now()),
        )
        db().execute(wanted.on_conflict_do_nothing(index_elements=["key"]))
