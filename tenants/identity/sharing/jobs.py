"""Forgetting shares whose end is over."""

from tenants.foundation.tables import Purpose
from tenants.identity.sharing.ending import forget_expired
from tenants.jobs.registry import job


@job("sharing.sweep", purpose=Purpose.SECURITY, every="41 * * * *", always=True)
def sweep_shares() -> None:
    """Delete what is over. It gave nothing from its end on: this tidies up."""
    forget_expired()
