"""Removing files that were left behind."""

from tenants.attachments.sweeping import sweep_files
from tenants.foundation.tables import Purpose
from tenants.jobs.progress import conclude, step
from tenants.jobs.registry import job


@job("attachments.sweep", purpose=Purpose.OPERATION, every="37 2 * * *", steps=True)
def sweep_attachments() -> None:
    """Remove the files of attachments that never came to be, or are gone."""
    removed = sweep_files()
    with step():
        conclude({"removed": removed})
