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
from tenants.portability.exporting import expire_exports, finish, must_see_everything, still_wanted


@job("exports.make", purpose=Purpose.PORTABILITY, heavy=True, attempts=5, steps=True, always=True)
def make_export(export_id: UUID, days: int) -> None:
    """Write the bundle from one snapshot, then say that it is there. A second attempt starts afresh."""
    file = f"exports/{export_id}-{current_job().attempt}"
    with step(isolation=SNAPSHOT):
        must_see_everything(acting().caller)
        export = still_wanted(export_id)
        total = expected_rows()
        bundling = Bundling(
            export.format,
            lambda table, rows: progress(rows, max(rows, total), table),
            portions=portions(export.resources or (), acting().caller),
            encrypt_to=export.encrypt_to or (),
        )
        with closing(bundling.pieces()) as pieces:
            store_sealed(file, pieces)
    with step():
        conclude(finish(export_id, file, bundling, days))


@job("exports.expire", purpose=Purpose.PORTABILITY, every="23 * * * *", always=True)
def expire() -> None:
    """Remove exports whose time has come, and what killed workers left of theirs."""
    expire_exports()
