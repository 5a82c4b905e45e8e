"""What workers do about access by staff: the daily mail."""

from tenants.foundation.tables import Purpose
from tenants.jobs.registry import job
from tenants.support_access.digests import tell_of_visits


@job("access-visits.digest", purpose=Purpose.SECURITY, every="43 5 * * *")
def mail_digest() -> None:
    """Tell of the visits that are over since the last mail."""
    tell_of_visits()
