"""Exports that come back: said once, then a copy at every moment that a cron line names."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from croniter import CroniterBadDateError, croniter
from sqlalchemy import select

from tenants.access.caller import acting
from tenants.access.policy import change, save
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.exchange import OutboundFailed
from tenants.foundation.outbound import OutboundRefused
from tenants.isolation.door import db
from tenants.isolation.own_bucket import BucketFailed
from tenants.jobs.models import Schedule
from tenants.jobs.schedules import next_moment
from tenants.notices.kinds import NoticeKind, notice_kind
from tenants.notices.telling import tell
from tenants.portability.approving import second_approver
from tenants.portability.choosing import portions
from tenants.portability.encrypting import recipients_of
from tenants.portability.exporting import must_see_everything
from tenants.portability.keeping import bucket_of, end_upload
from tenants.portability.models import Export, ExportSchedule
from tenants.portability.queries import key_of

KIND = "exports.scheduled"
BEGUN = notice_kind("export-schedules.begun", "Somebody set up a scheduled export")
CHANGED = notice_kind("export-schedules.changed", "Somebody changed or ended a scheduled export")
MOST = 20
MOMENTS_TRIED = 60
OFTEN = timedelta(hours=1)
TOLD = """{name} {did} the scheduled export "{schedule}" of your workspace, to {where} ({cron}, {zone}).{what}

If that surprises you, look at /api/v1/export-schedules/{id} and at the audit log. DELETE ends it.
"""
KEYS = ("access_key_id", "secret")
HARMLESS = {"name", "keep"}
#: Words of croniter's own for a moment that is drawn anew each time it is asked.
DRAWN = re.compile(r"(^|[\s,])[RH](?![A-Z])", re.IGNORECASE)


def begin_schedule(said: dict[str, Any]) -> ExportSchedule:
    """Have copies made from now on.

    Raises Invalid for what is not right, a bucket that could not be written to included, NotAllowed for whoever does
    not see everything, Conflict when there are too many.
    """
    must_see_everything(acting().caller)
    _must_need_no_approval()
    _check(said)
    if len(db().scalars(select(ExportSchedule.id).limit(MOST)).all()) == MOST:
        raise Conflict(f"There are {MOST} schedules for exports already.", code="too_many")
    schedule = ExportSchedule(**_with_keys(said))
    if schedule.bucket is not None:
        _must_work(schedule)
    save(schedule)
    db().add(
        Schedule(
            key=key_of(schedule.id),
            kind=KIND,
            arguments={"schedule_id": str(schedule.id)},
            **_when(schedule),
        )
    )
    db().flush()
    _tell(BEGUN, schedule, "set up")
    return schedule


def change_schedule(schedule: ExportSchedule, said: dict[str, Any]) -> ExportSchedule:
    """Change what is said of a schedule; new keys are tried first. Raises as `begin_schedule` does.

    Where exports need a second person's word, what nobody gave it to doesn't come sooner or go to somebody else.
    """
    must_see_everything(acting().caller)
    if not said.keys() <= HARMLESS:
        _must_need_no_approval()
    _check(said)
    if schedule.bucket is None and any(name in said for name in KEYS):
        raise Invalid(errors={"access_key_id": ["This schedule has no bucket."]})
    before = schedule.cron, schedule.zone
    change(schedule, said)
    if (schedule.cron, schedule.zone) != before:
        schedule.plan_anew()
    if any(name in said for name in KEYS):
        _must_work(schedule)
    row = _row_of(schedule)
    for name, value in _when(schedule).items():
        setattr(row, name, value)
    db().flush()
    if what := said.keys() - HARMLESS:
        _tell(CHANGED, schedule, "changed", what)
    return schedule


def end_schedule(schedule: ExportSchedule, days: int) -> None:
    """No further copies. Those with us are kept for so many days yet; those in the bucket are the tenant's."""
    for export in db().scalars(select(Export).where(Export.schedule_id == schedule.id).with_for_update()):
        end_upload(export)
        export.schedule_id = export.upload_id = None
        if export.file and not export.in_bucket:
            export.expires_at = now() + timedelta(days=days)
    db().flush()
    _tell(CHANGED, schedule, "ended")
    db().delete(_row_of(schedule))
    db().delete(schedule)
    db().flush()


def _must_need_no_approval() -> None:
    if second_approver():
        raise Conflict(
            "Exports need a second person's word here, and nobody gives it to a schedule.",
            code="needs_approval",
        )


def _tell(kind: NoticeKind, schedule: ExportSchedule, did: str, what: Iterable[str] = ()) -> None:
    caller = acting().caller
    where = f"the bucket {schedule.bucket['name']}" if schedule.bucket else "our storage"
    said = {each: getattr(schedule, each) for each in ("id", "cron", "zone")}
    changed = f" Changed: {', '.join(sorted(what))}." if what else ""
    text = TOLD.format(name=caller.name, did=did, schedule=schedule.name, where=where, what=changed, **said)
    tell(kind, f"A scheduled export was {did}", text, but=caller.user_id)


def _row_of(schedule: ExportSchedule) -> Schedule:
    """The row that says when, locked."""
    mine = select(Schedule).where(Schedule.key == key_of(schedule.id))
    return db().scalars(mine.with_for_update()).one()


def _when(schedule: ExportSchedule) -> dict[str, Any]:
    due = next_moment(schedule.cron, schedule.zone, now())
    return {"cron": schedule.cron, "zone": schedule.zone, "next_run_at": due, "owner_id": schedule.owner_id}


def _check(said: dict[str, Any]) -> None:
    if cron := said.get("cron"):
        _must_be_rare(cron)
    portions(said.get("resources") or (), acting().caller)
    recipients_of(said.get("encrypt_to") or ())


def _must_be_rare(cron: str) -> None:
    if not croniter.is_valid(cron) or len(cron.split()) != 5 or DRAWN.search(cron):  # noqa: PLR2004 - minute, hour, day, month, weekday
        raise Invalid(
            errors={"cron": ["A line of five fields, for instance `0 2 * * *` for every night at two."]}
        )
    walk = croniter(cron, datetime(2026, 1, 1, tzinfo=now().tzinfo))
    try:
        moments = [walk.get_next(datetime) for _ in range(MOMENTS_TRIED)]
    except CroniterBadDateError:
        raise Invalid(errors={"cron": ["There is no such day."]}) from None
    if any(later - earlier < OFTEN for earlier, later in pairwise(moments)):
        raise Invalid(errors={"cron": ["At most once an hour."]})


def _with_keys(said: dict[str, Any]) -> dict[str, Any]:
    """The bucket as it is kept, with its keys apart from it."""
    bucket = dict(said.get("bucket") or {})
    keys = {
        name: bucket.pop(key)
        for name, key in zip(KEYS, ("access_key_id", "secret_access_key"), strict=True)
        if key in bucket
    }
    return {**said, "bucket": bucket or None, **keys}


def _must_work(schedule: ExportSchedule) -> None:
    prefix = (schedule.bucket or {}).get("prefix") or ""
    try:
        bucket_of(schedule).try_out(f"{prefix}freehold-write-test-{schedule.id}")
    except (BucketFailed, OutboundRefused, OutboundFailed) as error:
        raise Invalid(
            "Nothing could be written to this bucket.", errors={"bucket": [error.detail]}
        ) from error
