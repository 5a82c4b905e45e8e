"""What a tenant's own people decide: approve, narrow, refuse, invite, and take back at any moment."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from tenants.access.caller import acting
from tenants.foundation import clock
from tenants.foundation.errors import Conflict
from tenants.isolation.door import db
from tenants.support_access.grants import approve, begin, close, must_be, open_visits, take_step, takers_of
from tenants.support_access.grants import narrow as leave_less
from tenants.support_access.models import AccessGrant, GrantKind, GrantState
from tenants.support_access.receipts import sign_off
from tenants.support_access.rules import access_rules
from tenants.support_access.scope import PARTS, Scope, narrowed
from tenants.support_access.visitable import check_scope

TENANT_APPROVED = "tenant_approved"


def approve_ask(grant: AccessGrant, said: Mapping[str, Any]) -> AccessGrant:
    """Approve what staff asked for, or less of it; where the tenant wants two approvers, the second one opens it.

    Raises Conflict when the ask's manager has not approved it yet, its time is over, or the caller approved already.
    """
    must_be(grant, GrantState.MANAGER_APPROVED)
    leave_less(grant, narrowed(Scope.of(grant), {name: said[name] for name in PARTS if name in said}))
    if acting().caller.user_id in takers_of(grant, TENANT_APPROVED):
        raise Conflict("You approved this already; another admin has to.", code="same_person")
    take_step(grant, TENANT_APPROVED, said.get("why"))
    if len(set(takers_of(grant, TENANT_APPROVED))) >= access_rules().approvers:
        approve(grant, said.get("why"))
    return grant


def refuse_ask(grant: AccessGrant, why: str | None) -> AccessGrant:
    """Say no. Raises Conflict when there is nothing to answer any more."""
    must_be(grant, GrantState.ASKED, GrantState.MANAGER_APPROVED)
    close(grant, GrantState.REFUSED, why)
    return grant


def revoke(grant: AccessGrant, why: str | None) -> AccessGrant:
    """Take leave back: the next request of every visit under it fails, and the visits are signed off."""
    must_be(grant, GrantState.APPROVED)
    if grant.kind == GrantKind.LEGAL_ORDER:
        raise Conflict("An order of law can't be revoked here.", code="legal_order")
    close(grant, GrantState.REVOKED, why)
    for visit in open_visits(grant):
        sign_off(visit, grant, "revoked")
    return grant


def revoke_all(why: str) -> None:
    """Take back every leave that is open, orders of law apart: the tenant forbids access from now on."""
    open_ones = select(AccessGrant).where(
        AccessGrant.state == GrantState.APPROVED.value,
        AccessGrant.kind != GrantKind.LEGAL_ORDER.value,
        AccessGrant.ends_at > clock.now(),
    )
    for grant in db().scalars(open_ones.order_by(AccessGrant.id).with_for_update()).all():
        revoke(grant, why)


def invite(said: Mapping[str, Any]) -> AccessGrant:
    """Let our people in without being asked: one by e-mail address, or whoever of support takes it up first."""
    check_scope(said["resources"], said.get("only_fields"))
    grant = AccessGrant(
        kind=GrantKind.INVITATION.value,
        state=GrantState.APPROVED.value,
        staff_email=said.get("staff_email"),
        reason=said["reason"],
        explanation=said["explanation"],
        ticket=said.get("ticket"),
        **{name: said.get(name) for name in ("resources", "record_ids", "only_fields")},
        access=said.get("access", "read"),
        masked=said.get("masked", True),
        hours=said["hours"],
        source=acting().record_source.value,
    )
    return begin(grant, lasts=timedelta(hours=grant.hours))
