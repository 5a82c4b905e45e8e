"""Whether somebody may sign in with what we keep of them: not where the tenant signs in elsewhere only.

For every way in that is no single sign-on: passwords, passkeys, links to reset either.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select

from tenants.identity.models import User
from tenants.identity.signing_in.factors import has_second_factor
from tenants.identity.single_sign_on.models import IdentityProvider
from tenants.isolation.door import db


def signs_in_here() -> ColumnElement[bool]:
    """The condition over `users`: no provider is the only way in, or they are the one who breaks the glass.

    They need a second factor. A provider whose secret is missing, as in a copy of a tenant, keeps nobody out.
    """
    enforced = (IdentityProvider.sso_only, *in_use())
    return or_(
        ~exists(select(IdentityProvider.id).where(*enforced)),
        and_(
            User.id.in_(select(IdentityProvider.break_glass_id).where(*enforced)),
            has_second_factor(),
        ),
    )


def may_sign_in_here(user_id: UUID) -> bool:
    """The same of one user of the tenant at hand."""
    return bool(db().scalar(select(User.id).where(User.id == user_id, signs_in_here())))


def in_use() -> tuple[ColumnElement[bool], ...]:
    """The conditions of a provider that people can sign in with."""
    return IdentityProvider.state == "active", IdentityProvider.client_secret.is_not(None)


def breaks_glass(user_id: UUID) -> bool:
    """Whether a user is named as the one who gets in when a provider, the only way in, fails."""
    query = select(IdentityProvider.id).where(
        IdentityProvider.break_glass_id == user_id, IdentityProvider.sso_only
    )
    return bool(db().scalar(query.limit(1)))
