"""Which user of ours it is who signed in over there: known by the subject, linked by e-mail, or new."""

from sqlalchemy import func, select

from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.tables import Source
from tenants.identity.models import User, UserRole
from tenants.identity.people.addresses import note_address, withdraw_every_link
from tenants.identity.people.models import Invitation
from tenants.identity.single_sign_on.domains import is_ours
from tenants.identity.single_sign_on.id_tokens import Claims, TokenRefused
from tenants.identity.single_sign_on.models import ExternalIdentity, IdentityProvider
from tenants.isolation.door import db


def user_of(provider: IdentityProvider, claims: Claims) -> User:
    """The active user behind these claims, inside the provider's tenant. Raises TokenRefused when there is none.

    Who was here before is known by provider and subject, whatever their address is now. Only for the first time the
    address counts: when the provider has verified it, and its domain is proven to be the tenant's.
    """
    known = db().scalars(
        select(User)
        .join(ExternalIdentity, ExternalIdentity.user_id == User.id)
        .where(ExternalIdentity.provider_id == provider.id, ExternalIdentity.subject == claims.subject)
    ).one_or_none()  # fmt: skip
    user = known or _by_address(provider, claims)
    if user.state != "active":
        raise TokenRefused("The user is not active.")
    return user


def _by_address(provider: IdentityProvider, claims: Claims) -> User:
    if claims.email is None:
        raise TokenRefused("The provider does not say that the e-mail address was verified.")
    if not is_ours(claims.email):
        raise TokenRefused("The address is in no domain that this workspace has proven to be its own.")
    found = db().scalars(select(User).where(func.lower(User.email) == claims.email)).one_or_none()
    user = found or _new_user(provider, claims, claims.email)
    _link(provider, claims, user)
    return user


def _link(provider: IdentityProvider, claims: Claims, user: User) -> None:
    """From now on the subject is this user. An address that went to somebody else over there opens nothing here."""
    linked = (ExternalIdentity.provider_id == provider.id, ExternalIdentity.user_id == user.id)
    subject = db().scalar(select(ExternalIdentity.subject).where(*linked))
    if subject == claims.subject:  # the same person came in by another window since we looked for the subject
        return
    if subject is not None:
        raise TokenRefused("The user with this address is somebody else over there.")
    if user.state == "invited":
        _accept_invitation(user)
    if user.email_verified_at is None:
        user.email_verified_at = now()
    db().add(ExternalIdentity(provider_id=provider.id, subject=claims.subject, user_id=user.id))
    db().flush()


def _accept_invitation(user: User) -> None:
    """Whoever shows the address that was invited has accepted; the link in the mail opens nothing any more."""
    user.state = "active"
    pending = select(Invitation).where(Invitation.user_id == user.id, Invitation.state == "pending")
    for invitation in db().scalars(pending.with_for_update()):
        invitation.state = "accepted"
    withdraw_every_link(user.id)
    note_address(user.email or "")


def _new_user(provider: IdentityProvider, claims: Claims, email: str) -> User:
    """Just in time: with the provider's default role and nothing else."""
    if provider.default_role_id is None:
        raise TokenRefused("There is no such user, and this provider adds none.")
    user = User(name=claims.name or email.partition("@")[0], email=email, source=Source.SYSTEM)
    db().add(user)
    db().flush()
    db().add(UserRole(user_id=user.id, role_id=provider.default_role_id))
    db().flush()
    note_address(email)
    record_event("users.role_given", "users", user.id, {"role_id": str(provider.default_role_id)})
    return user
