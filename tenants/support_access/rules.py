"""What a tenant decided once and for all about access by our people."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from tenants.audit.recording import record_event
from tenants.foundation.errors import NotAllowed
from tenants.identity.models import TenantProfile
from tenants.isolation.door import db

MOST_APPROVERS = 2


@dataclass(frozen=True)
class AccessRules:
    """How many of the tenant's people have to approve, whether only named staff may ask, and whether nobody may."""

    approvers: int = 1
    named: list[str] | None = None
    forbidden: bool = False

    def must_admit(self, email: str) -> None:
        """Raises NotAllowed for somebody this tenant doesn't let ask."""
        if self.forbidden:
            raise NotAllowed("This workspace forbids access by staff.", code="access_forbidden")
        if self.named is not None and email.lower() not in {each.lower() for each in self.named}:
            raise NotAllowed(
                "This workspace lets named staff ask, and you are not one of them.", code="not_named"
            )


def access_rules() -> AccessRules:
    """The rules of the tenant at hand."""
    said: dict[str, Any] = db().scalar(select(TenantProfile.staff_access)) or {}
    return AccessRules(**{name: said[name] for name in AccessRules.__annotations__ if name in said})


def change_rules(said: dict[str, Any]) -> AccessRules:
    """Set what is said, and put it on record."""
    before = asdict(access_rules())
    made = AccessRules(**{**before, **said})
    profile = db().scalars(select(TenantProfile).with_for_update()).one()
    profile.staff_access = asdict(made)
    changes = {name: [before[name], value] for name, value in asdict(made).items() if before[name] != value}
    record_event("access-grants.rules_changed", "access-grants", None, changes)
    return made
