"""Reminds a tenant's admins when nobody has made a copy of everything for long: once, until there was another."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from tenants.foundation.clock import now
from tenants.identity.models import TenantProfile
from tenants.isolation.door import db
from tenants.notices.kinds import notice_kind
from tenants.notices.telling import tell
from tenants.portability.models import Export

NO_COPY = notice_kind("exports.none_lately", "Nobody has made a copy of everything for long")
#: So long is nobody reminded: about a quarter of a year.
QUIET = timedelta(days=90)
SUBJECT = "Nobody has made a copy of your workspace for long"
TEXT = """Nobody has made a copy of everything in your workspace since {since:%Y-%m-%d}.

What is in it is kept all the same. A copy that you keep yourselves is yours whatever happens: POST /api/v1/exports makes
one, and POST /api/v1/export-schedules has one made again and again, in your own bucket if you like.
"""


def remind_of_copies(at: datetime | None = None) -> bool:
    """Tell the admins of the tenant at hand when the last whole copy is older than QUIET; whether they were told now."""
    last = select(func.max(Export.finished_at)).where(Export.resources.is_(None))
    since = db().scalar(last) or db().scalars(select(TenantProfile.created_at)).one()
    if (at or now()) - since < QUIET:
        return False
    key, text = f"no-copy-since-{since.isoformat()}", TEXT.format(since=since)
    return tell(NO_COPY, SUBJECT, text, key=key) is not None
