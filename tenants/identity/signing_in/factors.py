"""What a user has besides a password, and whether what they show is it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select

from tenants.access.caller import acting
from tenants.foundation.errors import NotAllowed
from tenants.identity.models import User
from tenants.identity.signing_in.models import Authenticator, Password, Session
from tenants.identity.signing_in.notes import note_later, tell
from tenants.identity.signing_in.passkeys import PasskeyRefused, Site, use_passkey
from tenants.identity.signing_in.passwords import fits
from tenants.identity.signing_in.recovery_codes import codes_left, use_recovery_code
from tenants.identity.signing_in.totp import use_code
from tenants.isolation.door import db, here
from tenants.isolation.turns import one_at_a_time

FACTORS = ("totp", "passkey")


def has_second_factor() -> ColumnElement[bool]:
    """A condition over `User`: they have set up a second factor, and shown that it works."""
    return exists().where(
        Authenticator.user_id == User.id,
        Authenticator.kind.in_(FACTORS),
        Authenticator.confirmed_at.is_not(None),
    )


def methods_of(user_id: UUID) -> list[str]:
    """The kinds of second factor that a user can show; none means that their password is enough."""
    query = select(Authenticator.kind).where(
        Authenticator.user_id == user_id, Authenticator.confirmed_at.is_not(None)
    )
    kinds = set(db().scalars(query.distinct()))
    return [each for each in (*FACTORS, "recovery_code") if each in kinds] if kinds & {*FACTORS} else []


def must_have_shown_theirs() -> None:
    """For changes of second factors: whoever has one showed it in the session at hand, a password is not enough.

    Somebody else's session, begun before there was one or by a provider that asked for none, would else become
    strong by a factor of their own. Of several at the same moment each sees what the one before did. Raises NotAllowed.
    """
    caller = acting().caller
    assert caller.user_id is not None  # noqa: S101 - people only
    one_at_a_time("factors", str(caller.user_id))
    strong = db().scalar(select(Session.strong).where(Session.id == caller.credential_id))
    if not strong and methods_of(caller.user_id):
        raise NotAllowed(
            "Show the second factor that you have first: POST /api/v1/sessions/current/confirmation.",
            code="second_factor",
        )


def second_factor_shown(site: Site, user: User, said: Mapping[str, Any]) -> str | None:
    """The kind of second factor that was shown and is right, and is used up; None for a wrong one."""
    if code := said.get("code"):
        return "totp" if use_code(user.id, code) else None
    if code := said.get("recovery_code"):
        return _recovery_code(user, code)
    if credential := said.get("passkey"):
        return "passkey" if passkey_shown(site, user.id, credential) else None
    return None


def identity_shown(site: Site, user: User, said: Mapping[str, Any]) -> str | None:
    """For somebody who is signed in: their password, or what they have; None for a wrong one."""
    if password := said.get("password"):
        kept = db().get(Password, user.id)
        return "password" if fits(password, kept.hash if kept else None) else None
    return second_factor_shown(site, user, {name: said.get(name) for name in ("code", "passkey")})


def passkey_shown(site: Site, user_id: UUID, credential: dict[str, Any]) -> bool:
    """Whether a passkey of this user signed. A copied one is put on record: somebody else has it too."""
    try:
        use_passkey(site, user_id, credential)
    except PasskeyRefused as refused:
        note_later(here().home, "authenticators.refused", user_id, f"passkey {refused}")
        return False
    return True


def _recovery_code(user: User, code: str) -> str | None:
    if not use_recovery_code(user.id, code):
        return None
    left = codes_left(user.id)
    tell(
        user,
        "A recovery code was used",
        f"Somebody signed in as you with a recovery code. You have {left} of them left.",
    )
    return "recovery_code"
