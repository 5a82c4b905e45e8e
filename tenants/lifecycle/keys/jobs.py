"""What follows a rotation: everything is sealed anew, however long it takes."""

from tenants.foundation.tables import Purpose
from tenants.jobs.registry import job
from tenants.lifecycle.keys.rotation import KIND, seal_everything_anew


@job(KIND, purpose=Purpose.SECURITY, heavy=True, attempts=20, steps=True)
def reseal(version: int) -> None:
    """Seal everything with this version of the key, then destroy the older ones."""
    seal_everything_anew(version)
