"""Whether somebody may sign in with what we keep of them: not where the tenant signs in elsewhere only.

For every way in that is no single sign-on: passwords, passkeys, links to reset either.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select

from tenants.foundation.errors import Conflict
from tenants.identity.holding import holds_everything
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


def can_break_glass() -> ColumnElement[bool]:
    """The condition over `users`: an active admin with a second factor, who gets in and can open other ways again."""
    return and_(User.state == "active", holds_everything(), has_second_factor())


def must_leave_a_way_in(user_id: UUID | None = None) -> None:
    """Raises Conflict when whoever gets in where a provider fails, the only other way in, could not any more.

    Of one user, or of all.
    """
    able = exists(select(User.id).where(User.id == IdentityProvider.break_glass_id, can_break_glass()))
    shut = select(IdentityProvider.id).where(
        IdentityProvider.sso_only, IdentityProvider.state == "active", ~able
    )
    if user_id is not None:
        shut = shut.where(IdentityProvider.break_glass_id == user_id)
    if db().scalar(shut.limit(1)):
        raise Conflict(
            "This user gets in when single sign-on fails. Name another admin for that first.",
            code="breaks_glass",
        )
