"""What retention does by itself: nightly for the rules, hourly for the bin."""

from tenants.foundation.tables import Purpose
from tenants.jobs.registry import job
from tenants.retention.executing import empty_bin, run_rules


@job("retention.run", purpose=Purpose.OPERATION, heavy=True, steps=True, every="7 2 * * *")
def run_retention_rules() -> None:
    """Delete what is due by the rules that are enabled."""
    run_rules()


@job("bin.empty", purpose=Purpose.OPERATION, steps=True, every="23 * * * *")
def empty_the_bin() -> None:
    """Purge from the bin what was there long enough."""
    empty_bin()
