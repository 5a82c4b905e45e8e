"""Mails to those of a tenant who decide about access. They lead nowhere: who reads one signs in as ever."""

from sqlalchemy import or_, select

from tenants.identity.models import Role, TeamMember, TeamRole, User, UserRole
from tenants.isolation.door import db
from tenants.mail.posting import post
from tenants.support_access.models import AccessGrant
from tenants.support_access.permissions import DECIDE_GRANTS

TEXT = """\
{subject}.

Who: {who}
Why: {reason}: {explanation}
Ticket: {ticket}
What: {access} {resources}, {masked}, for at most {hours} h

Nothing is opened by answering or by a link: sign in to your workspace as you always do, and look under "Access by
staff". There you approve, narrow, refuse or take back, and see every record that was looked at.
"""


def tell_deciders(grant: AccessGrant, subject: str) -> None:
    """Tell whoever may decide about access, in the transaction at hand."""
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
    for address in _addresses():
        post(to=address, subject=subject, text=text)


def _addresses() -> list[str]:
    """Of active users whose roles, their own or their teams', let them decide."""
    deciding = select(Role.id).where(Role.permissions.has_key(DECIDE_GRANTS.name))
    theirs = select(UserRole.user_id).where(UserRole.role_id.in_(deciding))
    teams = (
        select(TeamMember.user_id)
        .join(TeamRole, TeamRole.team_id == TeamMember.team_id)
        .where(TeamRole.role_id.in_(deciding))
    )
    query = select(User.email).where(User.state == "active", or_(User.id.in_(theirs), User.id.in_(teams)))
    return [address for address in db().scalars(query.order_by(User.email)) if address]
