"""Making bundles, and removing them when their time has come."""

from contextlib import closing
from uuid import UUID

from tenants.access.caller import acting
from tenants.foundation.tables import Purpose
from tenants.isolation.files import store_sealed
from tenants.jobs.progress import conclude, current_job, progress, step
from tenants.jobs.registry import job
from tenants.portability.bundling import SNAPSHOT, Bundling, expected_rows
from tenants.portability.choosing import portions
from tenants.portability.copying import (
    copy_of,
    finish_copy,
    forget_attempts,
    must_be_whole,
    remove_surplus,
    scheduled,
)
from tenants.portability.exporting import expire_exports, finish, must_see_everything, still_wanted
from tenants.portability.keeping import keeping_of, name_of_copy
from tenants.portability.models import Export
from tenants.portability.watching import tell_of_trouble


@job("exports.make", purpose=Purpose.PORTABILITY, heavy=True, attempts=5, steps=True, always=True)
def make_export(export_id: UUID, days: int) -> None:
    """Write the bundle from one snapshot, then say that it is there. A second attempt starts afresh."""
    file = f"exports/{export_id}-{current_job().attempt}"
    with step(isolation=SNAPSHOT):
        must_see_everything(acting().caller)
        export = still_wanted(export_id)
        bundling = _bundling(export)
        with closing(bundling.pieces()) as pieces:
            store_sealed(file, pieces)
    with step():
        conclude(finish(export_id, file, bundling, days))


@job("exports.scheduled", purpose=Purpose.PORTABILITY, heavy=True, attempts=5, steps=True, always=True)
def make_scheduled_export(schedule_id: UUID) -> None:
    """Make a copy, read it back, and remove the ones beyond those that are kept."""
    running = current_job()
    with step():
        export_id, done = (export := copy_of(schedule_id, running.id)).id, export.finished_at is not None
    if not done:
        _copy(schedule_id, export_id, running.attempt)
    with step():
        remove_surplus(scheduled(schedule_id))
        conclude({"export_id": str(export_id)})


def _copy(schedule_id: UUID, export_id: UUID, attempt: int) -> None:
    with step(isolation=SNAPSHOT):
        must_see_everything(acting().caller)
        schedule, export = scheduled(schedule_id), still_wanted(export_id)
        place = keeping_of(schedule)
        name = name_of_copy(schedule, export_id, attempt, encrypted=bool(export.encrypt_to))
        bundling = _bundling(export)
        with closing(bundling.pieces()) as pieces:
            place.write(name, pieces)
        must_be_whole(place.read(name), bundling)
        forget_attempts(place, schedule, export, attempt)
    with step():
        finish_copy(schedule_id, export_id, name, bundling)


def _bundling(export: Export) -> Bundling:
    total = expected_rows()
    return Bundling(
        export.format,
        lambda table, rows: progress(rows, max(rows, total), table),
        portions=portions(export.resources or (), acting().caller),
        encrypt_to=export.encrypt_to or (),
    )


@job("exports.watch", purpose=Purpose.PORTABILITY, every="41 * * * *", always=True)
def watch() -> None:
    """Tell the admins of scheduled exports that failed or did not come."""
    tell_of_trouble()


@job("exports.expire", purpose=Purpose.PORTABILITY, every="23 * * * *", always=True)
def expire() -> None:
    """Remove exports whose time has come, and what killed workers left of theirs."""
    expire_exports()
