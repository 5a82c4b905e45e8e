"""What our own people ask of a tenant, and what their manager, or a second person, says to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from tenants.access.caller import acting
from tenants.foundation import clock
from tenants.foundation.errors import Conflict, Invalid, NotAllowed
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Source
from tenants.support_access.grants import approve, begin, close, must_be, take_step, takers_of
from tenants.support_access.models import Access, AccessGrant, GrantKind, GrantState
from tenants.support_access.notices import ASKED, OPENED, tell_deciders
from tenants.support_access.rules import access_rules
from tenants.support_access.staff.models import StaffRole
from tenants.support_access.visitable import check_scope

ASKING = (StaffRole.SUPPORT.value, StaffRole.SECURITY.value, StaffRole.PLATFORM.value)
BREAK_GLASS_HOURS = 1
REVIEW_WITHIN = timedelta(hours=24)
REVIEWED = "reviewed"


@dataclass(frozen=True)
class Asker:
    """Who asks: the person, and who of us has to approve first."""

    id: UUID
    name: str
    email: str
    role: str
    manager_id: UUID | None = None


def ask(asker: Asker, said: Mapping[str, Any], grant_id: UUID | None = None) -> AccessGrant:
    """An ask in the tenant at hand; it opens nothing. Raises NotAllowed where the tenant's rules forbid it."""
    kind = GrantKind(said.get("kind", GrantKind.SUPPORT.value))
    if kind not in (GrantKind.SUPPORT, GrantKind.BREAK_GLASS):
        raise Invalid(errors={"kind": ["Staff ask for support or, in an incident, break_glass."]})
    if asker.role not in (ASKING if kind is GrantKind.SUPPORT else (StaffRole.SECURITY,)):
        raise NotAllowed(f"Asking for {kind.value} is not for {asker.role}.")
    check_scope(list(said["resources"]), said.get("only_fields"))
    access_rules().must_admit(asker.email)
    if kind is GrantKind.BREAK_GLASS:
        said = {**said, **_in_an_incident(said)}
    grant = AccessGrant(
        id=grant_id or new_id(),
        kind=kind.value,
        state=GrantState.ASKED.value,
        staff_id=asker.id,
        staff_name=asker.name,
        staff_email=asker.email,
        reason=said["reason"],
        explanation=said["explanation"],
        ticket=said.get("ticket"),
        **{name: said.get(name) for name in ("resources", "record_ids", "only_fields")},
        access=said.get("access", Access.READ.value),
        masked=said.get("masked", True),
        hours=said["hours"],
        source=Source.API.value,
    )
    return begin(grant, why=said["explanation"])


def _in_an_incident(said: Mapping[str, Any]) -> dict[str, Any]:
    """Break-glass is for one hour and reading only, and names its incident. Raises Invalid without one."""
    if not said.get("ticket"):
        raise Invalid(errors={"ticket": ["Name the incident."]})
    if said.get("access", Access.READ.value) != Access.READ.value:
        raise Invalid(errors={"access": ["Break-glass reads only."]})
    return {"hours": BREAK_GLASS_HOURS, "reason": "security_incident"}


def approve_as_staff(grant: AccessGrant, asker: Asker, approver: Asker, why: str | None) -> AccessGrant:
    """The first approval, by one of us: the manager's for support, a second person's of security for break-glass.

    Raises NotAllowed for anybody else, the asker above all, and where the tenant's rules forbid it by now; Conflict when
    the ask waits for nothing.
    """
    must_be(grant, GrantState.ASKED)
    _must_answer(grant, asker, approver)
    access_rules().must_admit(asker.email)
    if grant.kind == GrantKind.BREAK_GLASS:
        approve(grant, why)
        tell_deciders(OPENED, grant, "Our security staff opened your workspace in an incident")
    else:
        close(grant, GrantState.MANAGER_APPROVED, why)
        tell_deciders(ASKED, grant, "Our staff ask for access to your workspace")
    return grant


def refuse_as_staff(grant: AccessGrant, asker: Asker, approver: Asker, why: str | None) -> AccessGrant:
    """No, by whoever could approve; or the asker takes the ask back."""
    must_be(grant, GrantState.ASKED, GrantState.MANAGER_APPROVED)
    if approver.id != asker.id:
        _must_answer(grant, asker, approver)
    close(grant, GrantState.REFUSED, why)
    return grant


def review(grant: AccessGrant, finding: str) -> AccessGrant:
    """What a second person says of a break-glass afterwards. Raises Conflict where there is nothing to review."""
    if grant.kind != GrantKind.BREAK_GLASS or REVIEWED in _steps(grant):
        raise Conflict("There is nothing to review.", code="wrong_state")
    if grant.staff_id == acting().caller.user_id:
        raise NotAllowed("Somebody else reviews what you did.", code="own_request")
    take_step(grant, REVIEWED, finding)
    return grant


def review_is_overdue(grant: AccessGrant) -> bool:
    """Whether a break-glass ended a day ago and nobody has reviewed it."""
    opened = grant.state in (GrantState.APPROVED, GrantState.REVOKED)
    late = grant.ends_at + REVIEW_WITHIN < clock.now()
    return grant.kind == GrantKind.BREAK_GLASS and opened and late and REVIEWED not in _steps(grant)


def _steps(grant: AccessGrant) -> set[str]:
    return {REVIEWED} if takers_of(grant, REVIEWED) else set()


def _must_answer(grant: AccessGrant, asker: Asker, approver: Asker) -> None:
    if approver.id == asker.id:
        raise NotAllowed("Nobody approves what they asked for themselves.", code="own_request")
    if grant.kind == GrantKind.BREAK_GLASS:
        fits = approver.role == StaffRole.SECURITY
    elif asker.manager_id is not None:
        fits = approver.id == asker.manager_id
    else:
        fits = approver.role == StaffRole.PLATFORM
    if not fits:
        raise NotAllowed(
            "Their manager answers this; for break-glass, a second person of security.", code="not_manager"
        )
