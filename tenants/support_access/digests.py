"""Once a day, what visits that are over looked at goes into the tenant's audit, and into a mail to who decides."""

from collections.abc import Sequence

from sqlalchemy import select

from tenants.audit.recording import record_event
from tenants.foundation import clock
from tenants.isolation.door import db
from tenants.notices.kinds import notice_kind
from tenants.notices.telling import tell
from tenants.support_access.grants import found_grant
from tenants.support_access.models import AccessEntry, AccessVisit
from tenants.support_access.permissions import DECIDE_GRANTS

OVER = notice_kind("access-visits.over", "Visits by our staff are over", to=DECIDE_GRANTS)
SUBJECT = "Visits by our staff"
TEXT = """\
Our staff visited your workspace, and these visits are over since the last such mail:

{visits}

Every record that was looked at is in the access log, and each visit has a signed receipt. Sign in as ever to see them.
"""


def tell_of_visits() -> int:
    """Tell whoever decides about access, and the audit, of the visits that are over and untold; how many those are.

    A visit under a gag of law is told of once the gag is over.
    """
    untold = select(AccessVisit).where(
        AccessVisit.ended_at.is_not(None),
        AccessVisit.told_at.is_(None),
        AccessVisit.visible_from <= clock.now(),
    )
    visits = db().scalars(untold.order_by(AccessVisit.created_at).with_for_update()).all()
    if not visits:
        return 0
    text = TEXT.format(visits="\n\n".join(_told(each) for each in visits))
    tell(OVER, SUBJECT, text)
    return len(visits)


def _told(visit: AccessVisit) -> str:
    """Put a visit on record, and say in words what it was."""
    visit.told_at = clock.now()
    grant = found_grant(visit.grant_id, lock=False)
    seen = _seen(db().scalars(select(AccessEntry).where(AccessEntry.visit_id == visit.id)).all())
    statement = (visit.receipt or {}).get("statement", {})
    said = {
        "grant_id": str(grant.id),
        "reason": grant.reason,
        "looked_at": seen,
        "root": statement.get("root"),
    }
    record_event(
        "access-visits.over", "access-visits", visit.id,
        {name: [None, value] for name, value in said.items()}, {"staff_name": [None, visit.staff_name]},
    )  # fmt: skip
    listed = ", ".join(f"{count} of {name}" for name, count in seen.items()) or "nothing"
    return (
        f"{visit.staff_name}, {visit.created_at:%d %B %Y, %H:%M} to {visit.ended_at:%H:%M} UTC ({visit.access})\n"
        f"  why: {grant.reason.replace('_', ' ')}: {grant.explanation} (ticket: {grant.ticket or 'none'})\n"
        f"  looked at: {listed}"
    )


def _seen(entries: Sequence[AccessEntry]) -> dict[str, int]:
    """How many records of each resource."""
    seen: dict[str, set[object]] = {}
    for each in entries:
        seen.setdefault(each.resource, set()).update(each.record_ids)
    return {name: len(ids) for name, ids in sorted(seen.items())}
