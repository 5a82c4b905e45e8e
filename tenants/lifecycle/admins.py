"""The admins of the tenant at hand, whom everything that befalls it as a whole is told."""

from enum import StrEnum

from sqlalchemy import func, select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.models import AuditEvent
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.foundation.tables import Source
from tenants.identity.holding import has_role
from tenants.identity.models import Role, User
from tenants.identity.rights.assigning import ADMIN
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job, JobState
from tenants.lifecycle.once import is_on_record
from tenants.mail.jobs import send_mail
from tenants.mail.posting import post


def admin_addresses() -> list[str]:
    """The addresses of all active admins, by a role of their own or of a team that they are in or manage."""
    admins = select(func.lower(User.email)).where(
        has_role(Role.name == ADMIN), User.state == "active", User.email.is_not(None)
    )
    return sorted({str(each) for each in db().scalars(admins)})


class Sent(StrEnum):
    """What became of the mails of one notice. Whether they arrived is not ours to know."""

    SOME = "some"
    NONE = "none"
    WAITING = "waiting"


def sent(home: Home, key: str) -> Sent:
    """Whether any mail of what was told under this key left the house; inside its tenant. None did if there was none."""
    notice = select(AuditEvent.changes).where(AuditEvent.record_id == home.id, AuditEvent.request_id == key)
    said = db().scalars(notice.limit(1)).one()
    mails = said.get("mails", [None, []])[1]
    jobs = select(Job.state).where(
        Job.kind == send_mail.name, Job.arguments["mail_id"].astext.in_([str(each) for each in mails])
    )
    states = {JobState(each) for each in db().scalars(jobs)}
    if JobState.SUCCEEDED in states:
        return Sent.SOME
    return Sent.WAITING if any(not each.finished for each in states) else Sent.NONE


def tell_admins_once(home: Home, key: str, action: str, subject: str, text: str) -> bool:
    """Mail all admins and put it on record that they were told: once for each key, however often it is tried.

    Whether this call did it. Mails and record are one transaction of the tenant.
    """
    with inside(home):
        act_as(SYSTEM, request_id=key, source=Source.SYSTEM)
        if is_on_record(home.id, key):
            return False
        addresses = admin_addresses()
        mails = [str(post(to=each, subject=subject, text=text)) for each in addresses]
        record_event(
            action, "tenant", home.id, {"admins_told": [None, len(addresses)], "mails": [None, mails]}
        )
    return True
