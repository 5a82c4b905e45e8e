"""The admins of the tenant at hand, whom everything that befalls it as a whole is told."""

from sqlalchemy import func, select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.models import AuditEvent
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.foundation.tables import Source
from tenants.identity.models import Role, TeamMember, TeamRole, User, UserRole
from tenants.identity.rights.assigning import ADMIN
from tenants.isolation.door import db, inside
from tenants.mail.posting import post


def admin_addresses() -> list[str]:
    """The addresses of all active admins, by a role of their own or of a team; inside their tenant."""
    own = select(UserRole.user_id).join(Role, Role.id == UserRole.role_id).where(Role.name == ADMIN)
    of_team = (
        select(TeamMember.user_id)
        .join(TeamRole, TeamRole.team_id == TeamMember.team_id)
        .join(Role, Role.id == TeamRole.role_id)
        .where(Role.name == ADMIN)
    )
    admins = select(func.lower(User.email)).where(
        User.id.in_(own.union(of_team)), User.state == "active", User.email.is_not(None)
    )
    return sorted({str(each) for each in db().scalars(admins)})


def tell_admins_once(home: Home, key: str, action: str, subject: str, text: str) -> bool:
    """Mail all admins and put it on record that they were told: once for each key, however often it is tried.

    Whether this call did it. Mails and record are one transaction of the tenant.
    """
    with inside(home):
        act_as(SYSTEM, request_id=key, source=Source.SYSTEM)
        same = (AuditEvent.record_id == home.id, AuditEvent.request_id == key)
        if db().scalar(select(AuditEvent.id).where(*same).limit(1)):
            return False
        addresses = admin_addresses()
        for each in addresses:
            post(to=each, subject=subject, text=text)
        record_event(action, "tenant", home.id, {"admins_told": [None, len(addresses)]})
    return True
