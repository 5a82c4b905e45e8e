"""What has to hold of a provider: it answers, its role is the admin's to give, and somebody can break the glass."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import select, update

from tenants.access.caller import acting
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import Invalid, Unavailable
from tenants.foundation.exchange import OutboundFailed
from tenants.identity.models import Role, User
from tenants.identity.rights.granting import must_hold
from tenants.identity.signing_in.models import Session
from tenants.identity.signing_in.opening import ELSEWHERE
from tenants.identity.single_sign_on.discovery import ProviderUnusable, metadata_of
from tenants.identity.single_sign_on.exclusive import can_break_glass
from tenants.identity.single_sign_on.models import IdentityProvider
from tenants.isolation.door import db

#: A request that waits for a stranger keeps its transaction meanwhile: no more of them than leave others room.
AT_A_TIME = 2
_waiting = BoundedSemaphore(AT_A_TIME)


def check_fields(provider: IdentityProvider, fields: Mapping[str, Any]) -> None:
    """Raises Invalid, naming the field, for what can't be said of this provider; it has the fields already.

    Raises NotAllowed for whoever doesn't hold all that the tenant's roles hold.
    """
    _must_hold_all_roles()
    if role_id := fields.get("default_role_id"):
        _check_role(db().get(Role, role_id))
    if provider.break_glass_id and {"break_glass_id", "sso_only", "state"} & fields.keys():
        _check_break_glass(provider)
    if provider.sso_only and provider.break_glass_id is None:
        raise Invalid(errors={"break_glass_id": ["Name an admin who gets in when the provider is away."]})
    if "issuer" in fields:
        _check_issuer(provider.issuer)


def close_other_ways_in(provider: IdentityProvider) -> None:
    """When a provider becomes the only way in, sessions that began otherwise end, but for one's own."""
    if not provider.sso_only or provider.state != "active":
        return
    others = (
        Session.method != ELSEWHERE,
        Session.ended_at.is_(None),
        Session.user_id != provider.break_glass_id,
        Session.id != acting().caller.credential_id,
    )
    ended = update(Session).where(*others).values(ended_at=now()).returning(Session.id)
    for each in db().scalars(ended).all():
        record_event("sessions.ended", "sessions", each, {})


@contextmanager
def a_strangers_turn() -> Iterator[None]:
    """Wait for a stranger inside a transaction. Raises Unavailable when too many do so already."""
    if not _waiting.acquire(blocking=False):
        raise Unavailable("Others are waiting for answers from elsewhere. Try again in a moment.")
    try:
        yield
    finally:
        _waiting.release()


def _must_hold_all_roles() -> None:
    """Whoever says where people sign in can come in as any of them, through a provider of their own."""
    must_hold(db().scalars(select(Role).order_by(Role.name)))


def _check_role(role: Role | None) -> None:
    """Whoever is added gets this role, so it holds nothing that the admin couldn't give by hand."""
    if role is None:
        raise Invalid(errors={"default_role_id": ["There is no such record."]})
    must_hold([role])


def _check_break_glass(provider: IdentityProvider) -> None:
    able = db().scalar(select(can_break_glass()).where(User.id == provider.break_glass_id))
    if able is None:
        raise Invalid(errors={"break_glass_id": ["There is no such record."]})
    if provider.sso_only and not able:
        needed = "They need to be active, to have the role admin, and to have a second factor."
        raise Invalid(errors={"break_glass_id": [needed]})


def _check_issuer(issuer: str) -> None:
    try:
        with a_strangers_turn():
            metadata_of(issuer, fresh=True)
    except (ProviderUnusable, OutboundFailed) as error:
        raise Invalid(errors={"issuer": [str(error)]}) from error
