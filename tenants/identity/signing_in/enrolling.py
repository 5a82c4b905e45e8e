"""Second factors and passkeys of one's own: set up, confirmed by their first use, renamed, and taken away."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import acting
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.identity.holding import has_role
from tenants.identity.models import Role, TenantProfile, User
from tenants.identity.signing_in.factors import FACTORS, must_have_shown_theirs
from tenants.identity.signing_in.models import Authenticator
from tenants.identity.signing_in.notes import note_later, tell
from tenants.identity.signing_in.opening import renew_session
from tenants.identity.signing_in.passkeys import (
    PasskeyRefused,
    Site,
    finish_registration,
    registration_options,
)
from tenants.identity.signing_in.recovery_codes import forget_codes
from tenants.identity.signing_in.totp import new_secret, uri_of, use_first_code
from tenants.identity.single_sign_on.exclusive import must_leave_a_way_in
from tenants.isolation.door import db, here

MOST = 20
NOT_RIGHT = "This is not right, or its time is over. Try once more."


@dataclass(frozen=True, slots=True)
class SettingUp:
    """A second factor that is not good yet, with what its app or browser needs: shown this once."""

    authenticator: Authenticator
    secret: str | None = None
    uri: str | None = None
    options: dict[str, Any] | None = None


def mine(authenticator_id: UUID | None = None, *, lock: bool = False) -> list[Authenticator]:
    """My second factors and passkeys, oldest first, or the one of this id. Raises NotFound for one that isn't mine."""
    query = select(Authenticator).where(
        Authenticator.user_id == acting().caller.user_id, Authenticator.kind.in_(FACTORS)
    )
    if authenticator_id is None:
        return list(db().scalars(query.order_by(Authenticator.created_at, Authenticator.id)))
    one = db().scalars(_locked(query.where(Authenticator.id == authenticator_id), lock=lock)).one_or_none()
    if one is None:
        raise NotFound
    return [one]


def set_up(site: Site, kind: str, name: str) -> SettingUp:
    """Begin with a new one. Raises Conflict for more than anybody uses, and for passkeys where there can be none."""
    must_have_shown_theirs()
    user = db().get_one(User, acting().caller.user_id)
    if sum(each.confirmed_at is not None for each in mine()) >= MOST:
        raise Conflict(f"At most {MOST} of them: take one away first.")
    made = Authenticator(user_id=user.id, kind=kind, name=name)
    tenant = db().scalars(select(TenantProfile.name)).one()
    if kind == "passkey":
        shown = SettingUp(made, options=registration_options(site, user, tenant))
    else:
        secret = new_secret()
        made.secret = secret
        shown = SettingUp(made, secret=secret, uri=uri_of(secret, f"{user.email or user.name} ({tenant})"))
    db().add(made)
    db().flush()
    return shown


def confirm(site: Site, authenticator_id: UUID, said: dict[str, Any]) -> tuple[Authenticator, str]:
    """Make it good by its first use; my session becomes a strong one, under a new secret, which is returned.

    Raises Invalid when what is shown is not right, Conflict when it was confirmed before.
    """
    must_have_shown_theirs()
    (made,) = mine(authenticator_id, lock=True)
    if made.confirmed_at is not None:
        raise Conflict("This one is confirmed already.")
    if not _first_use(site, made, said):
        note_later(here().home, "authenticators.refused", made.user_id, f"{made.kind} not confirmed")
        raise Invalid(errors={"code" if made.kind == "totp" else "passkey": [NOT_RIGHT]})
    made.confirmed_at = now()
    db().flush()
    record_event("authenticators.created", "authenticators", made.id, {"kind": made.kind})
    tell(
        db().get_one(User, made.user_id),
        "A second factor was added",
        f"Your account has a new {_word(made)}.",
    )
    return made, renew_session(strong=True)


def rename(authenticator_id: UUID, name: str) -> Authenticator:
    must_have_shown_theirs()
    (made,) = mine(authenticator_id)
    made.name = name
    db().flush()
    return made


def take_away(authenticator_id: UUID) -> None:
    """Take away one of mine. Raises Conflict for the last one where one is required, of me or of who breaks the glass."""
    must_have_shown_theirs()
    (gone,) = mine(authenticator_id, lock=True)
    last = gone.confirmed_at is not None and not [
        each for each in mine() if each.confirmed_at is not None and each.id != gone.id
    ]
    if last and is_required_of(gone.user_id):
        raise Conflict(
            "Your workspace asks for a second factor: set up another one first.", code="mfa_required"
        )
    db().delete(gone)
    if last:
        forget_codes(gone.user_id)
    db().flush()
    must_leave_a_way_in(gone.user_id)
    if gone.confirmed_at is not None:
        record_event("authenticators.deleted", "authenticators", gone.id, {"kind": gone.kind})
        user = db().get_one(User, gone.user_id)
        tell(user, "A second factor was taken away", f"Your account has one {_word(gone)} less.")


def is_required_of(user_id: UUID) -> bool:
    """Whether the tenant, or one of the roles of a user, asks for a second factor."""
    asked = select(User.id).where(User.id == user_id, has_role(Role.mfa_required.is_(True)))
    return db().scalars(select(TenantProfile.mfa_required)).one() or db().scalar(asked) is not None


def _first_use(site: Site, made: Authenticator, said: dict[str, Any]) -> bool:
    if made.kind == "totp":
        return use_first_code(made, said.get("code") or "")
    try:
        finish_registration(site, made, said.get("passkey") or {})
    except PasskeyRefused:
        return False
    return True


def _locked(query: Any, *, lock: bool) -> Any:
    return query.with_for_update() if lock else query


def _word(authenticator: Authenticator) -> str:
    return "passkey" if authenticator.kind == "passkey" else "authenticator app"
