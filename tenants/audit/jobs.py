"""Sealing, every minute."""

from tenants.audit.seals import seal_events
from tenants.foundation.tables import Purpose
from tenants.jobs.registry import job


@job("audit.seal", purpose=Purpose.SECURITY, every="* * * * *", attempts=3)
def seal_audit() -> None:
    """Seal the tenant's new events. Their head reaches the catalog with the platform's next round."""
    seal_events()
