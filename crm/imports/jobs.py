"""What imports do later: everything."""

from uuid import UUID

from crm.imports.running import run
from tenants.foundation.tables import Purpose
from tenants.jobs.registry import job


@job("imports.run", purpose=Purpose.SALES, heavy=True, steps=True)
def run_import(import_id: UUID) -> None:
    """Bring a file in; killed at any point and run again, it goes on and counts once."""
    run(import_id)
