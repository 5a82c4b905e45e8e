"""What imports do later: everything, and tidying up long after."""

from uuid import UUID

from crm.imports.models import ImportRow
from crm.imports.retention import empty_old_imports
from crm.imports.rotating import reseal_staged, staged_left
from crm.imports.running import run
from tenants.foundation.tables import Purpose
from tenants.isolation.resealing import Holder, holds_sealed
from tenants.jobs.registry import job

holds_sealed(Holder(ImportRow.__tablename__, reseal_staged, staged_left))


@job("imports.run", purpose=Purpose.SALES, heavy=True, steps=True)
def run_import(import_id: UUID) -> None:
    """Bring a file in; killed at any point and run again, it goes on and counts once."""
    run(import_id)


@job("imports.tidy", purpose=Purpose.OPERATION, every="53 3 * * *", steps=True, always=True, minutes=60)
def tidy_imports() -> None:
    """Remove the rows and files of imports that ended `FREEHOLD_IMPORT_ROWS_DAYS` ago."""
    empty_old_imports()
