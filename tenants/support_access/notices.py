"""Notices to those of a tenant who decide about access. They lead nowhere: who reads one signs in as ever."""

from tenants.notices.kinds import NoticeKind, notice_kind
from tenants.notices.models import Notice
from tenants.notices.telling import tell
from tenants.support_access.models import AccessGrant
from tenants.support_access.permissions import DECIDE_GRANTS

ASKED = notice_kind("access-grants.asked", "Our staff ask for access", to=DECIDE_GRANTS)
OPENED = notice_kind(
    "access-grants.opened", "Our security staff opened the workspace in an incident", to=DECIDE_GRANTS
)
DISCLOSED = notice_kind(
    "access-grants.disclosed", "Records are disclosed under an order of law", to=DECIDE_GRANTS
)
TEXT = """\
{subject}.

Who: {who}
Why: {reason}: {explanation}
Ticket: {ticket}
What: {access} {resources}, {masked}, for at most {hours} h

Nothing is opened by answering or by a link: sign in to your workspace as you always do, and look under "Access by
staff". There you approve, narrow, refuse or take back, and see every record that was looked at.
"""


def tell_deciders(
    kind: NoticeKind, grant: AccessGrant, subject: str, key: str | None = None
) -> Notice | None:
    """Tell whoever may decide about access, in the transaction at hand; None when this key was told before."""
    text = TEXT.format(
        subject=subject,
        who=f"{grant.staff_name or 'whoever of support takes it up'} ({grant.staff_email or 'no address'})",
        reason=grant.reason.replace("_", " "),
        explanation=grant.explanation,
        ticket=grant.ticket or "none",
        access=grant.access,
        resources=", ".join(grant.resources)
        + (f" ({len(grant.record_ids)} records)" if grant.record_ids else ""),
        masked="personal fields masked" if grant.masked else "personal fields in clear",
        hours=grant.hours,
    )
    return tell(kind, subject, text, key=key)
