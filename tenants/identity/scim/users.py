"""What a directory does to users: never more than the rights of its key, and nobody is ever deleted."""

from typing import Any

from scim2_models import UniquenessException
from sqlalchemy import func, select

from tenants.access.caller import acting
from tenants.foundation.clock import now
from tenants.identity.models import User
from tenants.identity.people.addresses import (
    forget_address,
    free_address,
    note_address,
    withdraw_every_link,
)
from tenants.identity.people.deactivating import deactivate, reactivate
from tenants.identity.people.taking_over import must_hold_everything_of
from tenants.identity.scim import resources as scim
from tenants.identity.scim.describing import address_of, columns_of, kept
from tenants.identity.single_sign_on.domains import is_ours
from tenants.identity.single_sign_on.models import ExternalIdentity
from tenants.isolation.door import db


def create_user(said: scim.User) -> User:
    """A new user, or one whom the directory had done away with: they come back as who they were.

    Raises UniquenessException for a name or address that somebody has.
    """
    if said.active is None:
        said = said.model_copy(update={"active": True})
    if returning := _removed(said):
        user, known = returning
        known.removed_at = None
        if said.active is not False and user.state == "inactive":
            reactivate(user.id)
        return change_user(user, known, said)
    columns = columns_of(said)
    if columns["email"]:
        columns["email"] = free_address(columns["email"])
        note_address(columns["email"])
    user = User(**columns, email_verified_at=_verified(columns["email"]), source=acting().record_source)
    db().add(user)
    db().flush()
    db().add(ExternalIdentity(user_id=user.id, subject=_subject(said), attributes=kept(said)))
    db().flush()
    if said.active is False:
        deactivate(user.id, None)
    return user


def change_user(user: User, known: ExternalIdentity | None, said: scim.User) -> User:
    """Have a user be as the directory says.

    Raises NotAllowed when another address, or coming back, would hand the key's holder more than the key may.
    """
    columns = columns_of(said)
    _readdress(user, columns.pop("email"))
    for name, value in columns.items():
        setattr(user, name, value)
    user.updated_at = now()
    if known is None:
        known = ExternalIdentity(user_id=user.id)
        db().add(known)
    known.subject, known.attributes = _subject(said), kept(said)
    db().flush()
    _set_active(user, active=said.active is not False)
    return user


def remove_user(user: User, known: ExternalIdentity | None) -> None:
    """Deactivate a user and let the directory not see them any more; all they did stays theirs."""
    _set_active(user, active=False)
    if known is None:
        known = ExternalIdentity(
            user_id=user.id, attributes={"userName": user.email, "displayName": user.name}
        )
        db().add(known)
    known.removed_at = now()
    user.updated_at = now()
    db().flush()


def _set_active(user: User, *, active: bool) -> None:
    if active and user.state == "inactive":
        reactivate(user.id)
    if not active and user.state != "inactive":
        deactivate(user.id, None)


def _readdress(user: User, email: str | None) -> None:
    """Whoever reads mail at the new address can become this user: so it takes all the rights they have."""
    before = user.email
    if (email or "").lower() == (before or "").lower():
        return
    must_hold_everything_of(user)
    if email is not None:
        email = free_address(email)
        note_address(email)
    user.email, user.email_verified_at = email, _verified(email)
    withdraw_every_link(user.id)
    if before:
        forget_address(before)


def _verified(email: str | None) -> Any:
    return now() if email and is_ours(email) else None


def _subject(said: scim.User) -> str | None:
    return None if address_of(said.user_name) else said.user_name


def _removed(said: scim.User) -> tuple[User, ExternalIdentity] | None:
    """The user of this name whom the directory did away with. Raises UniquenessException for one it did not."""
    name = (said.user_name or "").lower()
    address = address_of(said.user_name)
    which = (
        func.lower(ExternalIdentity.subject) == name
        if address is None
        else func.lower(User.email) == address.lower()
    )
    query = (
        select(User, ExternalIdentity)
        .outerjoin(
            ExternalIdentity, (ExternalIdentity.user_id == User.id) & ExternalIdentity.provider_id.is_(None)
        )
        .where(which)
        .with_for_update(of=User)
    )
    found: Any = db().execute(query).one_or_none()
    if found is None:
        return None
    user, known = found
    if known is None or known.removed_at is None:
        raise UniquenessException(detail="There is a user with this userName already.")
    return user, known
