"""What a tenant asks of whoever comes in, whom that concerns, and what to do when somebody lost a second factor."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from tenants.access.caller import acting
from tenants.access.policy import find
from tenants.audit.recording import record_event
from tenants.identity.models import TenantProfile, User
from tenants.identity.one_time import withdraw
from tenants.identity.people.taking_over import must_hold_everything_of
from tenants.identity.shut_doors import note_authenticators
from tenants.identity.signing_in.by_password import TICKET
from tenants.identity.signing_in.factors import has_second_factor
from tenants.identity.signing_in.models import Authenticator
from tenants.identity.signing_in.notes import tell
from tenants.identity.signing_in.opening import end_sessions
from tenants.identity.single_sign_on.exclusive import must_leave_a_way_in
from tenants.isolation.door import db


def rules_now() -> dict[str, Any]:
    """What is required, and who has not got it."""
    profile = db().scalars(select(TenantProfile)).one()
    return {
        "mfa_required": profile.mfa_required,
        "api_key_max_days": profile.api_key_max_days,
        "without_second_factor": users_without_factor(),
    }


def users_without_factor() -> Sequence[User]:
    """The active users who could not sign in with a second factor, by name."""
    without = select(User).where(User.state == "active", ~has_second_factor())
    return db().scalars(without.order_by(User.name, User.id)).all()


def change_rules(said: Mapping[str, Any]) -> None:
    """Set what is said of these, and put it on record.

    `mfa_required`: everybody needs a second factor, or nobody but those whose role asks for it; who has none sets one
    up next. `api_key_max_days`: keys that were made longer ago open nothing from their next request on.
    """
    profile = db().scalars(select(TenantProfile).with_for_update()).one()
    changes = {name: [getattr(profile, name), value] for name, value in said.items()}
    changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    for name, (_, value) in changes.items():
        setattr(profile, name, value)
    db().flush()
    if changes:
        record_event("sign-in-rules.changed", "sign-in-rules", profile.id, changes)


def reset_factors(user_id: UUID) -> None:
    """Take away all that a user shows besides the password, for somebody who lost it; their sessions end.

    An admin who does it to themselves keeps the session at hand. Raises NotAllowed when their roles hold more than the
    caller has, Conflict for whoever gets in when single sign-on fails.
    """
    user = find(User, user_id)
    must_hold_everything_of(user)
    taken = delete(Authenticator).where(Authenticator.user_id == user.id)
    gone = db().execute(taken.returning(Authenticator.id, Authenticator.kind)).all()
    note_authenticators([each.id for each in gone])
    must_leave_a_way_in(user.id)
    withdraw(TICKET, user.id)
    end_sessions(user.id, but=acting().caller.credential_id)
    record_event("authenticators.reset", "users", user.id, {"kinds": sorted({each.kind for each in gone})})
    tell(
        user,
        "Your second factors were taken away",
        "An admin of your workspace took away your second factors, recovery codes and passkeys. "
        "Sign in with your password and set up new ones.",
    )
