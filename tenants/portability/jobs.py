"""Making bundles, and removing them when their time has come."""

from contextlib import closing
from uuid import UUID

from tenants.access.caller import acting
from tenants.foundation.tables import Purpose
from tenants.foundation.yielding import yielding
from tenants.isolation.door import here
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
from tenants.portability.exporting import (
    expire_exports,
    finish,
    must_see_everything,
    pieces_of,
    still_wanted,
)
from tenants.portability.models import Export
from tenants.portability.parcels import Parcels, file_of
from tenants.portability.reminding import remind_of_copies
from tenants.portability.repeating import KIND
from tenants.portability.uploading import await_upload, bring_copy, end_what_nobody_finishes
from tenants.portability.watching import tell_of_trouble


@job("exports.make", purpose=Purpose.PORTABILITY, heavy=True, attempts=5, steps=True, always=True)
def make_export(export_id: UUID, days: int) -> None:
    """Write the bundle from one snapshot, then say that it is there.

    A second attempt has a snapshot of its own and keeps the files that the first one finished; of a bundle that is
    encrypted to others, which is one stream from end to end, it keeps nothing.
    """
    attempt = current_job().attempt
    file = file_of(export_id, attempt)
    bundling = yielding(lambda: _make(export_id, file, attempt))
    with step():
        conclude(finish(export_id, file, bundling, days))


def _make(export_id: UUID, file: str, attempt: int) -> Bundling:
    with step(isolation=SNAPSHOT):
        must_see_everything(acting().caller)
        export = still_wanted(export_id)
        bundling = _bundling(export, None if export.encrypt_to else Parcels(export_id, attempt))
        with closing(bundling.pieces()) as pieces:
            store_sealed(file, pieces)
    return bundling


@job(KIND, purpose=Purpose.PORTABILITY, heavy=True, attempts=5, steps=True, always=True)
def make_scheduled_export(schedule_id: UUID) -> None:
    """Make a copy, read it back where it was to go, and remove the ones beyond those that are kept."""
    running = current_job()
    with step():
        scheduled(schedule_id)
        export = copy_of(schedule_id, running.id)
    if export.finished_at is None:
        put = _put_in_bucket if export.in_bucket else _put_with_us
        yielding(lambda: put(schedule_id, export.id, running.attempt))
    with step():
        remove_surplus(scheduled(schedule_id))
        conclude({"export_id": str(export.id)})


def _put_with_us(schedule_id: UUID, export_id: UUID, attempt: int) -> None:
    name = file_of(export_id, attempt)
    made = _make(export_id, name, attempt)
    with step(isolation=SNAPSHOT):
        whole = [*(made.parcels.names if made.parcels else ()), name]
        must_be_whole(pieces_of(here().home.id, whole), made.sha256, made.size)
        forget_attempts(still_wanted(export_id), attempt)
    with step():
        finish_copy(schedule_id, export_id, name, made)


def _put_in_bucket(schedule_id: UUID, export_id: UUID, attempt: int) -> None:
    """What lies with us has one SHA-256 and no longer changes, so its parts are sent once, whoever dies meanwhile."""
    with step():
        made = still_wanted(export_id).awaits_upload
    if not made:
        file = file_of(export_id, attempt)
        bundling = _make(export_id, file, attempt)
        with step():
            await_upload(export_id, file, bundling)
    bring_copy(schedule_id, export_id)


def _bundling(export: Export, parcels: Parcels | None) -> Bundling:
    total = expected_rows()
    return Bundling(
        export.format,
        lambda table, rows: progress(rows, max(rows, total), table),
        portions=portions(export.resources or (), acting().caller),
        encrypt_to=export.encrypt_to or (),
        parcels=parcels,
    )


@job("exports.watch", purpose=Purpose.PORTABILITY, every="41 * * * *", always=True)
def watch() -> None:
    """Tell the admins of scheduled exports that failed or did not come, and when nobody has made a copy for long."""
    tell_of_trouble()
    remind_of_copies()


@job("exports.expire", purpose=Purpose.PORTABILITY, every="23 * * * *", steps=True, always=True)
def expire() -> None:
    """Remove exports whose time has come, and what killed workers left of theirs, with us and in buckets."""
    with step():
        expire_exports()
    with step():
        end_what_nobody_finishes()
