"""What workers do about notices: forget the oldest."""

from datetime import timedelta

from sqlalchemy import delete

from tenants.foundation.clock import now
from tenants.foundation.tables import Purpose
from tenants.isolation.door import db
from tenants.jobs.registry import job
from tenants.notices.models import Notice

#: Longer than the ladder before an archive, and than any exit.
KEPT = timedelta(days=2 * 365)


@job("notices.tidy", purpose=Purpose.ACCOUNT, every="53 3 * * *", always=True)
def tidy_notices() -> None:
    """Forget what was told two years ago; the audit log goes on knowing of what it recorded."""
    db().execute(delete(Notice).where(Notice.at < now() - KEPT))
