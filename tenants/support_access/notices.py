"""Mails to those of a tenant who decide about access. They lead nowhere: who reads one signs in as ever."""

from tenants.identity.people.addressees import addresses_of_those_who_may
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
    for address in addresses_of_those_who_may(DECIDE_GRANTS):
        post(to=address, subject=subject, text=text)
