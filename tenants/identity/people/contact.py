"""Whom to write to besides the admins when something befalls the tenant: its security contact."""

from typing import Any

from sqlalchemy import select

from tenants.access.caller import acting
from tenants.audit.recording import record_event
from tenants.identity.models import TenantProfile
from tenants.isolation.door import db
from tenants.mail.messages import usable_address
from tenants.notices.kinds import notice_kind
from tenants.notices.telling import tell

CHANGED = notice_kind("security-contact.changed", "The security contact was changed")
TEXT = """{name} changed who gets the notices to the admins of your workspace besides them: from {before} to {after}.

If that surprises you, look at the audit log.
"""


def contact_now() -> dict[str, Any]:
    """The address, if the tenant at hand named one."""
    return {"email": db().scalars(select(TenantProfile.security_contact)).one()}


def name_contact(email: str | None) -> dict[str, Any]:
    """Write there from now on, or to the admins alone. Who was the contact until now is told, as the admins are."""
    profile = db().scalars(select(TenantProfile).with_for_update()).one()
    before, after = profile.security_contact, email and usable_address(email)
    if before != after:
        text = TEXT.format(name=acting().caller.name, before=before or "nobody", after=after or "nobody")
        tell(CHANGED, "The security contact of your workspace was changed", text)
        profile.security_contact = after
        db().flush()
        record_event("security-contact.changed", "security-overview", None, {}, {"email": [before, after]})
    return {"email": after}
